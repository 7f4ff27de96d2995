//! Headers that tokens are likely to have.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::Algorithm;
use super::header::Header;

/// Most of them: enough for some sixty keys.
const MOST: usize = 512;

/// Encoded headers with what is read from them: reading one takes longer than finding it here. What a header says
/// depends on its bytes alone, so that this is never out of date, at worst of no use.
#[derive(Clone, Debug, Default)]
pub(in crate::verify) struct Known(Vec<(Box<[u8]>, Header<'static>)>);

impl Known {
    /// Those of compact JSON with an algorithm, a type and perhaps a key id, in any order.
    pub(in crate::verify) fn of<'k>(keys: impl Iterator<Item = (Algorithm, Option<&'k str>, &'k str)>) -> Self {
        let mut known = Vec::new();
        for (algorithm, kid, typ) in keys {
            let member =
                |(name, value): (&str, &str)| Some(format!("\"{name}\":{}", serde_json::to_string(value).ok()?));
            let alg = member(("alg", algorithm.as_str()));
            let (typ, kid) = (member(("typ", typ)), kid.and_then(|kid| member(("kid", kid))));
            for order in [
                [&alg, &typ, &kid],
                [&alg, &kid, &typ],
                [&typ, &alg, &kid],
                [&typ, &kid, &alg],
                [&kid, &alg, &typ],
                [&kid, &typ, &alg],
            ] {
                let members: Vec<&str> = order.into_iter().flatten().map(String::as_str).collect();
                let json = format!("{{{}}}", members.join(","));
                if let Ok(header) = Header::read(json.as_bytes()) {
                    let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
                    let header = Header { algorithm: header.algorithm, kid: owned(header.kid), typ: owned(header.typ) };
                    known.push((URL_SAFE_NO_PAD.encode(json).into_bytes().into_boxed_slice(), header));
                }
            }
        }
        known.truncate(MOST);
        known.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self(known)
    }

    /// What this encoded header says, if it is one of them.
    pub(in crate::verify) fn find(&self, encoded: &[u8]) -> Option<&Header<'static>> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(encoded)).ok()?;
        self.0.get(at).map(|(_, header)| header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_what_would_be_read() {
        let keys = [
            (Algorithm::Rs256, Some("a\"b"), "at+jwt"),
            (Algorithm::Es256, None, "JWT"),
            (Algorithm::Rs256, Some("c"), "JWT"),
        ];
        let known = Known::of(keys.into_iter());
        for json in [
            r#"{"alg":"RS256","typ":"JWT","kid":"c"}"#,
            r#"{"kid":"a\"b","alg":"RS256","typ":"at+jwt"}"#,
            r#"{"typ":"JWT","alg":"ES256"}"#,
        ] {
            let encoded = URL_SAFE_NO_PAD.encode(json);
            assert_eq!(known.find(encoded.as_bytes()), Some(&Header::read(json.as_bytes()).unwrap()), "{json}");
            assert_eq!(known.find(&encoded.as_bytes()[1..]), None);
        }
        for json in [r#"{"alg":"none"}"#, r#"{"alg":"RS256","typ":"JWT","kid":"d"}"#, r#"{ "typ":"JWT","alg":"ES256"}"#]
        {
            assert_eq!(known.find(URL_SAFE_NO_PAD.encode(json).as_bytes()), None, "{json}");
        }
        assert_eq!(known.0.len(), 18);
    }
}

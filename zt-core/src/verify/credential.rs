//! What a request shows to prove who it comes from.

use super::Refusal;
use crate::model::{Code, Request};

/// One credential, unproven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential<'r> {
    /// `Authorization: Bearer` (RFC 6750, section 2.1).
    Bearer(&'r [u8]),
    /// `Authorization: DPoP` (RFC 9449, section 7.1): a token beside which there is a proof.
    Dpop(&'r [u8]),
    /// The value of the API key header.
    ApiKey(&'r [u8]),
    /// `Authorization: AWS4-...`, or nothing where the query signs the request.
    Sigv4(Option<&'r [u8]>),
}

/// The request's only credential. Two of them are refused, also of different kinds: which one counts would be a guess.
pub(super) fn shown<'r>(
    request: &'r Request<'_>,
    api_key_header: Option<&str>,
) -> Result<Option<Credential<'r>>, Refusal> {
    let many = (Code::VerifyManyCredentials, "more than one credential");
    let (mut authorization, mut api_key) = (None, None);
    for (name, value) in &request.headers {
        let slot = match api_key_header {
            _ if name.bytes().eq_ignore_ascii_case(b"authorization") => &mut authorization,
            Some(header) if name.bytes().eq_ignore_ascii_case(header.as_bytes()) => &mut api_key,
            _ => continue,
        };
        if slot.replace(value.bytes()).is_some() {
            return Err(many);
        }
    }
    match (authorization, api_key) {
        (Some(_), Some(_)) => Err(many),
        (Some(value), None) => authorization_scheme(value).map(Some),
        (None, Some(key)) => Ok(Some(Credential::ApiKey(key))),
        (None, None) => Ok(None),
    }
}

/// The scheme in any case, exactly one space, the token (RFC 9110, section 11.4; RFC 6750, section 2.1; RFC 9449, section 7.1).
fn authorization_scheme(value: &[u8]) -> Result<Credential<'_>, Refusal> {
    let scheme = value.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    match value.split_at_checked(scheme) {
        Some((scheme, [b' ', token @ ..])) if scheme.eq_ignore_ascii_case(b"bearer") => Ok(Credential::Bearer(token)),
        Some((scheme, [b' ', token @ ..])) if scheme.eq_ignore_ascii_case(b"dpop") => Ok(Credential::Dpop(token)),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop") => {
            Err((Code::VerifyMalformedToken, "a scheme without a token"))
        }
        Some((scheme, _)) if scheme.eq_ignore_ascii_case(b"basic") => {
            Err((Code::VerifySchemeRefused, "`Basic`: a password with every request"))
        }
        Some((scheme, _)) if scheme.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"aws4-")) => {
            Ok(Credential::Sigv4(Some(value)))
        }
        _ => Err((Code::VerifySchemeRefused, "neither `Bearer` nor `DPoP`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;

    fn show(headers: &[(&'static str, &'static str)]) -> Result<Option<String>, Code> {
        let headers = headers.iter().map(|(name, value)| (Text::from(*name), Text::from(*value))).collect();
        let request = Request { headers, ..Request::default() };
        shown(&request, Some("x-api-key")).map(|shown| shown.map(|it| format!("{it:?}"))).map_err(|(code, _)| code)
    }

    #[test]
    fn one_credential_or_none() {
        assert_eq!(show(&[("host", "a"), ("x-forwarded-authorization", "Bearer a")]), Ok(None));
        assert_eq!(show(&[("AUTHORIZATION", "bEARER a")]), Ok(Some(format!("{:?}", Credential::Bearer(b"a")))));
        assert_eq!(show(&[("authorization", "dPoP a")]), Ok(Some(format!("{:?}", Credential::Dpop(b"a")))));
        assert_eq!(show(&[("X-API-Key", "k")]), Ok(Some(format!("{:?}", Credential::ApiKey(b"k")))));
        for (first, second) in [
            (("authorization", "Bearer a"), ("Authorization", "Bearer a")),
            (("x-api-key", "a"), ("x-api-key", "a")),
            (("authorization", "Basic a"), ("x-api-key", "a")),
        ] {
            assert_eq!(show(&[first, second]), Err(Code::VerifyManyCredentials));
        }
    }

    #[test]
    fn other_forms() {
        for value in ["", " Bearer a", "Basic YQ==", "Bearer: a", "DPoPx a", "Bearer\u{a0}a", "Bearertoken"] {
            let expected = if value.starts_with("Bearer:") || value.starts_with("Bearer\u{a0}") {
                Code::VerifyMalformedToken
            } else {
                Code::VerifySchemeRefused
            };
            assert_eq!(show(&[("authorization", value)]), Err(expected), "{value}");
        }
        assert_eq!(show(&[("authorization", "DPoP")]), Err(Code::VerifyMalformedToken));
        assert_eq!(show(&[("authorization", "Bearer")]), Err(Code::VerifyMalformedToken));
        assert_eq!(show(&[("authorization", "Bearer\ta")]), Err(Code::VerifyMalformedToken));
    }
}

//! Credentials in the query, which logs, caches and referrers keep (RFC 9700, section 4.3.2; RFC 6750, section 5.3).

use super::Refusal;
use crate::base::percent;
use crate::model::{Code, Request};

/// Refuses a bearer token or an API key in the query: by its name, or by the prefix that API keys have.
pub(super) fn refuse(
    request: &Request<'_>,
    api_key_header: Option<&str>,
    api_key_prefix: Option<&str>,
) -> Result<(), Refusal> {
    let Some(query) = &request.query else { return Ok(()) };
    // Some readers part at `;` too.
    for pair in query.bytes().split(|byte| matches!(byte, b'&' | b';')) {
        let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at).unwrap_or((pair, &[]));
        let name = percent::decode(name).unwrap_or(name.into());
        let named = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        if named("access_token") || api_key_header.is_some_and(named) {
            return Err((Code::VerifyCredentialInQuery, "a parameter with the name of a credential"));
        }
        let value = value.get(1..).unwrap_or_default();
        let value = percent::decode(value).unwrap_or(value.into());
        let rest = api_key_prefix.and_then(|prefix| value.strip_prefix(prefix.as_bytes()));
        if rest.is_some_and(|rest| rest.starts_with(b"_")) {
            return Err((Code::VerifyCredentialInQuery, "a value that begins with `api_key_prefix`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;

    fn refused(query: &str) -> bool {
        let request = Request { query: Some(Text::from(query)), ..Request::default() };
        refuse(&request, Some("x-api-key"), Some("zt_live")).is_err()
    }

    #[test]
    fn by_name_and_by_prefix() {
        for query in [
            "access_token=a",
            "a=b&ACCESS_TOKEN",
            "access%5ftoken=a",
            "a=b;access_token=c",
            "X-API-Key=a",
            "x=zt_live_0000",
            "x=zt%5Flive%5F0000",
        ] {
            assert!(refused(query), "{query}");
        }
        for query in ["", "a=access_token", "my_access_token=a", "x=zt_live", "x=zt_lively", "x=zt_test_0", "%zz=%zz"] {
            assert!(!refused(query), "{query}");
        }
    }

    #[test]
    fn without_api_keys_their_names_mean_nothing() {
        let request = Request { query: Some(Text::from("x-api-key=a&b=zt_live_0")), ..Request::default() };
        assert!(refuse(&request, None, None).is_ok());
    }
}

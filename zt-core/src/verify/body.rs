//! The body that a signature is over.

use super::Refusal;
use crate::model::{Body, Code, Request};

/// The body as it was received. One that was cut, or that the host did not hand over though there is one, cannot be
/// checked, and what cannot be checked is refused.
pub(super) fn whole<'r>(request: &'r Request<'_>) -> Result<&'r [u8], Refusal> {
    let body = request.body.as_ref().map(Body::bytes);
    let len = body.map_or(0, <[u8]>::len);
    if request.body_len.is_some_and(|told| usize::try_from(told) != Ok(len)) {
        return Err((Code::VerifyBadDigest, "the body was not handed over whole"));
    }
    match body {
        Some(body) => Ok(body),
        None if request.body_len.is_none() && is_expected(request) => {
            Err((Code::VerifyBadDigest, "the body was not handed over"))
        }
        None => Ok(&[]),
    }
}

/// Whether a request may have a body of which the host says nothing: it announces one, or could have one without a word.
/// HTTP/1.1 announces every body; later versions need not (RFC 9113, section 8.1.1; RFC 9114, section 4.1.2).
pub(super) fn is_expected(request: &Request<'_>) -> bool {
    let unannounced = || {
        let framed = request.http_version.as_ref().is_some_and(|version| matches!(version.bytes(), b"2" | b"3"));
        // In these a body means nothing (RFC 9110, section 9.3).
        framed && !matches!(request.method.bytes(), b"GET" | b"HEAD" | b"DELETE" | b"OPTIONS" | b"TRACE")
    };
    let mut lengths = request.header("content-length").peekable();
    request.header("transfer-encoding").next().is_some()
        || match lengths.peek() {
            Some(_) => lengths.any(|length| length.trim_ascii() != b"0"),
            None => unannounced(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;

    #[test]
    fn a_body_is_whole_or_refused() {
        let request = |body: Option<&'static [u8]>, body_len, headers: &[(&'static str, &'static str)]| Request {
            body: body.map(Body::new),
            body_len,
            headers: headers.iter().map(|(name, value)| (Text::from(*name), Text::from(*value))).collect(),
            ..Request::default()
        };
        assert_eq!(whole(&request(None, None, &[])), Ok(&b""[..]));
        assert_eq!(whole(&request(None, Some(0), &[("content-length", "0")])), Ok(&b""[..]));
        assert_eq!(whole(&request(Some(b"ab"), None, &[("content-length", "2")])), Ok(&b"ab"[..]));
        assert_eq!(whole(&request(Some(b"ab"), Some(2), &[])), Ok(&b"ab"[..]));
        for cut in [
            request(Some(b"ab"), Some(3), &[]),
            request(Some(b"ab"), Some(1), &[]),
            request(None, Some(3), &[]),
            request(None, None, &[("Content-Length", "3")]),
            request(None, None, &[("Transfer-Encoding", "chunked")]),
        ] {
            assert_eq!(whole(&cut).unwrap_err().0, Code::VerifyBadDigest);
        }
    }
}

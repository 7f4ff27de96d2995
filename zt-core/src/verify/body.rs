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
    let announced = || {
        request.header("transfer-encoding").next().is_some()
            || request.header("content-length").any(|value| value != b"0")
    };
    match body {
        Some(body) => Ok(body),
        None if request.body_len.is_none() && announced() => {
            Err((Code::VerifyBadDigest, "the body was not handed over"))
        }
        None => Ok(&[]),
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

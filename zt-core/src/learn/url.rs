//! Absolute URLs, cut and not decoded.

/// `scheme://authority/path?query#fragment`, without user information and fragment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url<'u> {
    pub(super) scheme: &'u [u8],
    pub(super) host: &'u [u8],
    /// Path and query; not empty.
    pub(super) target: &'u [u8],
}

impl<'u> Url<'u> {
    /// Nothing where it has no scheme and authority.
    pub(super) fn split(text: &'u [u8]) -> Option<Self> {
        let at = memchr::memmem::find(text, b"://")?;
        let (scheme, rest) = (text.get(..at)?, text.get(at.saturating_add(3)..)?);
        let named = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
        let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let host = authority.rsplit(|byte| *byte == b'@').next().filter(|host| !host.is_empty())?;
        let target = rest.split(|byte| *byte == b'#').next().unwrap_or_default();
        named.then_some(Self { scheme, host, target: if target.is_empty() { b"/" } else { target } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_url() {
        let parts = |text: &'static str| {
            let Url { scheme, host, target } = Url::split(text.as_bytes())?;
            Some([scheme, host, target].map(|part| std::str::from_utf8(part).unwrap()))
        };
        assert_eq!(parts("https://a.example:8443/v1?x=1#top"), Some(["https", "a.example:8443", "/v1?x=1"]));
        assert_eq!(parts("http://user:secret@[::1]/a%20b"), Some(["http", "[::1]", "/a%20b"]));
        assert_eq!(parts("http://a.example"), Some(["http", "a.example", "/"]));
        assert_eq!(parts("http://a.example?x=http://b"), Some(["http", "a.example", "?x=http://b"]));
        for wrong in ["", "/v1", "://a", "http://", "1x://a", "/go?to=http://a"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}

//! SPIFFE IDs: the names of workloads (SPIFFE ID, section 2).

/// The longest SPIFFE ID and the longest trust domain (SPIFFE ID, section 2.3).
const MAX_ID_BYTES: usize = 2_048;
const MAX_DOMAIN_BYTES: usize = 255;

pub(super) const SCHEME: &str = "spiffe://";

/// A workload's SPIFFE ID (SPIFFE ID, section 2): no port, no user, no query, no percent-encoding; one spelling each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpiffeId<'a> {
    pub(super) domain: &'a str,
    /// With its first slash.
    pub(super) path: &'a str,
}

impl<'a> SpiffeId<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.len() > MAX_ID_BYTES {
            return Err("`sub` is longer than a SPIFFE ID may be");
        }
        let rest = text.strip_prefix(SCHEME).ok_or("`sub` is not a SPIFFE ID")?;
        let at = rest.find('/').ok_or("`sub` is a trust domain, not a workload")?;
        let (domain, path) = rest.split_at_checked(at).ok_or("`sub` is not a SPIFFE ID")?;
        let segment = |segment: &str| {
            let plain = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
            plain && !matches!(segment, "" | "." | "..")
        };
        match is_trust_domain(domain) && path.split('/').skip(1).all(segment) {
            true => Ok(Self { domain, path }),
            false => Err("`sub` is not a SPIFFE ID"),
        }
    }
}

pub(super) fn is_trust_domain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_');
    (1..=MAX_DOMAIN_BYTES).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_have_one_spelling() {
        let id = SpiffeId::parse("spiffe://example.org/ns/prod/sa/Web_1.2-x").unwrap();
        assert_eq!(id, SpiffeId { domain: "example.org", path: "/ns/prod/sa/Web_1.2-x" });
        assert!(SpiffeId::parse("spiffe://a/b..c/...").is_ok());
        for bad in [
            "",
            "spiffe://",
            "spiffe:///a",
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://example.org/a/",
            "spiffe://example.org//a",
            "spiffe://example.org/./a",
            "spiffe://example.org/a/..",
            "SPIFFE://example.org/a",
            "spiffe://Example.org/a",
            "spiffe://user@example.org/a",
            "spiffe://example.org:80/a",
            "spiffe://example.org/a?b",
            "spiffe://example.org/a#b",
            "spiffe://example.org/a%41",
            "spiffe://example.org/\u{e9}",
            "https://example.org/a",
            " spiffe://example.org/a",
        ] {
            assert!(SpiffeId::parse(bad).is_err(), "{bad}");
        }
        let long = |n: usize| format!("spiffe://e/{}", "a".repeat(n));
        assert!(SpiffeId::parse(&long(2_037)).is_ok() && SpiffeId::parse(&long(2_038)).is_err());
        let domain = |n: usize| format!("spiffe://{}/a", "e".repeat(n));
        assert!(SpiffeId::parse(&domain(255)).is_ok() && SpiffeId::parse(&domain(256)).is_err());
    }

    proptest! {
        #[test]
        fn what_parses_is_put_together_again(text in "(spiffe://)?[a-zA-Z0-9._:@%-]{0,9}(/[a-zA-Z0-9._%?#-]{0,4}){0,4}") {
            if let Ok(id) = SpiffeId::parse(&text) {
                prop_assert_eq!(format!("spiffe://{}{}", id.domain, id.path), text.as_str());
                prop_assert!(!id.path.contains("//") && !id.path.contains("/../") && !id.path.ends_with('/'));
            }
        }

        #[test]
        fn any_text_never_panics(text: String) {
            let _ = SpiffeId::parse(&text);
            let _ = SpiffeId::parse(&format!("spiffe://{text}"));
        }
    }
}

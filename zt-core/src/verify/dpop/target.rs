//! `htu`: URLs in one form, to be compared (RFC 9449, section 4.3; RFC 3986, section 6.2).

use crate::base::percent::hex;

/// The longest `htu`.
const MAX_BYTES: usize = 8 << 10;

/// A URL without query and fragment in normal form: scheme and host in lower case, the default port left out, an empty
/// path as `/`, percent-encoding in upper case and only where it is needed. None where it is not an absolute http(s) URL,
/// names a user, or has a broken percent-encoding.
///
/// Dot segments and doubled slashes stay: the router refuses requests with them, so that nothing normal equals them.
pub(super) fn normal(url: &[u8]) -> Option<Vec<u8>> {
    if url.len() > MAX_BYTES {
        return None;
    }
    let url = url.split(|byte| matches!(byte, b'?' | b'#')).next()?;
    let colon = memchr::memchr(b':', url)?;
    let (scheme, rest) = url.split_at_checked(colon)?;
    let rest = rest.strip_prefix(b"://")?;
    let slash = memchr::memchr(b'/', rest).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash)?;
    of_parts(scheme, authority, path)
}

/// The same of a URL in parts.
pub(super) fn of_parts(scheme: &[u8], authority: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let (scheme, port): (&[u8], &[u8]) = match scheme {
        https if https.eq_ignore_ascii_case(b"https") => (b"https", b"443"),
        http if http.eq_ignore_ascii_case(b"http") => (b"http", b"80"),
        _ => return None,
    };
    let mut out =
        Vec::with_capacity(scheme.len().saturating_add(authority.len()).saturating_add(path.len()).saturating_add(4));
    out.extend_from_slice(scheme);
    out.extend_from_slice(b"://");
    out.extend(without_port(authority, port)?.iter().map(u8::to_ascii_lowercase));
    push_path(&mut out, path)?;
    Some(out)
}

/// Host and port, the port left out where it is the default or empty; the host is a name, an IPv4 address, or an IPv6
/// address in brackets.
fn without_port<'a>(authority: &'a [u8], default: &[u8]) -> Option<&'a [u8]> {
    let end = match authority.first()? {
        b'[' => memchr::memchr(b']', authority)?.saturating_add(1),
        _ => memchr::memchr(b':', authority).unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(end)?;
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte);
    let in_address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let sound = match host {
        [b'[', address @ .., b']'] => !address.is_empty() && address.iter().all(in_address),
        name => !name.is_empty() && name.iter().all(in_name),
    };
    let digits = match port {
        [] => port,
        [b':', digits @ ..] => digits,
        _ => return None,
    };
    if !sound || digits.len() > 5 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(if digits.is_empty() || digits == default { host } else { authority })
}

fn push_path(out: &mut Vec<u8>, path: &[u8]) -> Option<()> {
    let mut rest = path;
    if rest.is_empty() {
        out.push(b'/');
    }
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let (byte, encoded) = match (byte, tail) {
            (b'%', [high, low, after @ ..]) => {
                rest = after;
                (hex(*high)? << 4 | hex(*low)?, true)
            }
            (b'%', _) => return None,
            _ => (byte, false),
        };
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // Reserved characters mean one thing plain and another encoded; whatever is neither can only stand encoded.
        let plain = b"/:@!$&'()*+,;=".contains(&byte) && !encoded;
        if unreserved || plain {
            out.push(byte);
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push(b'%');
            out.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| DIGITS.get(usize::from(digit))));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(url: &str) -> Option<String> {
        normal(url.as_bytes()).map(|url| String::from_utf8(url).unwrap())
    }

    #[test]
    fn the_same_url_in_other_words() {
        for other in [
            "https://api.example.com/a/b~c",
            "HTTPS://API.Example.COM/a/b~c",
            "https://api.example.com:443/a/b~c",
            "https://api.example.com:/a/b~c",
            "https://api.example.com/a/b~c?x=1",
            "https://api.example.com/a/b~c#x",
            "https://api.example.com/a/b~c?x=/y#z?",
            "https://api.example.com/%61/%62%7e%63",
        ] {
            assert_eq!(of(other).unwrap(), "https://api.example.com/a/b~c", "{other}");
        }
        assert_eq!(of("http://a:80"), of("http://a/"));
        assert_eq!(of("https://a?x"), of("https://a/"));
        assert_eq!(of("http://a/%c3%bc").unwrap(), "http://a/%C3%BC");
        assert_eq!(of("http://a/ü"), of("http://a/%c3%bc"));
        assert_eq!(of("https://[2001:DB8::1]:443/").unwrap(), "https://[2001:db8::1]/");
    }

    #[test]
    fn another_url() {
        for (a, b) in [
            ("https://a/", "http://a/"),
            ("https://a/", "https://a:80/"),
            ("https://a/", "https://a:8443/"),
            ("https://a/", "https://a./"),
            ("https://a/b", "https://a/B"),
            ("https://a/b", "https://a/b/"),
            ("https://a/b", "https://a//b"),
            ("https://a/b", "https://a/./b"),
            ("https://a/b/c", "https://a/b%2fc"),
            ("https://a/b", "https://a.example/b"),
        ] {
            assert_ne!(of(a).unwrap(), of(b).unwrap(), "{a} {b}");
        }
    }

    #[test]
    fn no_url_at_all() {
        for bad in [
            "",
            "/a",
            "a",
            "//a/b",
            "https:/a",
            "https:a",
            "https:///b",
            "https://:443/",
            "ftp://a/",
            "https://user@a/",
            "https://a@b/",
            "https://a:x/",
            "https://a:443x/",
            "https://a:123456/",
            "https://[::1/",
            "https://[]/",
            "https://[::1]x/",
            "https://a b/",
            "https://\u{fc}/",
            "https://a%2eb/",
            "https://a\\b/",
            "https://a/%",
            "https://a/%4",
            "https://a/%4g",
            " https://a/",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(of(&format!("https://a/{}", "b".repeat(MAX_BYTES))), None);
    }

    proptest! {
        #[test]
        fn normal_form_is_its_own(url in "(https?|HTTPS)://[a-zA-Z0-9.\\[\\]:-]{1,12}(/[a-zA-Z0-9%/~ü ;=@.]{0,12})?") {
            if let Some(once) = normal(url.as_bytes()) {
                prop_assert_eq!(normal(&once), Some(once));
            }
        }

        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = normal(&bytes);
            let _ = normal(&[b"https://", &bytes[..]].concat());
        }
    }
}

//! Addresses in headers that proxies write: lists such as `X-Forwarded-For`, and `Forwarded` (RFC 7239).
//!
//! Each proxy adds an entry at the right end, so only entries counted from there are anybody's word but the client's. An
//! empty entry counts too: to pass over it would move what the client wrote into the place of what a proxy wrote.

use std::net::{IpAddr, Ipv6Addr};

use smallvec::SmallVec;

/// How a header lists its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Addresses with commas between. A quote has no meaning beyond its entry: one that the client opens hides nothing.
    List,
    /// `for=192.0.2.60;proto=http, for="[2001:db8::1]:4711"` (RFC 7239, section 4).
    Forwarded,
}

/// The address in the entry that is `hops` from the right, the last one being 1, over all lines of a header. None when there
/// are fewer entries, when no address stands there, and when the entry does not follow the form.
///
/// `lines` are the values of the header's lines, the last one first.
pub fn address<'l>(form: Form, lines: impl IntoIterator<Item = &'l [u8]>, hops: usize) -> Option<IpAddr> {
    let mut left = hops.checked_sub(1)?;
    for line in lines {
        match form {
            Form::List => {
                for entry in line.rsplit(|byte| *byte == b',') {
                    match left.checked_sub(1) {
                        Some(fewer) => left = fewer,
                        None => return node(unquoted(trimmed(entry))),
                    }
                }
            }
            Form::Forwarded => {
                let mut rest = Some(line);
                while let Some(line) = rest {
                    let (before, element) = last_element(line);
                    match left.checked_sub(1) {
                        Some(fewer) => left = fewer,
                        None => return of_element(element),
                    }
                    rest = before;
                }
            }
        }
    }
    None
}

/// An address as proxies write it: plain, IPv6 also in brackets, with a port behind where that cannot be taken for a part of
/// it. IPv4 inside IPv6 is IPv4. Not one: `unknown`, and names that hide an address (RFC 7239, section 6.3).
fn node(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, after) = bracketed.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let port = if after.is_empty() { true } else { is_port(after.strip_prefix(':')?) };
        return port.then(|| IpAddr::V6(address).to_canonical());
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = text.split_once(':')?;
    address.parse().ok().filter(|_| is_port(port)).map(IpAddr::V4)
}

/// A port, or a name that hides one (RFC 7239, section 6).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn unquoted(entry: &[u8]) -> &[u8] {
    match entry {
        [b'"', inner @ .., b'"'] => inner,
        plain => plain,
    }
}

/// The last element of a line of `Forwarded`, and what stands before its comma. Read from the right, where a proxy writes
/// after what it received: a quote that the client opened and left open hides nothing of it.
fn last_element(line: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut quoted = false;
    for (at, byte) in line.iter().enumerate().rev() {
        match byte {
            b'"' => {
                let escapes = line.iter().take(at).rev().take_while(|byte| **byte == b'\\').count();
                quoted ^= escapes % 2 == 0;
            }
            b',' if !quoted => return (line.get(..at), line.get(at.saturating_add(1)..).unwrap_or_default()),
            _ => {}
        }
    }
    (None, line)
}

/// The address of an element of `Forwarded`; nothing when it is not one. Spaces around `;` are let pass, and so are `:`, `[` and
/// `]` outside quotes: several proxies write them, and neither can be read in two ways.
fn of_element(element: &[u8]) -> Option<IpAddr> {
    let (mut rest, mut seen, mut address) = (trimmed(element), false, None);
    loop {
        rest = trimmed(rest);
        match rest {
            [] => return address,
            [b';', after @ ..] => rest = after,
            pair => {
                let name = pair.iter().take_while(|byte| is_token(**byte)).count();
                let (name, after) = pair.split_at_checked(name).filter(|(name, _)| !name.is_empty())?;
                let (value, after) = value(after.strip_prefix(b"=")?)?;
                if name.eq_ignore_ascii_case(b"for") {
                    // Two of them say two things.
                    if seen {
                        return None;
                    }
                    (seen, address) = (true, node(&value));
                }
                rest = trimmed(after);
                if !matches!(rest, [] | [b';', ..]) {
                    return None;
                }
            }
        }
    }
}

/// A token or a quoted string (RFC 9110, section 5.6.4), and what follows it.
fn value(text: &[u8]) -> Option<(SmallVec<[u8; 64]>, &[u8])> {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let end = text.iter().take_while(|byte| is_token(**byte) || b":[]".contains(*byte)).count();
        let (value, after) = text.split_at_checked(end).filter(|(value, _)| !value.is_empty())?;
        return Some((value.into(), after));
    };
    let mut value = SmallVec::new();
    loop {
        let (byte, after) = match rest {
            [b'"', after @ ..] => return Some((value, after)),
            [b'\\', byte, after @ ..] | [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        value.push(byte);
        rest = after;
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(form: Form, lines: &[&str], hops: usize) -> Option<String> {
        address(form, lines.iter().rev().map(|line| line.as_bytes()), hops).map(|address| address.to_string())
    }

    #[test]
    fn entries_are_counted_from_the_right_over_all_lines() {
        let lines = ["198.51.100.1, 198.51.100.2", "198.51.100.3 ,\t198.51.100.4"];
        for (hops, last) in [(1, Some("4")), (2, Some("3")), (3, Some("2")), (4, Some("1")), (5, None), (0, None)] {
            let expected = last.map(|last| format!("198.51.100.{last}"));
            assert_eq!(read(Form::List, &lines, hops), expected, "{hops}");
            let forwarded = lines.map(|line| line.replace("198", "for=198"));
            let forwarded = forwarded.each_ref().map(String::as_str);
            assert_eq!(read(Form::Forwarded, &forwarded, hops), expected, "{hops}");
        }
    }

    #[test]
    fn addresses_in_all_their_spellings() {
        for (entry, expected) in [
            ("203.0.113.7", Some("203.0.113.7")),
            ("203.0.113.7:443", Some("203.0.113.7")),
            ("203.0.113.7:_hidden", Some("203.0.113.7")),
            ("2001:db8::7", Some("2001:db8::7")),
            ("2001:db8::7:443", Some("2001:db8::7:443")),
            ("[2001:db8::7]", Some("2001:db8::7")),
            ("[2001:db8::7]:443", Some("2001:db8::7")),
            ("::ffff:203.0.113.7", Some("203.0.113.7")),
            ("[::ffff:203.0.113.7]:1", Some("203.0.113.7")),
            ("", None),
            ("unknown", None),
            ("_gazonk", None),
            ("203.0.113.07", None),
            ("203.0.113.7:", None),
            ("203.0.113.7:443443", None),
            ("203.0.113.7:x", None),
            ("203.0.113.7:_", None),
            ("[203.0.113.7]", None),
            ("[2001:db8::7", None),
            ("[2001:db8::7]443", None),
            ("2001:db8::7%eth0", None),
            ("203.0.113.7 203.0.113.8", None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(read(Form::List, &[entry], 1), expected, "{entry}");
            assert_eq!(read(Form::List, &[&format!("1.1.1.1, \"{entry}\" ")], 1), expected, "{entry}");
            assert_eq!(read(Form::Forwarded, &[&format!("for=1.1.1.1,For=\"{entry}\"")], 1), expected, "{entry}");
        }
    }

    #[test]
    fn elements_of_forwarded() {
        for (line, expected) in [
            ("by=203.0.113.43;FOR=192.0.2.60;proto=http", Some("192.0.2.60")),
            ("for=192.0.2.60 ; proto=\"a, b;for=1.1.1.1\"", Some("192.0.2.60")),
            ("for=\"\\[2001:db8::\\7\\]\"", Some("2001:db8::7")),
            ("for=[2001:db8::7]:1", Some("2001:db8::7")),
            ("for=192.0.2.60;;", Some("192.0.2.60")),
            ("proto=http", None),
            ("for=192.0.2.60,", None),
            ("for=192.0.2.60;for=192.0.2.61", None),
            ("for =192.0.2.60", None),
            ("for= 192.0.2.60", None),
            ("for=192.0.2.60 proto=http", None),
            ("for=\"192.0.2.60", None),
            ("for=\"192.0.2.60\\", None),
            ("for", None),
            ("=1", None),
            ("192.0.2.60", None),
        ] {
            assert_eq!(read(Form::Forwarded, &[line], 1).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_line_of_the_client_does_not_spoil_that_of_a_proxy() {
        assert_eq!(read(Form::Forwarded, &["for=\"", "for=192.0.2.60"], 1).as_deref(), Some("192.0.2.60"));
        assert_eq!(read(Form::Forwarded, &["for=\"", "for=192.0.2.60"], 2), None);
        // On one line with it, as most proxies write: or else whoever is suspended by address has only to open a quote.
        for spoilt in ["for=\"1.1.1.1", "\"", "\\\"", "for=\"\\", "for=a b", "=", "for=\"1.1.1.1\\\""] {
            let line = format!("{spoilt}, for=192.0.2.60;by=\"a, \\\"b\\\\\" ,for=\"[2001:db8::7]:1\"");
            assert_eq!(read(Form::Forwarded, &[&line], 1).as_deref(), Some("2001:db8::7"), "{line}");
            assert_eq!(read(Form::Forwarded, &[&line], 2).as_deref(), Some("192.0.2.60"), "{line}");
        }
        assert_eq!(read(Form::List, &["\"192.0.2.1, 192.0.2.60"], 1).as_deref(), Some("192.0.2.60"));
    }

    /// What a proxy writes for an address, in any spelling.
    fn written() -> impl Strategy<Value = (IpAddr, String)> {
        let address = prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)];
        (address, any::<Option<u16>>()).prop_map(|(address, port)| {
            let text = match (address, port) {
                (IpAddr::V4(address), Some(port)) => format!("{address}:{port}"),
                (IpAddr::V6(address), Some(port)) => format!("[{address}]:{port}"),
                (IpAddr::V4(address), None) => address.to_string(),
                (IpAddr::V6(address), None) => format!("[{address}]"),
            };
            (address.to_canonical(), text)
        })
    }

    proptest! {
        #[test]
        fn nothing_a_client_writes_is_taken_for_a_proxys_word(
            client in "[ -~]{0,30}", proxies in prop::collection::vec(written(), 1..4), same_line: bool,
        ) {
            for (form, open, close) in [(Form::List, "", ""), (Form::Forwarded, "for=\"", "\"")] {
                let by_proxies: Vec<String> = proxies.iter().map(|(_, text)| format!("{open}{text}{close}")).collect();
                let by_proxies = by_proxies.join(", ");
                let joined = format!("{client},{by_proxies}");
                let lines: &[&str] = if same_line { &[&joined] } else { &[&client, &by_proxies] };
                for (hops, (address, _)) in proxies.iter().rev().enumerate() {
                    let read = read(form, lines, hops + 1);
                    let right = Some(address.to_string());
                    prop_assert_eq!(read, right);
                }
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4), hops in 0_usize..5) {
            for form in [Form::List, Form::Forwarded] {
                let _ = address(form, lines.iter().map(Vec::as_slice), hops);
            }
        }
    }
}

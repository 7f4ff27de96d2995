//! Cedar's `ipaddr` values: an address, or a CIDR range (RFC 4632).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The longest text form of a range: eight groups of four digits, and `/128`.
const TEXT_MAX: usize = 43;

/// An address with its prefix length; a single address has the longest prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ip {
    addr: IpAddr,
    prefix: u8,
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix)
    }
}

impl Ip {
    /// One address. An IPv4 address mapped into IPv6 is its IPv4 address, so that a range in policy cannot be
    /// sidestepped by the kind of socket the host listens on.
    pub(crate) fn single(addr: IpAddr) -> Self {
        let addr = addr.to_canonical();
        Self { addr, prefix: longest(addr) }
    }

    /// Reads `ip("...")`'s text: an IPv4 or IPv6 address or range, never IPv4 written inside IPv6.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let twice = |byte: u8| text.bytes().filter(|b| *b == byte).nth(1).is_some();
        if text.len() > TEXT_MAX || (twice(b':') && twice(b'.')) {
            return None;
        }
        let Some((addr, prefix)) = text.split_once('/') else {
            let addr: IpAddr = text.parse().ok()?;
            return Some(Self { addr, prefix: longest(addr) });
        };
        let addr: IpAddr = addr.parse().ok()?;
        let plain = prefix == "0" || (!prefix.starts_with('0') && prefix.bytes().all(|b| b.is_ascii_digit()));
        let prefix: u8 = prefix.parse().ok().filter(|_| plain)?;
        (prefix <= longest(addr)).then_some(Self { addr, prefix })
    }

    pub(crate) const fn is_ipv4(self) -> bool {
        self.addr.is_ipv4()
    }

    pub(crate) fn is_loopback(self) -> bool {
        self.addr.is_loopback() && self.prefix >= if self.is_ipv4() { 8 } else { 128 }
    }

    pub(crate) fn is_multicast(self) -> bool {
        self.addr.is_multicast() && self.prefix >= if self.is_ipv4() { 4 } else { 8 }
    }

    /// Whether every address of this range is in the other one.
    pub(crate) fn is_in_range(self, other: Self) -> bool {
        let (width, a, b) = match (self.addr, other.addr) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (32_u32, u128::from(u32::from(a)), u128::from(u32::from(b))),
            (IpAddr::V6(a), IpAddr::V6(b)) => (128, u128::from(a), u128::from(b)),
            _ => return false,
        };
        let host = u32::saturating_sub(width, u32::from(other.prefix));
        let network = |bits: u128| bits.checked_shr(host).unwrap_or(0);
        self.prefix >= other.prefix && network(a) == network(b)
    }
}

const fn longest(addr: IpAddr) -> u8 {
    if addr.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Ip {
        Ip::parse(text).unwrap()
    }

    #[test]
    fn reads_what_cedar_reads() {
        for bad in ["", "1.2.3", "::ffff:1.2.3.4", "1.2.3.4/33", "1.2.3.4/08", "1.2.3.4/", "1.2.3.4/+8", "::/129"] {
            assert_eq!(Ip::parse(bad), None, "{bad}");
        }
        assert_eq!(ip("10.0.0.0/8").prefix, 8);
        assert_eq!(ip("::1").prefix, 128);
    }

    #[test]
    fn ranges_contain_their_parts_only() {
        assert!(ip("10.1.2.3").is_in_range(ip("10.0.0.0/8")));
        assert!(ip("10.1.0.0/16").is_in_range(ip("10.9.9.9/8")));
        assert!(!ip("10.0.0.0/8").is_in_range(ip("10.1.0.0/16")));
        assert!(ip("1.2.3.4").is_in_range(ip("0.0.0.0/0")));
        assert!(ip("ffff::1").is_in_range(ip("::/0")));
        assert!(!ip("1.2.3.4").is_in_range(ip("::/0")));
        assert!(ip("127.0.0.1/8").is_loopback() && !ip("127.0.0.1/7").is_loopback());
        assert!(ip("ff00::/8").is_multicast() && !ip("ff00::/7").is_multicast());
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        assert_eq!(Ip::single("::ffff:192.0.2.1".parse().unwrap()), ip("192.0.2.1"));
    }
}

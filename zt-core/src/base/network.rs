//! Networks: addresses that share their first bits.

use std::net::IpAddr;

/// Addresses that share their first bits (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits after the prefix must be zero: they are a slip of the pen that
    /// would make the network another than it looks. IPv4 is never written inside IPv6.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = width(address);
        let prefix = match prefix {
            Some(digits) if digits.len() > 1 && digits.starts_with('0') => return None,
            Some(digits) if !digits.bytes().all(|byte| byte.is_ascii_digit()) => return None,
            Some(digits) => digits.parse().ok().filter(|prefix| *prefix <= width)?,
            None => width,
        };
        let network = Self { address, prefix };
        let host_bits = width.saturating_sub(prefix);
        let clean = first_bits(address, host_bits).checked_shl(host_bits).unwrap_or(0) == bits(address);
        (clean && address.to_canonical() == address).then_some(network)
    }

    /// Whether every address of its family lies in it.
    pub const fn is_everywhere(self) -> bool {
        self.prefix == 0
    }

    /// Whether an address lies in it. IPv4 mapped into IPv6 is IPv4, whatever socket the host listens on.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let host_bits = width(self.address).saturating_sub(self.prefix);
        self.address.is_ipv4() == address.is_ipv4()
            && first_bits(address, host_bits) == first_bits(self.address, host_bits)
    }
}

const fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn first_bits(address: IpAddr, host_bits: u32) -> u128 {
    bits(address).checked_shr(host_bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::a00:1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "::ffff:1.2.3.4"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network:?} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network:?} {outside}");
        }
    }

    #[test]
    fn what_is_no_network() {
        for bad in [
            "",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.1/8",
            "10.0.0.0/8/8",
            "::/129",
            "2001:db8::1/32",
            "::ffff:10.0.0.0/104",
            "::ffff:10.0.0.1",
            "example.com",
            "10.0.0.0/99999999999",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}

//! Which bits of an address count.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What begins an IPv4 address as bits of IPv6 (RFC 4291, section 2.5.5.2).
const V4: u128 = 0xffff_0000_0000;

/// The bits of an address that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masks {
    v4: u32,
    v6: u128,
}

impl Masks {
    /// The first bits, so many.
    pub(super) fn new(v4: u8, v6: u8) -> Self {
        Self {
            v4: u32::MAX.checked_shl(32_u32.saturating_sub(v4.into())).unwrap_or(0),
            v6: u128::MAX.checked_shl(128_u32.saturating_sub(v6.into())).unwrap_or(0),
        }
    }

    /// As of IPv6: no IPv6 address has these bits, for one that has is this one.
    #[inline]
    pub(super) fn of_v4(&self, address: Ipv4Addr) -> u128 {
        V4 | u128::from(u32::from(address) & self.v4)
    }

    /// An IPv4 address inside IPv6 is the IPv4 address.
    pub(super) fn of_v6(&self, address: Ipv6Addr) -> u128 {
        match address.to_ipv4_mapped() {
            Some(address) => self.of_v4(address),
            None => u128::from(address) & self.v6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_networks_have_the_same_bits() {
        let bits = |masks: Masks, text: &str| match text.parse().unwrap() {
            std::net::IpAddr::V4(address) => masks.of_v4(address),
            std::net::IpAddr::V6(address) => masks.of_v6(address),
        };
        for v6 in 0..=128 {
            let masks = Masks::new(24, v6);
            let net = bits(masks, "192.0.2.0");
            assert_eq!(net, bits(masks, "192.0.2.255"));
            assert_eq!(net, bits(masks, "::ffff:192.0.2.7"));
            for other in ["192.0.3.0", "::fffe:192.0.2.0", "::ffff:0:c000:200", "::192.0.2.0", "::1", "ffff::"] {
                assert_ne!(net, bits(masks, other), "{other}/{v6}");
            }
        }
        assert_eq!(bits(Masks::new(0, 0), "2001:db8::1"), 0);
        assert_eq!(bits(Masks::new(32, 128), "2001:db8::1"), 0x2001_0db8 << 96 | 1);
    }

    /// Every prefix, beside the first bits one by one.
    #[test]
    fn two_addresses_have_the_same_bits_in_one_network_only() {
        let v4 = |bits: u32| std::net::IpAddr::from(Ipv4Addr::from(bits));
        let v6 = |bits: u128| std::net::IpAddr::from(Ipv6Addr::from(bits));
        let address: Vec<_> = (0..32)
            .flat_map(|bit| [v4(1 << bit), v4(!(1 << bit)), v6(V4 | 1 << bit)])
            .chain((0..128).flat_map(|bit| [v6(1 << bit), v6(!(1 << bit)), v6(V4 ^ 1 << bit)]))
            .chain([v4(0), v4(u32::MAX), v6(0), v6(u128::MAX), v6(V4)])
            .collect();
        let network = |address: &std::net::IpAddr, length: u8| match address.to_canonical() {
            std::net::IpAddr::V4(address) => {
                (true, (0..length.min(32)).map(|bit| u32::from(address) >> (31 - bit) & 1 == 1).collect::<Vec<_>>())
            }
            std::net::IpAddr::V6(address) => {
                (false, (0..length).map(|bit| u128::from(address) >> (127 - bit) & 1 == 1).collect())
            }
        };
        for length in 0..=128 {
            let masks = Masks::new(length.min(32), length);
            let mut networks = std::collections::BTreeMap::new();
            let mut bits = std::collections::BTreeMap::new();
            for address in &address {
                let own = match address {
                    std::net::IpAddr::V4(address) => masks.of_v4(*address),
                    std::net::IpAddr::V6(address) => masks.of_v6(*address),
                };
                let network = network(address, length);
                assert_eq!(*networks.entry(own).or_insert_with(|| network.clone()), network, "{address}/{length}");
                assert_eq!(*bits.entry(network).or_insert(own), own, "{address}/{length}");
            }
        }
    }
}

//! Two requests have the same key where all that the limit names is the same in both, and nowhere else.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::base::bounded::Key;
use crate::limit::compile;
use crate::limit::key::Hashers;
use crate::model::{Header, Identity, IdentityKind, Text};

type Prefixes = (u8, u8);

#[derive(Clone, Debug)]
struct Facts {
    peer: Option<IpAddr>,
    headers: Vec<&'static str>,
    endpoint: Option<&'static str>,
    segment: Option<&'static str>,
    issuer: Option<&'static str>,
    principal: &'static str,
    roles: Vec<&'static str>,
    claim: Option<&'static str>,
}

/// Texts that look like lengths, like what begins an address, and like nothing.
const TEXTS: [&str; 8] =
    ["", "\0", "\0\0\0\0\0\0\0\0", "\u{1}\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\u{4}", "a", "ab", "abcdefghi"];

fn text() -> impl Strategy<Value = &'static str> {
    prop::sample::select(TEXTS.to_vec())
}

fn address() -> impl Strategy<Value = IpAddr> {
    let word = || prop::sample::select(vec![0, 1, 1 << 31, 1 << 32, 0xffff << 32, 0xffff << 32 | 1, 1 << 63, u64::MAX]);
    prop_oneof![
        (0_u32..2, prop::sample::select(vec![0, 1, 1 << 8, 1 << 31]))
            .prop_map(|(low, high)| IpAddr::V4((low | high).into())),
        (word(), word()).prop_map(|(high, low)| Ipv6Addr::from(u128::from(high) << 64 | u128::from(low)).into()),
    ]
}

prop_compose! {
    fn facts()(
        peer in prop::option::of(address()), headers in prop::collection::vec(text(), 0..3), endpoint in prop::option::of(text()),
        segment in prop::option::of(text()), issuer in prop::option::of(text()), principal in text(),
        roles in prop::collection::vec(text(), 0..3), claim in prop::option::of(text())
    ) -> Facts {
        Facts { peer, headers, endpoint, segment, issuer, principal, roles, claim }
    }
}

/// The first bits of an address, written out.
fn network(peer: Option<IpAddr>, (v4, v6): Prefixes) -> String {
    let bits = |bits: String, prefix: u8| bits[..usize::from(prefix)].to_owned();
    match peer.map(|peer| peer.to_canonical()) {
        Some(IpAddr::V4(peer)) => format!("4 {}", bits(format!("{:032b}", u32::from(peer)), v4)),
        Some(IpAddr::V6(peer)) => format!("6 {}", bits(format!("{:0128b}", u128::from(peer)), v6)),
        None => "none".to_owned(),
    }
}

impl Facts {
    /// All that the limit names.
    fn named(&self, part: &str, prefixes: Prefixes) -> String {
        match part {
            "peer" => network(self.peer, (32, 64)),
            "peer_prefix" => network(self.peer, prefixes),
            "header:x" => format!("{:?}", self.headers),
            "endpoint" => format!("{:?}", self.endpoint),
            "segment" => format!("{:?}", self.segment),
            "identity" => format!("{:?} {:?}", self.issuer, self.principal),
            "role" => format!("{:?}", self.roles.iter().collect::<std::collections::BTreeSet<_>>()),
            "claim:c" => format!("{:?}", self.claim),
            part => unreachable!("{part}"),
        }
    }

    fn key(&self, rule: &Rule, hashers: &Hashers) -> Key {
        let identity = Identity {
            issuer: self.issuer.map(Arc::from),
            roles: self.roles.iter().map(|role| Box::from(*role)).collect(),
            ..Identity::new(IdentityKind::Jwt, self.principal)
        };
        let headers: Vec<Header<'_>> = self.headers.iter().map(|value| (Text::from("X"), Text::from(*value))).collect();
        let claim = |name: &str| self.claim.filter(|_| name == "c").map(str::to_owned);
        let subject = Subject {
            peer: self.peer,
            headers: &headers,
            endpoint: self.endpoint,
            segment: self.segment,
            identity: Some(&identity),
            claim: Some(&claim),
            ..Subject::default()
        };
        rule.key.key(rule.phase, hashers, &subject).unwrap()
    }
}

proptest! {
    #[test]
    fn a_key_is_all_that_a_limit_names(
        parts in prop::sample::subsequence(vec!["peer", "peer_prefix", "header:x", "endpoint", "segment", "identity", "role", "claim:c"], 1..4).prop_shuffle(),
        prefixes in (prop::sample::select(vec![8_u8, 24, 31, 32]), prop::sample::select(vec![16_u8, 56, 64, 65, 127, 128])),
        everybody in prop::collection::vec(facts(), 2..120),
    ) {
        let mut limit = serde_json::json!({ "name": "a", "key": parts, "rate": "9/1s" });
        if parts.contains(&"peer_prefix") {
            limit["ipv4_prefix"] = prefixes.0.into();
            limit["ipv6_prefix"] = prefixes.1.into();
        }
        let rules = compile::rules(&[serde_json::from_value(limit).unwrap()]).unwrap();
        let hashers = Hashers::new(3);
        let (mut by_key, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for facts in &everybody {
            let named: Vec<String> = parts.iter().map(|part| facts.named(part, prefixes)).collect();
            let key = facts.key(&rules[0], &hashers);
            prop_assert_eq!(by_key.entry(key).or_insert_with(|| named.clone()), &named);
            prop_assert_eq!(*by_name.entry(named).or_insert(key), key);
        }
    }
}

/// What would be the same words, were it not for what begins an address and for how many there are of what may be several.
#[test]
fn what_follows_an_address_or_a_list_is_no_part_of_it() {
    let nobody = Facts {
        peer: None,
        headers: vec![],
        endpoint: None,
        segment: None,
        issuer: None,
        principal: "p",
        roles: vec![],
        claim: None,
    };
    let at = |peer: &str, headers: &[&'static str]| Facts {
        peer: peer.parse().ok(),
        headers: headers.to_vec(),
        ..nobody.clone()
    };
    let role = |roles: &[&'static str], headers: &[&'static str]| Facts { roles: roles.to_vec(), ..at("", headers) };
    for (key, a, b) in [
        (r#"["peer","header:x"]"#, at("0.0.0.0", &["", ""]), at("0:0:0:2::", &[])),
        (r#"["peer_prefix","header:x"]"#, at("", &[""]), at("ffff:ffff:ffff:ffff::1", &[])),
        (r#"["role","header:x"]"#, role(&["\u{8}"], &[]), role(&[], &["\0\0\0\0\0\0\0\0"])),
    ] {
        let prefix = if key.contains("prefix") { r#","ipv6_prefix":128"# } else { "" };
        let config = serde_json::from_str(&format!(r#"{{"name":"a","key":{key},"rate":"9/1s"{prefix}}}"#)).unwrap();
        let (rule, hashers) = (&compile::rules(&[config]).unwrap()[0], Hashers::new(3));
        assert_ne!(a.key(rule, &hashers), b.key(rule, &hashers), "{key}");
    }
    let lines = |name: &'static str| {
        let headers = [(Text::from(name), Text::from("v"))];
        let limiter = limiter(r#"[{"name":"a","key":["header:x","header:y"],"rate":"9/1s"}]"#);
        limiter.rules[0].key.key(Phase::Peer, &Hashers::new(3), &Subject { headers: &headers, ..Subject::default() })
    };
    assert_ne!(lines("x"), lines("y"));
}

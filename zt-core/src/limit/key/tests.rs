//! Who has the same key, and who has not.

use std::sync::Arc;

use super::*;
use crate::limit::compile;
use crate::model::{Header, Identity, IdentityKind, Text};

fn key(parts: &str, subject: &Subject<'_>) -> Option<Key> {
    let config = serde_json::from_str(&format!(r#"{{"name":"x","key":{parts},"rate":"1/1s"}}"#)).unwrap();
    let rule = &compile::rules(&[config]).unwrap()[0];
    rule.key.key(rule.phase, &Hashers::new(3), subject)
}

fn identity(kind: IdentityKind, issuer: Option<&str>, principal: &str, roles: &[&str]) -> Identity {
    Identity {
        issuer: issuer.map(Arc::from),
        roles: roles.iter().map(|role| Box::from(*role)).collect(),
        ..Identity::new(kind, principal)
    }
}

fn peer(address: &str) -> Subject<'static> {
    Subject { peer: Some(address.parse().unwrap()), ..Subject::default() }
}

#[test]
fn one_host_is_one_peer() {
    let same = |parts, a, b| key(parts, &peer(a)) == key(parts, &peer(b));
    assert!(same(r#"["peer"]"#, "203.0.113.7", "::ffff:203.0.113.7"));
    assert!(!same(r#"["peer"]"#, "203.0.113.7", "203.0.113.8"));
    assert!(same(r#"["peer"]"#, "2001:db8:0:1::1", "2001:db8:0:1:ffff::9"));
    assert!(!same(r#"["peer"]"#, "2001:db8:0:1::1", "2001:db8:0:2::1"));
    assert!(same(r#"["peer_prefix"]"#, "203.0.113.7", "203.0.113.200"));
    assert!(!same(r#"["peer_prefix"]"#, "203.0.113.7", "203.0.114.7"));
    assert!(same(r#"["peer_prefix"]"#, "2001:db8:0:1::1", "2001:db8:0:2::1"));
    assert!(!same(r#"["peer_prefix"]"#, "2001:db8:0:100::1", "2001:db8:0:200::1"));
    assert_ne!(key(r#"["peer"]"#, &peer("0.0.0.0")), key(r#"["peer"]"#, &Subject::default()));
}

#[test]
fn absent_facts_share_one_bucket_but_anonymous_has_none() {
    for part in ["peer", "peer_prefix", "endpoint", "segment", "header:x"] {
        assert!(key(&format!(r#"["{part}"]"#), &Subject::default()).is_some(), "{part}");
    }
    let someone = identity(IdentityKind::Jwt, None, "a", &[]);
    let known = Subject { identity: Some(&someone), ..Subject::default() };
    for part in ["identity", "tenant", "role", "claim:org"] {
        assert_eq!(key(&format!(r#"["{part}"]"#), &Subject::default()), None, "{part}");
        assert!(key(&format!(r#"["{part}"]"#), &known).is_some(), "{part}");
    }
}

#[test]
fn identities_are_told_apart() {
    let people = [
        identity(IdentityKind::Jwt, Some("https://a"), "7", &[]),
        identity(IdentityKind::Jwt, Some("https://b"), "7", &[]),
        identity(IdentityKind::Jwt, None, "7", &[]),
        identity(IdentityKind::ApiKey, None, "7", &[]),
    ];
    let of = |who| key(r#"["identity"]"#, &Subject { identity: Some(who), ..Subject::default() }).unwrap();
    let keys: std::collections::BTreeSet<_> = people.iter().map(of).collect();
    assert_eq!(keys.len(), people.len());
}

/// Wherever the one ends and the other begins, in few words or in many.
#[test]
fn no_two_identities_have_the_same_key() {
    let config = serde_json::from_str(r#"{"name":"x","key":["identity"],"rate":"1/1s"}"#).unwrap();
    let (rule, hashers) = (&compile::rules(&[config]).unwrap()[0], Hashers::new(3));
    let key = |who: &Identity| {
        rule.key.key(rule.phase, &hashers, &Subject { identity: Some(who), ..Subject::default() }).unwrap()
    };
    let (mut keys, mut all) = (std::collections::BTreeSet::new(), 0);
    for letter in ["a", "\0"] {
        let texts: Vec<Arc<str>> = (0..=130).map(|length| letter.repeat(length).into()).collect();
        // None of no letters is there twice.
        let principals = if letter == "a" { &*texts } else { &texts[1..] };
        for kind in [IdentityKind::Jwt, IdentityKind::ApiKey, IdentityKind::Asserted] {
            for issuer in texts.iter().cloned().map(Some).chain([None]) {
                for principal in principals {
                    let who = Identity { issuer: issuer.clone(), ..Identity::new(kind, &**principal) };
                    keys.insert(key(&who));
                    all += 1;
                }
            }
        }
    }
    assert_eq!(keys.len(), all);
    assert!(all > 100_000);
}

/// Snapshots and other nodes have them: another key is another version of the snapshot.
#[test]
fn keys_stay() {
    let of = |parts, subject: &Subject<'_>| format!("{:032x}", key(parts, subject).unwrap().to_u128());
    let who = |issuer, principal| {
        let who = identity(IdentityKind::JwtSvid, issuer, principal, &[]);
        of(r#"["identity"]"#, &Subject { identity: Some(&who), ..Subject::default() })
    };
    let keys = [
        of(r#"["peer"]"#, &peer("203.0.113.7")),
        of(r#"["peer"]"#, &peer("2001:db8:1:2::3")),
        who(Some("https://idp.example.com"), "user-17"),
        who(None, &"long".repeat(40)),
    ];
    let known = [
        "91c5fc1011ab78e030f6dc8325ba76a1",
        "f98342beb6b7c538b18e7e0389c2611f",
        "ec6e79085bc53c2b0b2941b016441313",
        "e6d860286a5e733dc17db03aed82c5f5",
    ];
    assert_eq!(keys, known);
}

#[test]
fn roles_are_a_set_and_claims_are_text() {
    let of = |roles: &[&str]| {
        let who = identity(IdentityKind::Jwt, None, "7", roles);
        key(r#"["role"]"#, &Subject { identity: Some(&who), ..Subject::default() })
    };
    assert_eq!(of(&["b", "a"]), of(&["a", "b", "a"]));
    assert_ne!(of(&["ab"]), of(&["a", "b"]));

    let who = identity(IdentityKind::Jwt, None, "7", &[]);
    let claim = |value: Option<&'static str>| {
        let lookup = move |name: &str| value.filter(|_| name == "org").map(str::to_owned);
        key(r#"["claim:org"]"#, &Subject { identity: Some(&who), claim: Some(&lookup), ..Subject::default() })
    };
    assert_eq!(claim(Some("x")), claim(Some("x")));
    assert_ne!(claim(Some("x")), claim(Some("y")));
    assert_ne!(claim(Some("")), claim(None));

    let tenant = |name: Option<&str>| {
        let find = || name.map(str::to_owned);
        key(r#"["tenant"]"#, &Subject { identity: Some(&who), tenant: Some(&find), ..Subject::default() })
    };
    assert_ne!(tenant(Some("a")), tenant(Some("b")));
    assert_ne!(tenant(Some("")), tenant(None));
}

#[test]
fn headers_count_with_all_their_lines() {
    let of = |lines: &[(&'static str, &'static str)]| {
        let headers: Vec<Header<'_>> = lines.iter().map(|(n, v)| (Text::from(*n), Text::from(*v))).collect();
        key(r#"["header:X-App"]"#, &Subject { headers: &headers, ..Subject::default() })
    };
    assert_eq!(of(&[("x-app", "1"), ("other", "2")]), of(&[("X-APP", "1")]));
    assert_ne!(of(&[("x-app", "1")]), of(&[("x-app", "1"), ("x-app", "2")]));
    assert_ne!(of(&[("x-app", "")]), of(&[]));
}

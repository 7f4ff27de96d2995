//! Whom a limit spares, and for whom it keeps a reserve.

use super::*;
use crate::model::{Identity, IdentityKind};

fn somebody(principal: &str, roles: &[&str], scopes: &[&str]) -> Identity {
    Identity {
        roles: roles.iter().map(|role| Box::from(*role)).collect(),
        scopes: scopes.iter().map(|scope| Box::from(*scope)).collect(),
        ..Identity::new(IdentityKind::Jwt, principal)
    }
}

#[test]
fn whoever_is_excepted_is_not_counted() {
    let limiter = limiter(
        r#"[{"name":"a","key":["identity"],"rate":"1/1h","except":
            {"peers":["10.0.0.0/8"],"identities":["partner-7"],"roles":["ops"],"scopes":["bulk"]}}]"#,
    );
    let state = State::new(&limiter, 1);
    let passes = |identity: &Identity, ip: &str| {
        let subject = Subject { identity: Some(identity), peer: ip.parse().ok(), ..Subject::default() };
        (0..3).all(|_| !limiter.check(&state, Phase::Identity, &subject, 0).refuses())
    };
    assert!(!passes(&somebody("anna", &[], &[]), "192.0.2.1"));
    assert!(passes(&somebody("anna", &[], &[]), "10.1.2.3"));
    assert!(passes(&somebody("anna", &[], &[]), "::ffff:10.1.2.3"));
    assert!(passes(&somebody("partner-7", &[], &[]), "192.0.2.1"));
    assert!(passes(&somebody("bert", &["ops"], &[]), "192.0.2.1"));
    assert!(passes(&somebody("bert", &[], &["bulk"]), "192.0.2.1"));
    assert!(!passes(&somebody("cleo", &["bulk"], &["ops"]), "192.0.2.1"), "a role is no scope");
    assert_eq!(state.len(), 2);
}

#[test]
fn the_reserve_is_for_those_it_is_kept_for() {
    let limits = r#"[{"name":"a","key":["tenant"],"rate":"10/1h","quota":"20/1d","concurrent":10,"reserve":30,
        "reserved_for":{"roles":["ops"],"scopes":["urgent"],"endpoints":["pay"]}}]"#;
    let limiter = limiter(limits);
    let passed = |subject: &Subject<'_>, state: &State| {
        (0..30).filter(|_| !limiter.check(state, Phase::Identity, subject, 0).refuses()).count()
    };
    let (anna, ops, urgent) =
        (somebody("anna", &[], &[]), somebody("o", &["ops"], &[]), somebody("u", &[], &["urgent"]));
    let by = |identity| Subject { identity: Some(identity), endpoint: Some("browse"), ..Subject::default() };
    let state = State::new(&limiter, 1);
    assert_eq!(passed(&by(&anna), &state), 7, "three of ten are kept");
    assert_eq!(passed(&by(&anna), &state), 0);
    assert_eq!(passed(&by(&ops), &state), 3);
    assert_eq!(passed(&by(&urgent), &state), 0, "and then they are used up");
    let state = State::new(&limiter, 1);
    assert_eq!(passed(&Subject { endpoint: Some("pay"), ..by(&anna) }, &state), 10);
    let told = limiter.check(&State::new(&limiter, 1), Phase::Identity, &by(&anna), 0).details();
    let remaining: Vec<u32> = told.standings.iter().map(|standing| standing.remaining).collect();
    assert_eq!(remaining, [6, 13, 6], "what is told is what they may use");
}

//! What is revoked is refused, and nothing else.

use proptest::prelude::*;

use super::*;
use crate::base::bounded::KeyHasher;
use crate::model::{Identity, IdentityKind};

fn token(issued_at: Option<Millis>) -> Identity {
    let mut identity = Identity::new(IdentityKind::Jwt, "anna");
    identity.issuer = Some("i".into());
    identity.credential_id = Some("j".into());
    identity.session = Some("s".into());
    identity.assurance.issued_at_ms = issued_at;
    identity
}

pub(super) fn revocation(revoke: Revoked, issuer: Option<&str>, id: &str) -> Revocation {
    Revocation {
        revoke,
        issuer: issuer.map(str::to_owned),
        id: id.to_owned(),
        issued_before_ms: None,
        expires_ms: 1_000,
    }
}

fn revoked(revocation: &Revocation, identity: &Identity, now: Millis) -> bool {
    let (hasher, revocations) = (KeyHasher::new(7), Revocations::with_memory(1 << 12));
    revocations.revoke(&hasher, revocation, 0);
    revocations.check(&Ids::of(&hasher, identity, Some("k")), now).is_err()
}

#[test]
fn each_kind_stops_what_it_is_about_until_it_expires() {
    for (kind, id) in [(Revoked::Token, "j"), (Revoked::Session, "s"), (Revoked::Subject, "anna"), (Revoked::Key, "k")]
    {
        assert!(revoked(&revocation(kind, Some("i"), id), &token(None), 999), "{id}");
        assert!(!revoked(&revocation(kind, Some("i"), id), &token(None), 1_000), "{id}");
        assert!(!revoked(&revocation(kind, Some("other"), id), &token(None), 0), "{id}");
        assert!(!revoked(&revocation(kind, Some("i"), "other"), &token(None), 0), "{id}");
        assert!(!revoked(&revocation(kind, None, id), &token(None), 0), "{id}");
    }
}

#[test]
fn a_subject_may_sign_in_again() {
    let revocation = Revocation { issued_before_ms: Some(500), ..revocation(Revoked::Subject, Some("i"), "anna") };
    assert!(revoked(&revocation, &token(Some(499)), 600));
    assert!(!revoked(&revocation, &token(Some(500)), 600));
    assert!(revoked(&revocation, &token(None), 600), "nobody knows when it was issued");
}

#[test]
fn an_api_key_is_revoked_by_its_id() {
    let mut identity = Identity::new(IdentityKind::ApiKey, "partner-7");
    identity.credential_id = Some("partner-7".into());
    assert!(revoked(&revocation(Revoked::Key, None, "partner-7"), &identity, 0));
    assert!(!revoked(&revocation(Revoked::Token, None, "partner-7"), &identity, 0));
}

proptest! {
    #[test]
    fn more_revocations_never_let_more_in(about in prop::collection::vec((0..4_u8, 0..20_u8, 0..2_000_i64), 0..60)) {
        let (hasher, revocations) = (KeyHasher::new(7), Revocations::with_memory(1 << 10));
        let kinds = [Revoked::Token, Revoked::Session, Revoked::Subject, Revoked::Key];
        let mut before = false;
        let ids = Ids::of(&hasher, &token(Some(5)), Some("k"));
        for (kind, id, expires) in about {
            let id = ["j", "s", "anna", "k"].get(usize::from(id)).map_or_else(|| id.to_string(), |id| (*id).to_owned());
            let revocation = Revocation { expires_ms: expires, ..revocation(kinds[usize::from(kind)], Some("i"), &id) };
            revocations.revoke(&hasher, &revocation, 0);
            let after = revocations.check(&ids, 1).is_err();
            prop_assert!(after || !before);
            before = after;
        }
    }
}

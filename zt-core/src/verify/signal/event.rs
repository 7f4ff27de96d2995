//! The event types, and what each calls for.

use serde_json::{Map, Value};

/// OpenID Continuous Access Evaluation Profile 1.0.
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
/// OpenID RISC Profile 1.0.
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
/// OpenID Shared Signals Framework 1.0.
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";

/// What an event calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// What the subject names is over: a token, a session, or all that a user was issued before.
    End,
    /// What was issued before says what is no longer true.
    Renew,
    /// The user has to authenticate again.
    Reauthenticate,
    /// Both: what was issued before is over, and what comes has to rest on a fresh authentication.
    EndAndReauthenticate,
    /// Nothing of the account is good until it is enabled again.
    Disable,
    /// It is enabled again.
    Enable,
    /// Nothing.
    None,
    /// Nothing: it is about the stream.
    Stream,
    /// Nobody knows.
    Unknown,
}

/// What an event of this type calls for. A value that the type does not have counts as the worst it has.
pub(super) fn effect(name: &str, event: &Map<String, Value>) -> Effect {
    let is = |member: &str, value: &str| event.get(member).and_then(Value::as_str) == Some(value);
    let unless = |mild: bool| if mild { Effect::None } else { Effect::Reauthenticate };
    if let Some(kind) = name.strip_prefix(CAEP) {
        return match kind {
            "session-revoked" => Effect::End,
            "token-claims-change" => Effect::Renew,
            "credential-change" => unless(is("change_type", "create")),
            "assurance-level-change" => unless(is("change_direction", "increase")),
            "device-compliance-change" => unless(is("current_status", "compliant")),
            "risk-level-change" => unless(is("current_level", "LOW") || is("current_level", "MEDIUM")),
            "session-established" | "session-presented" => Effect::None,
            _ => Effect::Unknown,
        };
    }
    if let Some(kind) = name.strip_prefix(RISC) {
        return match kind {
            "account-credential-change-required" => Effect::Reauthenticate,
            "account-purged" | "account-disabled" => Effect::Disable,
            "account-enabled" => Effect::Enable,
            "identifier-changed" | "identifier-recycled" | "sessions-revoked" => Effect::End,
            "credential-compromise" => Effect::EndAndReauthenticate,
            "opt-in" | "opt-out-initiated" | "opt-out-cancelled" | "opt-out-effective" => Effect::None,
            "recovery-activated" | "recovery-information-changed" => Effect::None,
            _ => Effect::Unknown,
        };
    }
    match name.strip_prefix(SSF) {
        Some("verification" | "stream-updated") => Effect::Stream,
        _ => Effect::Unknown,
    }
}

/// Whether this is the URI of an event type that is known.
pub(super) fn is_known(name: &str) -> bool {
    effect(name, &Map::new()) != Effect::Unknown
}

/// The URI of the event type that ends as this does.
pub(super) fn meant(name: &str) -> Option<String> {
    let kind = name.rsplit('/').next()?;
    [CAEP, RISC, SSF].iter().map(|uri| format!("{uri}{kind}")).find(|uri| is_known(uri))
}

/// Whether an `opaque` subject of this type is a session.
pub(super) fn is_of_session(name: &str) -> bool {
    let kind = name.strip_prefix(CAEP);
    matches!(kind, Some("session-revoked" | "session-established" | "session-presented"))
}

/// Whether an event of this type is about an account as a whole, whichever of its sessions it also names.
pub(super) fn is_of_account(name: &str) -> bool {
    name.starts_with(RISC) || name.strip_prefix(CAEP) == Some("credential-change")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_that_is_not_known_is_the_worst() {
        let of = |base: &str, kind: &str, event: Value| effect(&format!("{base}{kind}"), event.as_object().unwrap());
        for (kind, member, mild) in [
            ("credential-change", "change_type", "create"),
            ("assurance-level-change", "change_direction", "increase"),
            ("device-compliance-change", "current_status", "compliant"),
            ("risk-level-change", "current_level", "MEDIUM"),
        ] {
            assert_eq!(of(CAEP, kind, json!({member: mild})), Effect::None, "{kind}");
            for worse in [json!({}), json!({member: "else"}), json!({member: [mild]}), json!({member: null})] {
                assert_eq!(of(CAEP, kind, worse.clone()), Effect::Reauthenticate, "{kind} {worse}");
            }
        }
    }

    #[test]
    fn a_short_name_means_its_uri() {
        assert_eq!(meant("session-revoked"), Some(format!("{CAEP}session-revoked")));
        assert_eq!(meant("https://elsewhere.test/account-disabled"), Some(format!("{RISC}account-disabled")));
        assert_eq!((meant("session-revokd"), meant("")), (None, None));
        assert!(is_known(&format!("{SSF}verification")) && !is_known("session-revoked"));
    }

    #[test]
    fn types_are_of_their_profile() {
        for name in ["", "session-revoked", &format!("{RISC}session-revoked"), &format!("{CAEP}session-revoked/")] {
            assert_eq!(effect(name, &Map::new()), Effect::Unknown, "{name}");
        }
        assert_eq!(effect(&format!("{SSF}verification"), &Map::new()), Effect::Stream);
    }
}

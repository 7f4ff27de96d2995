//! What is odd about limits: rates that never matter, and people who are nobody.

use std::collections::BTreeSet;

use crate::base::near::nearest;
use crate::base::units::Rate;
use crate::engine::Config;
use crate::limit;
use crate::policy::{Mentions, Policy};

/// Rates beside which another of the same limit always refuses first.
pub(super) fn idle_rates(config: &Config) -> impl Iterator<Item = String> {
    config.limit.iter().flat_map(|limit| {
        let (name, rates) = (&limit.name, &limit.rate.0);
        rates.iter().filter_map(move |rate| {
            let tighter = rates.iter().find(|other| *other != rate && covers(**other, *rate))?;
            let why = format!("`{tighter}` lets no more pass, neither at once nor over time");
            Some(format!("limit `{name}`: the rate `{rate}` never matters, for {why}"))
        })
    })
}

/// Whether nothing passes the first that the second refuses: neither at once, nor in the long run.
fn covers(tighter: Rate, rate: Rate) -> bool {
    let times = |count: u32, per: Rate| u128::from(count).saturating_mul(per.per.millis().unsigned_abs().into());
    tighter.count <= rate.count && times(tighter.count, rate) <= times(rate.count, tighter)
}

/// Names of callers that stand in a limit and that nobody has, as far as that can be known: where an issuer may say any,
/// only one that is nearly a known one is told.
pub(super) fn unknown_people(config: &Config, policy: Option<&Policy>) -> Vec<String> {
    let verify = &config.verify;
    let mentions = policy.map(Policy::mentions).unwrap_or_default();
    let tokens = !verify.issuer.is_empty() || !verify.spiffe.is_empty() || !verify.workload.is_empty();
    let signed = !verify.signature.is_empty() || !verify.webhook.is_empty() || !verify.sigv4.is_empty();
    let roles = Known {
        what: "role",
        closed: verify.issuer.iter().all(|issuer| issuer.allow_roles.is_some()),
        names: roles(config).chain(mentions.roles()).collect(),
    };
    let scopes = Known {
        what: "scope",
        closed: verify.issuer.iter().all(|issuer| issuer.allow_scopes.is_some()),
        names: scopes(config).chain(mentions.scopes()).collect(),
    };
    let identities = Known {
        what: "principal",
        closed: !tokens && !signed,
        names: verify.api_key.iter().map(|key| key.id.as_str()).collect(),
    };
    let mut notices = Vec::new();
    for limit in &config.limit {
        let mut tell = |key: &str, names: &[String], known: &Known<'_>| {
            notices.extend(names.iter().filter_map(|name| known.unknown(limit, key, name, &mentions)));
        };
        if let Some(except) = &limit.except {
            tell("except", &except.identities, &identities);
            tell("except", &except.roles, &roles);
            tell("except", &except.scopes, &scopes);
        }
        if let Some(reserved) = &limit.reserved_for {
            tell("reserved_for", &reserved.roles, &roles);
            tell("reserved_for", &reserved.scopes, &scopes);
        }
    }
    notices
}

/// What a configuration names of one kind.
struct Known<'c> {
    what: &'static str,
    /// Whether callers have no others.
    closed: bool,
    names: BTreeSet<&'c str>,
}

impl Known<'_> {
    fn unknown(&self, limit: &limit::Config, key: &str, name: &str, mentions: &Mentions<'_>) -> Option<String> {
        if self.names.contains(name) || mentions.is_text(name) {
            return None;
        }
        let meant = match nearest(name, self.names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.closed => "no caller has it".to_owned(),
            None => return None,
        };
        let (what, limit) = (self.what, &limit.name);
        Some(format!("limit `{limit}`: nothing but its `{key}` names the {what} `{name}`; {meant}"))
    }
}

fn roles(config: &Config) -> impl Iterator<Item = &str> {
    let verify = &config.verify;
    let issuers = verify.issuer.iter().flat_map(|issuer| issuer.allow_roles.iter().flatten());
    let spiffe = verify.spiffe.iter().flat_map(|domain| &domain.workload).flat_map(|workload| &workload.roles);
    issuers
        .chain(spiffe)
        .chain(verify.api_key.iter().flat_map(|key| &key.roles))
        .chain(verify.workload.iter().flat_map(|workload| &workload.roles))
        .chain(verify.signature.iter().flat_map(|key| &key.roles))
        .chain(verify.webhook.iter().flat_map(|sender| &sender.roles))
        .chain(verify.sigv4.iter().flat_map(|key| &key.roles))
        .map(String::as_str)
}

fn scopes(config: &Config) -> impl Iterator<Item = &str> {
    let verify = &config.verify;
    let issuers = verify.issuer.iter().flat_map(|issuer| issuer.allow_scopes.iter().flatten());
    let keys = verify.api_key.iter().flat_map(|key| &key.scopes);
    issuers.chain(keys).chain(verify.signature.iter().flat_map(|key| &key.scopes)).map(String::as_str)
}

#[cfg(feature = "compile")]
#[cfg(test)]
mod tests {
    use crate::Engine;

    fn notices(text: &str) -> Vec<String> {
        let engine = Engine::from_toml(&format!("version = 1\n{text}"), &[]).unwrap();
        engine.notices().into_iter().filter(|notice| notice.starts_with("limit `")).collect()
    }

    #[test]
    fn a_rate_that_never_matters_is_said() {
        let idle = |rates: &str| {
            let found = notices(&format!("[[limit]]\nname = \"x\"\nkey = [\"peer\"]\nrate = [{rates}]\n"));
            found.iter().map(|notice| notice.split('`').nth(3).unwrap().to_owned()).collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(idle(r#""20/1s", "5/1h""#), ["20/1s"]);
        assert_eq!(idle(r#""20/1s", "20/1m""#), ["20/1s"]);
        assert_eq!(idle(r#""5/1h", "20/1s", "6/1d""#), ["20/1s"]);
        // Twenty a second are 72,000 an hour.
        assert_eq!(idle(r#""20/1s", "72000/1h""#), ["72000/1h"]);
        assert_eq!(idle(r#""20/1s", "71999/1h""#), none);
        assert_eq!(idle(r#""20/1s", "1000/1h""#), none);
    }

    /// Notices of a limit that spares or prefers these.
    fn people(credentials: &str, people: &str) -> Vec<String> {
        let limit = "[[limit]]\nname = \"x\"\nkey = [\"identity\"]\nrate = \"9/1s\"";
        notices(&format!("{credentials}\n{limit}\n{people}\n"))
    }

    const KEY: &str = r#"[[verify.api_key]]
id = "anna"
roles = ["operator"]
scopes = ["orders"]
sha256 = "118522697692b85037acc4b55cd938ceb041454e3dcae63196f8f59bf830d0d0"
"#;
    const POLICY: &str = r#"[policy]
text = 'permit(principal in Role::"auditor", action, resource) when { context.roles.contains("odd") };'
[[endpoint]]
method = "GET"
path = "/a"
"#;

    #[test]
    fn people_who_are_nobody_are_said() {
        let sound =
            r#"except = { roles = ["operator", "auditor", "odd"], identities = ["anna"], scopes = ["orders"] }"#;
        assert_eq!(people(&format!("{KEY}{POLICY}"), sound), Vec::<String>::new());
        assert_eq!(
            people(KEY, r#"except = { roles = ["opertor"], identities = ["ana"], scopes = ["weather"] }"#),
            [
                "limit `x`: nothing but its `except` names the principal `ana`; did you mean `anna`?",
                "limit `x`: nothing but its `except` names the role `opertor`; did you mean `operator`?",
                "limit `x`: nothing but its `except` names the scope `weather`; no caller has it",
            ]
        );
        assert_eq!(
            people(KEY, "reserve = 20\nreserved_for = { roles = [\"weather\"], scopes = [\"order\"] }"),
            [
                "limit `x`: nothing but its `reserved_for` names the role `weather`; no caller has it",
                "limit `x`: nothing but its `reserved_for` names the scope `order`; did you mean `orders`?",
            ]
        );
    }

    #[test]
    fn who_may_come_from_an_issuer_is_not_called_nobody() {
        let issuer = |more: &str| {
            format!(
                "[[verify.issuer]]\nissuer = \"https://i.example\"\naudiences = [\"a\"]\nalgorithms = [\"HS256\"]\n\
                 jwks = '{}'\n{more}\n{KEY}",
                r#"{"keys":[{"kty":"oct","k":"b25seS1mb3ItdGhpcy10ZXN0LTAxMjM0NTY3ODlhYmNkZWY"}]}"#
            )
        };
        let odd = r#"except = { roles = ["weather"], identities = ["user-17"] }"#;
        assert_eq!(people(&issuer(""), odd), Vec::<String>::new());
        assert_eq!(people(&issuer(r#"allow_roles = ["weather"]"#), odd), Vec::<String>::new());
        assert_eq!(people(&issuer(r#"allow_roles = ["other"]"#), odd).len(), 1);
        assert_eq!(people(&issuer(""), r#"except = { roles = ["operators"] }"#).len(), 1);
    }
}

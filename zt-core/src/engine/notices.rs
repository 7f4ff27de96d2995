//! What a valid configuration leaves open, said aloud.

mod limits;

use super::{Config, Engine, Mode};
use crate::base::network::Network;
use crate::policy::Policy;
use crate::route::Router;
use crate::verify::{IssuerConfig, SenderConstrained};

impl Engine {
    /// What the configuration leaves open, one sentence each; for `zt check` and a server's start-up log.
    pub fn notices(&self) -> Vec<String> {
        self.notices.iter().cloned().chain(self.verifier.notices()).collect()
    }
}

pub(super) fn notices(config: &Config, router: &Router, policy: Option<&Policy>) -> Vec<String> {
    let endpoints = router.endpoints();
    let anonymous = endpoints.iter().filter(|endpoint| endpoint.anonymous).count();
    let verify = &config.verify;
    let credentials = !verify.is_empty();
    let checks = [
        (config.mode == Mode::Monitor, "monitor mode: decisions are reported, every request passes".to_owned()),
        (endpoints.is_empty(), "no endpoint is known: every request is denied".to_owned()),
        (anonymous > 0, format!("{anonymous} of {} endpoints ask for no credential", endpoints.len())),
        (
            !credentials && anonymous < endpoints.len(),
            "no `[[verify.issuer]]`, no `[[verify.api_key]]` and nothing else in `[verify]`: nobody can authenticate"
                .to_owned(),
        ),
        (
            config.policy.is_none() && anonymous < endpoints.len(),
            "no `[policy]`: authenticated requests to known endpoints are allowed".to_owned(),
        ),
        (
            config.policy.is_some() && share_names(&verify.issuer),
            "several issuers: a subject is the same to policies whoever says it, unless they ask for `context.issuer` or \
             each issuer has a `principal_prefix` of its own"
                .to_owned(),
        ),
        (
            config.policy.is_some() && verify.issuer.len() > 1 && verify.issuer.iter().any(|i| i.allow_roles.is_none()),
            "several issuers, and `allow_roles` not with each: a role is the same to policies whoever says it".to_owned(),
        ),
        (
            verify.issuer.is_empty() && endpoints.iter().any(|e| e.reauthenticate_after.is_some() || !e.acr_values.is_empty()),
            "endpoints with `reauthenticate_after` or `acr_values`, and no `[[verify.issuer]]`: nobody can meet them"
                .to_owned(),
        ),
        (
            verify.dpop.is_none() && verify.issuer.iter().any(|i| i.sender_constrained == SenderConstrained::Required),
            "`sender_constrained = \"required\"`, and no `[verify.dpop]`: only tokens bound to a client certificate pass"
                .to_owned(),
        ),
        (
            config.peer.as_ref().is_some_and(|peer| peer.proxies.is_none()),
            "`[peer]` without `proxies`: whoever can connect here can claim any address in the header".to_owned(),
        ),
        (
            config.peer.iter().flat_map(|peer| peer.proxies.iter().flatten()).any(|network| is_everywhere(network)),
            "`proxies` of `[peer]` has a network of all addresses: whoever can connect here can claim any address in the \
             header"
                .to_owned(),
        ),
        (
            verify.transmitter.iter().any(|t| {
                let spoken = t.subjects_of.as_deref().unwrap_or(std::slice::from_ref(&t.issuer));
                verify.issuer.iter().any(|issuer| spoken.contains(&issuer.issuer) && issuer.max_token_age.is_none())
            }),
            "`[[verify.transmitter]]`, and `max_token_age` not with each of its issuers: a token that lives longer than \
             `expires` is good again afterwards"
                .to_owned(),
        ),
        (config.limit.is_empty(), "no `[[limit]]`: nothing is throttled".to_owned()),
        (
            config.limit.iter().any(|limit| limit.learned && limit.rate.is_empty()),
            "`learned = true` of a limit without a `rate`: of quotas nothing is learned".to_owned(),
        ),
    ];
    let said = checks.into_iter().filter(|(holds, _)| *holds).map(|(_, notice)| notice);
    said.chain(limits::idle_rates(config)).chain(limits::unknown_people(config, policy)).collect()
}

fn is_everywhere(network: &str) -> bool {
    Network::parse(network).is_some_and(Network::is_everywhere)
}

/// Whether a subject of one issuer can have the name of another's: it cannot when no prefix starts another.
fn share_names(issuers: &[IssuerConfig]) -> bool {
    issuers.iter().enumerate().any(|(at, one)| {
        let mut others = issuers.iter().enumerate().filter(|(other, _)| *other != at);
        others.any(|(_, other)| other.principal_prefix.starts_with(&one.principal_prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_is_said() {
        let notices = |limit: &str| {
            let text = format!(r#"{{"version":1,"limit":[{{"name":"x","key":["peer"],"quota":"9/1d"{limit}}}]}}"#);
            Engine::new(&serde_json::from_str(&text).unwrap()).unwrap().notices()
        };
        let told = |notices: Vec<String>| notices.iter().any(|notice| notice.contains("`learned = true`"));
        assert!(told(notices(r#","learned":true"#)) && !told(notices("")));
    }

    #[test]
    fn prefixes_part_names_when_none_starts_another() {
        let issuer = |prefix: &str| IssuerConfig {
            principal_prefix: prefix.to_owned(),
            ..IssuerConfig::new("i", Vec::new(), Vec::new())
        };
        assert!(!share_names(&[]) && !share_names(&[issuer("")]));
        assert!(!share_names(&[issuer("a:"), issuer("b:")]));
        for (one, other) in [("", ""), ("", "a:"), ("a:", "a:"), ("a", "ab:")] {
            assert!(share_names(&[issuer(one), issuer(other)]), "{one} {other}");
            assert!(share_names(&[issuer(other), issuer(one)]), "{one} {other}");
        }
    }
}

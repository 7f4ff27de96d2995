//! What a valid configuration leaves open, said aloud.

use super::{Config, Engine, Mode};
use crate::route::Router;

impl Engine {
    /// What the configuration leaves open, one sentence each; for `zt check` and a server's start-up log.
    pub fn notices(&self) -> Vec<String> {
        self.notices.clone()
    }
}

pub(super) fn notices(config: &Config, router: &Router) -> Vec<String> {
    let endpoints = router.endpoints();
    let anonymous = endpoints.iter().filter(|endpoint| endpoint.anonymous).count();
    let credentials = !config.verify.is_empty();
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
            config.verify.issuer.len() > 1 && config.policy.is_some(),
            "several issuers: a subject, role or scope is the same to policies whoever says it, unless they ask for \
             `context.issuer`"
                .to_owned(),
        ),
        (config.limit.is_empty(), "no `[[limit]]`: nothing is throttled".to_owned()),
        (config.anomaly.is_some(), "`[anomaly]` is read, but this version scores nothing".to_owned()),
    ];
    checks.into_iter().filter(|(holds, _)| *holds).map(|(_, notice)| notice).collect()
}

//! Operations on signed requests.

use serde::{Deserialize, Serialize};

use super::ops::input;
use super::text;
use crate::model::{Code, IdentityKind, Millis, Problem, Request};
use crate::verify::{Config, State, Verifier};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    request: Request<'static>,
    time_ms: Millis,
    config: Config,
}

#[derive(Serialize)]
struct Verdict {
    accepted: bool,
    code: Option<Code>,
    principal: Option<String>,
}

/// `{"request", "time_ms", "config": [verify] as JSON}` -> `{"accepted", "code", "principal"}`: whether the request is
/// signed with AWS Signature Version 4 by a configured access key.
pub(super) fn sigv4_verify(document: &str) -> Result<String, String> {
    let Signed { request, time_ms, config } = input(document)?;
    let lines = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
    let verifier = Verifier::compile(&config).map_err(lines)?;
    let verified = verifier.verify(&State::new(&verifier, 0), &request, time_ms);
    let identity = verified.identity.filter(|identity| identity.kind == IdentityKind::AwsSigv4);
    let finding = verified.findings.first().map(|finding| finding.code);
    text(&Verdict {
        accepted: identity.is_some() && finding.is_none(),
        code: finding.or_else(|| identity.is_none().then_some(Code::VerifyNoCredential)),
        principal: identity.map(|identity| identity.principal.to_string()),
    })
}

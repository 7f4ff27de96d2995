//! How fresh and how strong an end user's authentication must be, beyond what the issuer's tokens promise (RFC 9470).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verifier;
use crate::base::units::Duration;
use crate::model::{Code, Finding, Identity, Millis, Obligation, Problem};

/// `[[verify.reauthenticate]]`: what is asked at a risk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReauthenticateConfig {
    /// From this risk on, 0 to 1.
    pub risk: f64,
    /// The longest time since the end user's authentication (`auth_time`).
    pub after: Duration,
}

/// What one endpoint asks of an end user's authentication.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demand<'a> {
    /// The longest time since it.
    pub max_age: Option<Millis>,
    /// Its class is one of these, when there are any.
    pub acr_values: &'a [String],
    /// Calibrated risk of the request, 0..=1; what is not a number counts as 1.
    pub risk: f64,
}

/// Mistakes in the rules.
pub(super) fn check(rules: &[ReauthenticateConfig], problems: &mut Vec<Problem>) {
    for (at, rule) in rules.iter().enumerate() {
        if !(0.0..=1.0).contains(&rule.risk) {
            let problem = Problem::new(format!("verify.reauthenticate[{at}].risk"), "not from 0 to 1");
            problems.push(problem.mend("write a share such as 0.99"));
        }
        if rule.after.millis() == 0 {
            let problem = Problem::new(format!("verify.reauthenticate[{at}].after"), "zero");
            problems.push(problem.mend("write a longer time such as \"5m\""));
        }
    }
}

impl Verifier {
    /// What is asked of the end user, when the authentication behind an identity is too old or too weak: an identity
    /// that says neither when nor how is both.
    pub fn freshness(&self, identity: &Identity, demand: &Demand<'_>, now: Millis) -> Option<(Finding, Obligation)> {
        let risk = if demand.risk.is_nan() { 1.0 } else { demand.risk };
        let by_risk = self.reauthenticate.iter().filter(|rule| risk >= rule.risk).map(|rule| rule.after.millis());
        let longest = by_risk.chain(demand.max_age).min();
        let assurance = &identity.assurance;
        let fresh = |longest: Millis| {
            assurance.auth_time_ms.is_some_and(|at| at >= now.saturating_sub(longest).saturating_sub(self.skew))
        };
        let stale = longest.is_some_and(|longest| !fresh(longest));
        let strong = |acr: &str| demand.acr_values.iter().any(|accepted| accepted == acr);
        let weak = !demand.acr_values.is_empty() && !assurance.acr.as_deref().is_some_and(strong);
        let detail = match (stale, weak) {
            (false, false) => return None,
            (true, _) => "the end user authenticated too long ago for this request",
            (false, true) => "the authentication is not of a class that the endpoint asks for",
        };
        let seconds = longest.map(|longest| u64::try_from(longest.div_euclid(1_000)).unwrap_or_default());
        let obligation = Obligation::StepUp {
            acr_values: (!demand.acr_values.is_empty()).then(|| demand.acr_values.join(" ")),
            max_age_s: seconds,
        };
        Some((Finding::new(Code::VerifyReauthenticate, detail), obligation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IdentityKind, Outcome};
    use crate::verify::Config;

    const NOW: Millis = 1_800_000_000_000;

    fn verifier() -> Verifier {
        let config: Config = serde_json::from_str(
            r#"{"clock_skew":"0s","reauthenticate":[{"risk":0.9,"after":"15m"},{"risk":0.99,"after":"5m"}]}"#,
        )
        .unwrap();
        Verifier::compile(&config).unwrap()
    }

    fn user(minutes_ago: Option<Millis>, acr: Option<&str>) -> Identity {
        let mut user = Identity::new(IdentityKind::Jwt, "anna");
        user.assurance.auth_time_ms = minutes_ago.map(|minutes| NOW - minutes * 60_000);
        user.assurance.acr = acr.map(Into::into);
        user
    }

    fn asked(identity: &Identity, demand: &Demand<'_>) -> Option<Obligation> {
        verifier().freshness(identity, demand, NOW).map(|(finding, obligation)| {
            assert_eq!((finding.code, finding.outcome), (Code::VerifyReauthenticate, Outcome::StepUp));
            obligation
        })
    }

    fn step_up(acr_values: Option<&str>, max_age_s: Option<u64>) -> Option<Obligation> {
        Some(Obligation::StepUp { acr_values: acr_values.map(str::to_owned), max_age_s })
    }

    #[test]
    fn the_shortest_time_counts() {
        let at = |risk: f64| Demand { risk, max_age: Some(30 * 60_000), ..Demand::default() };
        assert_eq!(asked(&user(Some(30), None), &at(0.0)), None);
        assert_eq!(asked(&user(Some(31), None), &at(0.0)), step_up(None, Some(1_800)));
        assert_eq!(asked(&user(Some(15), None), &at(0.9)), None);
        assert_eq!(asked(&user(Some(16), None), &at(0.9)), step_up(None, Some(900)));
        assert_eq!(asked(&user(Some(6), None), &at(0.99)), step_up(None, Some(300)));
        assert_eq!(asked(&user(Some(6), None), &at(f64::NAN)), step_up(None, Some(300)));
        assert_eq!(asked(&user(None, None), &at(0.0)), step_up(None, Some(1_800)));
        assert_eq!(asked(&user(None, None), &Demand::default()), None);
    }

    #[test]
    fn one_of_the_classes_is_enough() {
        let classes = ["mfa".to_owned(), "hwk".to_owned()];
        let demand = Demand { acr_values: &classes, ..Demand::default() };
        assert_eq!(asked(&user(None, Some("hwk")), &demand), None);
        assert_eq!(asked(&user(None, Some("pwd")), &demand), step_up(Some("mfa hwk"), None));
        assert_eq!(asked(&user(None, None), &demand), step_up(Some("mfa hwk"), None));
    }

    #[test]
    fn rules_make_sense() {
        let mut problems = Vec::new();
        let rules = [(1.5, "5m"), (0.5, "0s"), (f64::NAN, "5m")]
            .map(|(risk, after)| ReauthenticateConfig { risk, after: serde_json::from_value(after.into()).unwrap() });
        check(&rules, &mut problems);
        let keys: Vec<String> = problems.into_iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["[0].risk", "[1].after", "[2].risk"].map(|key| format!("verify.reauthenticate{key}")));
    }
}

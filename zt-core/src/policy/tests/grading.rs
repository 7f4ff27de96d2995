//! Annotations and what they call for.

use super::*;
use crate::model::{Code, Obligation, Outcome};

fn effect(text: &str) -> Effect {
    let policy = compile(text).unwrap();
    policy.effect(&policy.evaluate(&request(None, 0)))
}

fn codes(effect: &Effect) -> Vec<(Code, Outcome)> {
    effect.findings.iter().map(|f| (f.code, f.outcome)).collect()
}

const PERMIT: &str = "permit(principal, action, resource);";

#[test]
fn the_most_severe_forbid_comes_first() {
    let graded = effect(&format!(
        r#"{PERMIT}
        @id("soft") @on_deny("flag") forbid(principal, action, resource);
        @id("mfa") @on_deny("step_up") @acr("urn:mfa") @max_age("5m") @reason("needs a second factor") forbid(principal, action, resource);"#
    ));
    assert_eq!(codes(&graded), [(Code::PolicyForbidden, Outcome::StepUp), (Code::PolicyForbidden, Outcome::Flag)]);
    assert_eq!(graded.findings[0].detail, "forbid policy `mfa` matched: needs a second factor");
    let expected = Obligation::StepUp { acr_values: Some("urn:mfa".to_owned()), max_age_s: Some(300) };
    assert_eq!(graded.obligation, Some(expected));
}

#[test]
fn a_mild_forbid_permits_nothing() {
    let graded = effect(r#"@on_deny("flag") forbid(principal, action, resource);"#);
    assert_eq!(codes(&graded), [(Code::PolicyNotPermitted, Outcome::Deny), (Code::PolicyForbidden, Outcome::Flag)]);
    let plain = effect("forbid(principal, action, resource);");
    assert_eq!(codes(&plain), [(Code::PolicyForbidden, Outcome::Deny)]);
    assert_eq!(plain.findings[0].detail, "forbid policy `policy0` matched");
}

#[test]
fn nothing_matched_and_all_is_well() {
    assert_eq!(
        codes(&effect("permit(principal is User, action, resource);")),
        [(Code::PolicyNotPermitted, Outcome::Deny)]
    );
    assert_eq!(effect(PERMIT), Effect::default());
}

#[test]
fn an_error_of_a_forbid_is_a_finding() {
    let failing = "forbid(principal, action, resource) when { context.risk + 9223372036854775807 > context.risk * 2 + 9223372036854775807 - 1 + 2 };";
    let graded = effect(&format!("{PERMIT}\n@on_deny(\"flag\") {failing}"));
    assert_eq!(codes(&graded), [(Code::PolicyError, Outcome::Deny)]);
    assert_eq!(graded.findings[0].detail, "forbid policy `policy1` could not be evaluated");
}

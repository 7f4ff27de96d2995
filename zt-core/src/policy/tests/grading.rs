//! Annotations and what they call for.

use super::*;
use crate::model::{Code, Obligation, Outcome, Source};

fn effect(text: &str) -> Effect {
    let policy = compile(text).unwrap();
    let answer = policy.evaluate(&request(None, 0));
    let effect = policy.effect(&answer);
    let severest = effect.findings.iter().map(|finding| finding.outcome).max().unwrap_or(Outcome::Allow);
    assert_eq!(policy.outcome(&answer), severest);
    effect
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

/// Fields that are hidden, by these policies.
fn hidden(text: &str) -> Vec<String> {
    effect(text).redact
}

#[test]
fn a_field_is_hidden_as_soon_as_one_policy_hides_it() {
    let hides = |fields: &str| format!("@redact(\"{fields}\") {PERMIT}");
    assert_eq!(hidden(PERMIT), [""; 0]);
    assert_eq!(hidden(&hides("b, a.x,b , a")), ["a", "a.x", "b"]);
    assert_eq!(hidden(&format!("{}{PERMIT}{}", hides("b"), hides("a,b"))), ["a", "b"]);
    // A policy that does not apply has no say.
    assert_eq!(
        hidden(&format!("{PERMIT} @redact(\"a\") permit(principal, action, resource) when {{ context.risk > 0 }};")),
        [""; 0]
    );
}

#[test]
fn a_forbid_that_flags_shows_nothing() {
    let flag = |annotation: &str| format!("@on_deny(\"flag\") {annotation} forbid(principal, action, resource);");
    assert_eq!(hidden(&format!("@redact(\"a\") {PERMIT} {}", flag(""))), ["a"]);
    assert_eq!(hidden(&format!("@redact(\"a\") {PERMIT} {}", flag("@redact(\"b\")"))), ["a", "b"]);
}

#[test]
fn a_permit_that_fails_still_hides_unless_in_cedars_way() {
    let failing = "permit(principal, action, resource) when { context.risk + 9223372036854775807 > context.risk * 2 + 9223372036854775807 - 1 + 2 };";
    let text = format!("{PERMIT} @redact(\"a\") {failing}");
    assert_eq!(hidden(&text), ["a"]);
    let sources = [Source { key: "policy.text".to_owned(), name: None, text: &text }];
    let config = Config { errors: ErrorMode::Cedar, ..Config::default() };
    let policy = Policy::compile(&config, &sources, &vocabulary()).unwrap();
    assert_eq!(policy.effect(&policy.evaluate(&request(None, 0))).redact, [""; 0]);
}

#[test]
fn permits_that_match_exempt_from_limits() {
    let exempt = |text: &str| effect(text).exempt;
    let permit = |limits: &str| format!("@exempt(\"{limits}\") {PERMIT}");
    assert_eq!(exempt(PERMIT), [""; 0]);
    assert_eq!(exempt(&format!("{}{}", permit("b, a"), permit("b,c"))), ["a", "b", "c"]);
    let elsewhere = "@exempt(\"a\") permit(principal, action, resource) when { context.risk > 0 };";
    assert_eq!(exempt(&format!("{PERMIT}{elsewhere}")), [""; 0]);
    assert_eq!(exempt(&format!("{} @on_deny(\"flag\") forbid(principal, action, resource);", permit("a"))), ["a"]);
    let policy = compile(&permit("b, a")).unwrap();
    assert!(policy.may_exempt("a") && !policy.may_exempt("c"));
    let stored = serde_json::to_string(&policy).unwrap();
    let read: Policy = serde_json::from_str(&stored).unwrap();
    let named: Vec<&str> = read.exemptions().map(|exemption| exemption.limit).collect();
    assert_eq!(named, ["b", "a"], "a bundle knows them too");
}

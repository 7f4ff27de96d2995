//! The index against a scan of every policy, and the few requests that policies are validated for against all of them.

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};

use super::differential::{Dice, declarations, declared, facts, policies, random_identity};
use super::*;
use crate::policy::scope::fits;

/// What every policy comes to, looked at one after the other.
fn scan(policy: &Policy, request: &Request<'_>) -> Answer {
    let Compiled { program, index, errors, .. } = &policy.0;
    let Some(row) = index.row(request.endpoint, request.segment, request.method) else { return Answer::nothing() };
    let named = |ty: &str, id: &str| program.uids.iter().position(|(t, i)| **t == *ty && **i == *id);
    let principal = request.principal();
    let of = |ty: &'static str, ids: &[Box<str>]| ids.iter().filter_map(|id| named(ty, id)).collect::<Vec<_>>();
    let all = [
        named(principal.ty, principal.id).into_iter().collect(),
        of("Role", request.roles()),
        of("Scope", request.scopes()),
    ];
    let symbols: Symbols = all.concat().into_iter().map(|symbol| u32::try_from(symbol).unwrap()).collect();
    let world = Facts { request, index, row, symbols: &symbols };
    let mut evaluation = Evaluation::new(program, &world);
    let mut tally = Tally::default();
    for (at, rule) in (0..).zip(&program.rules) {
        if fits(program, &world, rule) == [true; 3] {
            tally.add(at, rule.effect, evaluation.holds(rule.body));
        }
    }
    tally.answer(*errors)
}

#[test]
fn the_index_finds_what_a_scan_finds() {
    let mut dice = Dice(23);
    let (mut determined, mut failing) = (0, 0);
    for round in 0..150 {
        // Few policies and many, so that classes share the bits of a mask and buckets hold more than one.
        let text: String = (0..=round % 40).map(|_| policies(&mut dice)).collect();
        let config = Config { context: declarations(), ..Config::default() };
        let policy = compile::unvalidated(&config, &text, &vocabulary()).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        let back: Policy = serde_json::from_value(serde_json::to_value(&policy).unwrap()).unwrap();
        for endpoint in 0..=ENDPOINTS.len() {
            for segment in [None, Some("orders"), Some("payments"), Some("files")] {
                let identity = random_identity(&mut dice);
                let declared = declared(&mut dice);
                let method = dice.pick(&["GET", "POST", "DELETE", "PROPFIND"]);
                let asked = Request { segment, method, declared: &declared, ..request(identity.as_ref(), endpoint) };
                let asked = facts(&mut dice, asked);
                let answer = policy.evaluate(&asked);
                assert_eq!(answer, scan(&policy, &asked), "{asked:?}\n{text}");
                assert_eq!(answer, back.evaluate(&asked), "{asked:?}\n{text}");
                let findings = policy.effect(&answer).findings;
                let severest = findings.iter().map(|finding| finding.outcome).max().unwrap_or(Outcome::Allow);
                assert_eq!(policy.outcome(&answer), severest);
                (determined, failing) = (determined + answer.determining.len(), failing + answer.errors.len());
            }
        }
    }
    assert!(determined > 3_000 && failing > 3_000, "{determined} {failing}");
}

/// A policy that often passes validation, and often fails for some requests only.
fn nearly_valid(dice: &mut Dice) -> String {
    let principal = dice.pick(&["", "", " is ApiKey", " in Role::\"r0\"", " == Workload::\"w\"", " is Anonymous"]);
    let action = dice.pick(&["", "", " in Action::\"read\"", " in Action::\"PUT\"", " == Action::\"pay\""]);
    let test = dice.pick(&[
        "action in Action::\"GET\"",
        "action in Action::\"G\\u{45}T\"",
        "action in Action::\"write\"",
        "action in [Action::\"PUT\", Action::\"health\"]",
        "action == Action::\"pay\"",
        "action == Action::\"p\\u{61}y\"",
        "action == Action::\"nonsense\"",
        "principal is User",
        "principal is Anonymous",
        "principal in Role::\"r0\"",
        "principal == ApiKey::\"GET\"",
        "context.risk > 3",
    ]);
    let then = dice.pick(&["context.risk", "context.method", "context.path", "principal", "resource", "1"]);
    let other = dice.pick(&["1", "\"GET\"", "context.hour", "User::\"u\"", "Workload::\"w\"", "principal"]);
    let operator = dice.pick(&["&&", "||"]);
    format!("permit(principal{principal}, action{action}, resource) when {{ {test} {operator} {then} == {other} }};")
}

#[test]
fn few_requests_stand_for_all_of_them_in_validation() {
    let (schema, _) = Schema::from_cedarschema_str(&schema(&vocabulary(), &[])).unwrap();
    let validator = Validator::new(schema);
    let mut dice = Dice(29);
    let mut passed = 0;
    for _ in 0..400 {
        let text = nearly_valid(&mut dice);
        let set: PolicySet = text.parse().unwrap();
        let whole = validator.validate(&set, ValidationMode::Strict).validation_passed();
        let refused = compile(&text).err().unwrap_or_default();
        assert_eq!(whole, refused.is_empty(), "{text}\n{refused:?}");
        passed += usize::from(whole);
    }
    assert!((50..350).contains(&passed), "{passed}");
}

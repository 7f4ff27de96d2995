//! Why a request is decided as it is, and what would have to change.

use super::differential::{Dice, declarations, declared, facts, policies, random_identity};
use super::*;
use crate::policy::explain::{Kind, NearMiss, Part};

fn explained(text: &str, request: &Request<'_>) -> Explanation {
    compile(text).unwrap().explain(request)
}

/// Name of the policy, and part, text and reason of all that failed.
fn missed(miss: &NearMiss) -> (&str, Vec<(Part, &str, &str)>) {
    (&miss.policy.id, miss.failed.iter().map(|failed| (failed.part, &*failed.text, &*failed.why)).collect())
}

#[test]
fn the_nearest_permits_and_where_they_failed() {
    let text = r#"
@id("admins") permit(principal in Role::"admin", action, resource in Segment::"payments");
@id("fresh") permit(principal in Role::"buyer", action == Action::"pay", resource)
  when { context has acr && context.acr == "mfa" && context.risk < 500 };
@id("others") permit(principal == User::"otto", action in [Action::"read", Action::"health"], resource is Endpoint in Segment::"orders");
"#;
    let mut buyer = identity(IdentityKind::Jwt, "anna", &["buyer"], &["pay"]);
    buyer.assurance.acr = Some("pwd".into());
    let asked = Request { risk: 0.7, ..request(Some(&buyer), 3) };
    let found = explained(text, &asked);
    assert_eq!((found.decision, found.permitted, found.policies), (Verdict::Deny, false, 3));
    assert!(found.determining.is_empty() && found.errors.is_empty());
    let [admins, fresh, others] = found.nearest.as_slice() else { panic!("{found:#?}") };
    let is_in = r#"`principal` is `User::"anna"`, which is in `Role::"buyer"`, `Scope::"pay"`"#;
    assert_eq!(missed(admins), ("admins", vec![(Part::Principal, r#"principal in Role::"admin""#, is_in)]));
    assert_eq!(admins.policy.held, [r#"resource in Segment::"payments""#]);
    assert_eq!(
        missed(fresh),
        (
            "fresh",
            vec![
                (Part::Condition, r#"context.acr == "mfa""#, r#"`context.acr` is `"pwd"`"#),
                (Part::Condition, "context.risk < 500", "`context.risk` is `700`"),
            ]
        )
    );
    let held = [r#"principal in Role::"buyer""#, r#"action == Action::"pay""#, "context has acr"];
    assert_eq!(fresh.policy.held, held);
    assert_eq!((fresh.policy.file.as_deref(), fresh.policy.line, fresh.policy.column), (None, 3, 1));
    assert!(fresh.policy.text.starts_with("@id(\"fresh\") permit(") && fresh.policy.text.ends_with("< 500 };"));
    let (_, failed) = missed(others);
    assert_eq!(failed[0], (Part::Principal, r#"principal == User::"otto""#, r#"`principal` is `User::"anna"`"#));
    let pay = r#"`action` is `Action::"pay"`, which is in `Action::"write"`, `Action::"POST"`"#;
    assert_eq!(failed[1], (Part::Action, r#"action in [Action::"read", Action::"health"]"#, pay));
    let resource = r#"`resource` is `Endpoint::"pay"`, which is in `Segment::"payments"`"#;
    assert_eq!(failed[2], (Part::Resource, r#"resource is Endpoint in Segment::"orders""#, resource));
}

#[test]
fn among_equals_the_scope_counts_then_what_is_asked_for_then_the_order() {
    let text = r#"
@id("other-action") permit(principal, action == Action::"health", resource);
@id("other-principal") permit(principal is ApiKey, action, resource);
@id("second") permit(principal, action, resource) when { context.risk > 10 };
@id("third") permit(principal, action, resource) when { context.hour == 12 };
@id("far") permit(principal is ApiKey, action, resource) when { context.risk > 10 };
"#;
    let order = |text: &str| {
        let found = explained(text, &request(None, 0));
        found.nearest.into_iter().map(|miss| miss.policy.id).collect::<Vec<_>>()
    };
    assert_eq!(order(text), ["second", "third", "other-principal"]);
    assert_eq!(order(&text.replace("context.hour == 12", "context.hour > 12 && context.risk > 1")).len(), 3);
    assert_eq!(
        order(&text.replace("context.hour == 12", "context.hour > 12 && context.risk > 1")),
        ["second", "other-principal", "other-action"]
    );
}

#[test]
fn a_condition_after_one_that_failed_may_be_unknown() {
    let text = r#"permit(principal, action, resource) when { context has acr && context.acr == "mfa" } unless { context.risk > 500 };"#;
    let found = explained(text, &Request { risk: 0.9, ..request(None, 0) });
    let [miss] = found.nearest.as_slice() else { panic!("{found:#?}") };
    let (_, failed) = missed(miss);
    assert_eq!(
        failed,
        [
            (Part::Condition, "context has acr", "`context.acr` is absent"),
            (Part::Condition, "!(context.risk > 500)", "`context.risk` is `900`"),
        ]
    );
    assert_eq!(miss.unknown, [r#"context.acr == "mfa""#]);
    assert!(miss.policy.held.is_empty());
}

#[test]
fn a_forbid_overrides_and_tells_what_would_lift_it() {
    let text = r#"
@id("all") permit(principal, action, resource);
@id("night") @reason("nobody pays at night")
forbid(principal, action in Action::"write", resource) unless { context.hour >= 8 || context.roles.contains("night") };
"#;
    let found = explained(text, &request(None, 3));
    assert_eq!((found.decision, found.permitted), (Verdict::Deny, true));
    let [night] = found.determining.as_slice() else { panic!("{found:#?}") };
    assert_eq!(
        (&*night.id, night.effect, night.reason.as_deref()),
        ("night", Kind::Forbid, Some("nobody pays at night"))
    );
    let held = [r#"action in Action::"write""#, r#"!(context.hour >= 8 || context.roles.contains("night"))"#];
    assert_eq!(night.held, held);
    assert!(found.nearest.is_empty(), "something permits already");

    let allowed = explained(text, &request(None, 0));
    assert_eq!((allowed.decision, &*allowed.determining[0].id), (Verdict::Allow, "all"));
    assert_eq!(allowed.determining[0].effect, Kind::Permit);
}

#[test]
fn what_cannot_be_evaluated_says_where() {
    let text = r#"permit(principal, action, resource);
@id("overflows") forbid(principal, action, resource) when { context.risk >= 0 && (context.hour > 30 || context.now_s * 9223372036854775807 > 0) };"#;
    let found = explained(text, &Request { now: 5_000, ..request(None, 0) });
    assert_eq!((found.decision, found.determining.len()), (Verdict::Deny, 0));
    let [error] = found.errors.as_slice() else { panic!("{found:#?}") };
    assert_eq!((&*error.policy.id, error.policy.held.as_slice()), ("overflows", &["context.risk >= 0".to_owned()][..]));
    assert_eq!(error.condition, "context.hour > 30 || context.now_s * 9223372036854775807 > 0");
    assert_eq!(error.why, "`context.now_s * 9223372036854775807` cannot be evaluated: `context.now_s` is `5`");
}

#[test]
fn only_the_branch_that_was_taken_is_blamed() {
    let text = r#"permit(principal, action, resource) when { (if context.risk > 1 then context.asn > 1 else context.auth_age_s > 2) && true };"#;
    let compiled = compile::unvalidated(&Config::default(), text, &vocabulary()).unwrap();
    let found = compiled.explain(&request(None, 0));
    let why = "`context.auth_age_s` cannot be evaluated: `context.auth_age_s` is absent";
    assert_eq!(found.errors[0].why, why);
    // A permit that fails is near, too: it is all that stands in the way.
    assert_eq!(missed(&found.nearest[0]).1[0].2, why);
}

#[test]
fn an_endpoint_that_policies_do_not_know_is_near_to_nothing() {
    let found = explained("permit(principal, action, resource);", &request(None, 99));
    assert_eq!((found.decision, found.nearest.len(), found.policies), (Verdict::Deny, 0, 1));
}

#[test]
fn many_long_policies_are_explained_in_little_room() {
    let long = "x".repeat(50_000);
    let text = format!(
        r#"permit(principal, action, resource) when {{ context.risk > 10 }};
permit(principal, action, resource) when {{ context.method == "{long}" && context.method != "{long}x" }};
forbid(principal, action, resource) when {{ context.risk < 500 }};
forbid(principal, action, resource) when {{ context.now_s * 9223372036854775807 > 0 }};"#
    );
    let mut policy = compile(&text).unwrap();
    // Cedar needs a minute for so many without optimisation; an explanation looks at them one by one, whoever wrote them.
    let four = policy.0.program.rules.clone();
    policy.0.program.rules = four.iter().cycle().take(10_000).cloned().collect();
    let path = "/a".repeat(100_000);
    let asked = Request { method: &path, now: 5_000, ..request(None, 5) };
    let found = policy.explain(&asked);
    assert_eq!((found.determining.len(), found.errors.len(), found.nearest.len()), (16, 16, 3));
    assert_eq!((found.policies, found.left_out), (10_000, 5_000 - 32));
    let far = policy.0.program.rules.iter().position(|rule| rule.origin.line == 2).unwrap();
    policy.0.program.rules.swap(0, far);
    assert!(policy.explain(&asked).nearest[0].policy.text.len() < 10_000, "a long policy is cut");
    assert!(serde_json::to_string(&found).unwrap().len() < 40_000);
    for miss in &found.nearest {
        assert!(miss.failed.iter().all(|failed| failed.why.chars().count() <= 201), "{miss:?}");
    }
}

/// The verdict, the determining and the failing policies are those of evaluation, by the index; and a permit that is near
/// has failed somewhere.
#[test]
fn explanations_agree_with_decisions() {
    let mut dice = Dice(11);
    let (mut near, mut shown, mut failing) = (0, 0, 0);
    for round in 0..120 {
        let text = policies(&mut dice);
        let errors = if round % 2 == 0 { ErrorMode::Deny } else { ErrorMode::Cedar };
        let policy = compile::unvalidated(
            &Config { errors, context: declarations(), ..Config::default() },
            &text,
            &vocabulary(),
        );
        let policy = policy.unwrap();
        for endpoint in 0..ENDPOINTS.len() {
            let identity = random_identity(&mut dice);
            let declared = declared(&mut dice);
            let asked = Request { declared: &declared, ..facts(&mut dice, request(identity.as_ref(), endpoint)) };
            let (answer, found) = (policy.evaluate(&asked), policy.explain(&asked));
            let ids = |of: &[u32]| of.iter().map(|rule| policy.id(*rule).unwrap().to_owned()).collect::<Vec<_>>();
            let determining: Vec<String> = found.determining.iter().map(|shown| shown.id.clone()).collect();
            let errors: Vec<String> = found.errors.iter().map(|error| error.policy.id.clone()).collect();
            assert_eq!(
                (found.decision, found.permitted, determining, errors),
                (answer.verdict, answer.permitted, ids(&answer.determining), ids(&answer.errors)),
                "{asked:?}\n{text}"
            );
            assert!(found.nearest.iter().all(|miss| !miss.failed.is_empty()), "{found:#?}");
            assert!(found.permitted == found.nearest.is_empty() || !text.contains("permit"), "{found:#?}\n{text}");
            let counts: Vec<usize> = found.nearest.iter().map(|miss| miss.failed.len()).collect();
            assert!(counts.is_sorted(), "{counts:?}");
            (near, shown) = (near + found.nearest.len(), shown + found.determining.len());
            failing += found.errors.len();
        }
    }
    assert!(near > 150 && shown > 150 && failing > 20, "{near} {shown} {failing}");
}

mod raw {
    use crate::policy::raw::{Document, evaluate, explain};
    use serde_json::json;

    #[test]
    fn raw_requests_are_explained_by_their_entities() {
        let document: Document = serde_json::from_value(json!({
            "policies": "permit(principal, action, resource)\nwhen { principal.team == resource.owner.team && principal.hasTag(\"mfa\") };\n  permit(principal in Team::\"ops\", action, resource) when { principal has level };",
            "entities": [
                {"uid": {"type": "User", "id": "anna"}, "attrs": {"team": "red"}, "parents": [{"type": "Team", "id": "dev"}]},
                {"uid": {"type": "Team", "id": "dev"}, "attrs": {}, "parents": [{"type": "Team", "id": "all"}]},
                {"uid": {"type": "File", "id": "f"}, "attrs": {"owner": {"__entity": {"type": "User", "id": "otto"}}}, "parents": []},
                {"uid": {"type": "User", "id": "otto"}, "attrs": {"team": "blue"}, "parents": []}
            ],
            "requests": [{"principal": "User::\"anna\"", "action": "Action::\"read\"", "resource": "File::\"f\""}]
        }))
        .unwrap();
        let told = explain(&document).unwrap();
        let found = &told.explanations[0];
        let first = &found.nearest[0];
        assert_eq!((&*first.policy.id, first.policy.line, first.policy.column), ("policy0", 1, 1));
        let failed: Vec<_> = first.failed.iter().map(|failed| (&*failed.text, &*failed.why)).collect();
        assert_eq!(
            failed,
            [
                (
                    "principal.team == resource.owner.team",
                    "`principal.team` is `\"red\"`; `resource.owner.team` is `\"blue\"`"
                ),
                ("principal.hasTag(\"mfa\")", "`principal.hasTag(\"mfa\")` is `false`"),
            ]
        );
        let second = &found.nearest[1];
        assert_eq!((second.policy.line, second.policy.column), (3, 3));
        let why = r#"`principal` is `User::"anna"`, which is in `Team::"all"`, `Team::"dev"`"#;
        assert_eq!(second.failed[0].why, why);
        assert_eq!(second.failed[1].why, "`principal has level` is `false`");
        let answers = evaluate(&document).unwrap();
        assert_eq!(answers.responses[0].decision, found.decision);
    }
}

//! Findings of the analysis: each kind with what just is none, and on random sets that none is wrong.

use std::collections::BTreeSet;

use super::difference::{each_request, random_set, unvalidated};
use super::differential::Dice;
use super::*;
use crate::policy::analysis::{Finding, Kind, Surroundings};

fn findings(text: &str) -> Vec<Finding> {
    let surroundings = Surroundings { roles: &["buyer"], scopes: &["orders"], anonymous: &["health"] };
    analyse(&compile(text).unwrap(), &surroundings)
}

/// Policies, or else endpoints, of findings of a kind.
fn of(kind: Kind, text: &str) -> Vec<String> {
    let of_kind = findings(text).into_iter().filter(|finding| finding.kind == kind);
    of_kind.flat_map(|f| f.policy.map_or(f.endpoints, |policy| vec![policy])).collect()
}

fn permit_when(condition: &str) -> String {
    format!("permit(principal, action, resource) when {{ {condition} }};")
}

#[test]
fn a_permit_that_lifts_a_limit_is_not_useless() {
    let shadowed = |partners: &str, everybody: &str| {
        let text = format!(
            "@id(\"all\") {everybody} permit(principal, action, resource);\n\
             @id(\"partners\") {partners} permit(principal in Role::\"buyer\", action, resource);"
        );
        of(Kind::PolicyShadowed, &text)
    };
    assert_eq!(shadowed("", ""), ["partners"]);
    assert!(shadowed("@exempt(\"orders\")", "").is_empty());
    assert!(shadowed("@exempt(\"orders, search\")", "@exempt(\"orders\")").is_empty());
    assert_eq!(shadowed("@exempt(\"orders\")", "@exempt(\"search, orders\")"), ["partners"]);
}

#[test]
fn what_can_never_match() {
    for never in [
        "context.risk > 500 && context.risk < 100",
        "context.hour >= 24",
        "context.weekday == 0",
        "context.method == \"GET\" && context.method == \"POST\"",
        "context has acr && !(context has acr)",
        "context has acr && context.acr like \"a*\" && !(context.acr like \"a*\")",
        "false",
        "principal is User && principal in ApiKey::\"k\"",
        "context.credential == \"jtw\"",
        "context.risk > 400 && (context.risk < 100 || context.risk == 7)",
        "if context.risk > 5 then context.risk < 3 else context.risk > 8",
        "action == Action::\"pay\" && resource == Endpoint::\"health\"",
        "principal is Anonymous && principal in Role::\"buyer\"",
    ] {
        assert_eq!(of(Kind::PermitNeverMatches, &permit_when(never)), ["policy0"], "{never}");
        let forbid = permit_when(never).replace("permit", "forbid");
        assert_eq!(of(Kind::ForbidNeverMatches, &forbid), ["policy0"], "{never}");
    }
    for may in [
        "context.risk > 100 && context.risk < 500",
        "context.hour >= 23",
        "context.method == \"GET\" || context.method == \"POST\"",
        "context has acr && !(context has asn)",
        "context has acr && context.acr like \"a*\" && !(context.acr like \"ab*\")",
        "principal is User && principal in User::\"k\"",
        "context.credential == \"jwt\"",
        "action == Action::\"pay\" && resource == Endpoint::\"pay\"",
        "principal in Role::\"a\" && principal in Role::\"b\"",
        // It is never true, but it can fail.
        "context.risk * 9223372036854775807 > 5 && false",
    ] {
        assert!(of(Kind::PermitNeverMatches, &permit_when(may)).is_empty(), "{may}");
    }
    let scope = |action: &str, resource: &str| {
        format!("forbid(principal, action == Action::\"{action}\", resource in Segment::\"{resource}\");")
    };
    assert_eq!(of(Kind::ForbidNeverMatches, &scope("pay", "orders")), ["policy0"]);
    assert!(of(Kind::ForbidNeverMatches, &scope("pay", "payments")).is_empty());
    let told =
        findings(&format!("\n  {}", permit_when("context.risk > 500 && context.hour > 3 && context.risk < 100")));
    assert_eq!(
        (told[0].line, told[0].column, told[0].message.as_str()),
        (
            Some(2),
            Some(3),
            "the permit `policy0` can never match: `context.risk > 500` and `context.risk < 100` are never both true"
        )
    );
}

#[test]
fn what_another_policy_makes_useless() {
    let pair = |second: &str| {
        format!(
            "@id(\"wide\") permit(principal in Role::\"buyer\", action in Action::\"read\", resource in Segment::\"orders\") when {{ context.risk < 500 }};\n@id(\"second\") {second}"
        )
    };
    for shadowed in [
        "permit(principal in Role::\"buyer\", action in Action::\"read\", resource in Segment::\"orders\") when { context.risk < 500 };",
        "permit(principal in Role::\"buyer\", action == Action::\"listOrders\", resource in Segment::\"orders\") when { context.risk < 300 };",
        "permit(principal is User in Role::\"buyer\", action in Action::\"GET\", resource == Endpoint::\"listOrders\") when { context.risk == 7 && context.hour > 3 };",
    ] {
        let found = of(Kind::PolicyShadowed, &pair(shadowed));
        // Of the endpoint in several segments, only those in `orders` are in the scope of the first.
        let wider = shadowed.contains("== Endpoint");
        assert_eq!(found, if wider { Vec::<String>::new() } else { vec!["second".to_owned()] }, "{shadowed}");
    }
    for not in [
        "permit(principal in Role::\"seller\", action in Action::\"read\", resource in Segment::\"orders\") when { context.risk < 500 };",
        "permit(principal in Role::\"buyer\", action, resource in Segment::\"orders\") when { context.risk < 500 };",
        "permit(principal in Role::\"buyer\", action in Action::\"read\", resource in Segment::\"orders\") when { context.risk < 501 };",
        "forbid(principal in Role::\"buyer\", action in Action::\"read\", resource in Segment::\"orders\") when { context.risk < 500 };",
    ] {
        assert!(!of(Kind::PolicyShadowed, &pair(not)).contains(&"second".to_owned()), "{not}");
    }
    let graded = |first: &str, second: &str| {
        format!(
            "@id(\"a\") {first} forbid(principal, action, resource); @id(\"b\") {second} forbid(principal is User, action, resource);"
        )
    };
    assert_eq!(of(Kind::PolicyShadowed, &graded("", "@on_deny(\"flag\")")), ["b"]);
    assert!(of(Kind::PolicyShadowed, &graded("@on_deny(\"flag\")", "")).is_empty());
    assert!(of(Kind::PolicyShadowed, &graded("", "@on_deny(\"step_up\") @acr(\"x\")")).is_empty());
}

#[test]
fn what_hides_a_field_or_denies_by_failing_is_of_use() {
    let wide = "permit(principal in Role::\"buyer\", action, resource);";
    let hides =
        "@id(\"second\") @redact(\"ssn\") permit(principal in Role::\"buyer\", action in Action::\"read\", resource);";
    assert!(of(Kind::PolicyShadowed, &format!("{wide} {hides}")).is_empty());
    assert!(of(Kind::PolicyShadowed, &format!("@redact(\"name\") {wide} {hides}")).is_empty());
    assert_eq!(of(Kind::PolicyShadowed, &format!("@redact(\"name, ssn\") {wide} {hides}")), ["second"]);
    let flags = "@on_deny(\"flag\") forbid(principal, action, resource);";
    let fails =
        "@on_deny(\"flag\") forbid(principal, action, resource) when { context.risk * 9223372036854775807 > 5 };";
    assert!(of(Kind::PolicyShadowed, &format!("{flags} {fails}")).is_empty());
    assert_eq!(
        of(Kind::PolicyShadowed, &format!("{flags} {}", fails.replace("* 9223372036854775807 ", ""))),
        ["policy1"]
    );
    assert!(of(Kind::EndpointNobodyMayCall, &format!("{wide} {flags}")).is_empty());
}

#[test]
fn what_is_always_taken_back() {
    let with = |forbid: &str| {
        format!(
            "permit(principal in Role::\"buyer\", action, resource in Segment::\"orders\") when {{ context.risk < 9 }}; {forbid}"
        )
    };
    for taken in [
        "forbid(principal, action, resource);",
        "forbid(principal, action, resource) when { context.risk < 10 };",
        "forbid(principal, action, resource) when { context.risk < 5 }; forbid(principal, action, resource) when { context.risk >= 5 };",
    ] {
        assert_eq!(of(Kind::PermitAlwaysForbidden, &with(taken)), ["policy0"], "{taken}");
    }
    for not in [
        "forbid(principal, action, resource) when { context.risk < 8 };",
        "@on_deny(\"flag\") forbid(principal, action, resource);",
        "forbid(principal, action in Action::\"read\", resource);",
    ] {
        assert!(of(Kind::PermitAlwaysForbidden, &with(not)).is_empty(), "{not}");
    }
}

#[test]
fn what_is_not_used() {
    let messages =
        |kind, text: &str| findings(text).into_iter().filter(|f| f.kind == kind).map(|f| f.message).collect::<Vec<_>>();
    let none = "permit(principal in Role::\"seller\", action, resource);";
    assert_eq!(messages(Kind::RoleNotUsed, none), ["callers have the role `buyer`, and no policy names it"]);
    assert_eq!(messages(Kind::ScopeNotUsed, none).len(), 1);
    let both = "permit(principal in Scope::\"orders\", action, resource) when { context.roles.contains(\"buyer\") };";
    assert!(messages(Kind::RoleNotUsed, both).is_empty() && messages(Kind::ScopeNotUsed, both).is_empty());
    let orders = "permit(principal in Role::\"buyer\", action, resource in Segment::\"orders\");";
    assert_eq!(
        messages(Kind::SegmentNotUsed, orders),
        [
            "nobody may call anything in the segment `files`: `* /files/{name}`",
            "nobody may call anything in the segment `payments`: `listOrders`, `pay`"
        ]
    );
    assert!(messages(Kind::SegmentNotUsed, "permit(principal, action, resource);").is_empty());
}

#[test]
fn whom_endpoints_are_for() {
    let some = "permit(principal in Role::\"buyer\", action in Action::\"read\", resource);";
    // The segment of `pay` has another endpoint at times.
    assert_eq!(of(Kind::EndpointNobodyMayCall, some), ["DELETE /v1/orders/{id}", "createOrder", "pay"]);
    let night = format!(
        "{some} forbid(principal, action == Action::\"listOrders\", resource) unless {{ context.hour >= 24 }};"
    );
    assert_eq!(of(Kind::EndpointNobodyMayCall, &night), ["DELETE /v1/orders/{id}", "createOrder", "listOrders"]);
    assert!(findings(&night).iter().any(|f| f.kind == Kind::SegmentNotUsed && f.endpoints == ["listOrders", "pay"]));
    assert!(of(Kind::EndpointNobodyMayCall, "permit(principal is User, action, resource);").is_empty());

    let everybody =
        "permit(principal, action in Action::\"GET\", resource in Segment::\"orders\") when { context.risk <= 1000 };";
    let endpoints =
        |text: &str| findings(text).into_iter().find(|f| f.kind == Kind::EndpointEverybodyMayCall).map(|f| f.endpoints);
    assert_eq!(endpoints(everybody).unwrap(), ["* /files/{name}", "listOrders"]);
    for not in [
        "permit(principal is User, action, resource);",
        "permit(principal, action, resource) when { context.risk < 1000 };",
        "permit(principal, action == Action::\"health\", resource);",
    ] {
        assert_eq!(endpoints(not), None, "{not}");
    }
}

#[test]
fn what_is_too_broad() {
    for broad in [
        "permit(principal, action, resource);",
        "permit(principal, action in Action::\"write\", resource in Segment::\"orders\");",
    ] {
        assert_eq!(of(Kind::PermitOverBroad, broad), ["policy0"], "{broad}");
    }
    for not in [
        "forbid(principal, action, resource);",
        "permit(principal is User, action, resource);",
        "permit(principal, action, resource) when { context.risk < 10 };",
        "permit(principal, action in Action::\"read\", resource in Segment::\"orders\");",
    ] {
        assert!(of(Kind::PermitOverBroad, not).is_empty(), "{not}");
    }
}

#[test]
fn no_finding_is_wrong() {
    let mut dice = Dice(21);
    let mut seen = BTreeMap::<Kind, usize>::new();
    for round in 0..if cfg!(debug_assertions) { 80 } else { 3_000 } {
        let errors = if round % 2 == 0 { ErrorMode::Deny } else { ErrorMode::Cedar };
        let text = random_set(&mut dice);
        let policy = unvalidated(&text, errors);
        let found = analyse(&policy, &Surroundings::default());
        found.iter().for_each(|finding| *seen.entry(finding.kind).or_default() += 1);
        let named = |kinds: &[Kind]| -> BTreeSet<u32> {
            let of_kinds = found.iter().filter(|f| kinds.contains(&f.kind)).filter_map(|f| f.policy.as_deref());
            of_kinds.map(|id| (0..).find(|at| policy.id(*at) == Some(id)).unwrap()).collect()
        };
        let never = named(&[Kind::PermitNeverMatches, Kind::ForbidNeverMatches]);
        let useless = named(&[Kind::PolicyShadowed, Kind::PermitAlwaysForbidden]);
        let texts: Vec<&str> = policy.0.program.rules.iter().map(|rule| &*rule.origin.text).collect();
        let without = |gone: &BTreeSet<u32>| {
            let kept = texts.iter().enumerate().filter(|(at, _)| !gone.contains(&u32::try_from(*at).unwrap()));
            unvalidated(&kept.map(|(_, text)| *text).collect::<Vec<_>>().join("\n"), errors)
        };
        // One by one, and all at once.
        let mut smaller: Vec<Policy> = useless.iter().map(|at| without(&BTreeSet::from([*at]))).collect();
        smaller.push(without(&useless));
        let names =
            |kind| found.iter().filter(move |f| f.kind == kind).flat_map(|f| f.endpoints.iter().map(String::as_str));
        let nobody: BTreeSet<&str> = names(Kind::EndpointNobodyMayCall).collect();
        let closed: Vec<&str> = found
            .iter()
            .filter(|f| f.kind == Kind::SegmentNotUsed)
            .filter_map(|f| f.message.split('`').nth(1))
            .collect();
        let everybody = named(&[Kind::EndpointEverybodyMayCall]);
        each_request(&mut dice, 40, |asked| {
            let answer = policy.evaluate(asked);
            let touched = answer.determining.iter().chain(&answer.errors).find(|at| never.contains(at));
            assert_eq!(touched, None, "{asked:?}\n{text}\n{found:#?}");
            for smaller in &smaller {
                let less = smaller.evaluate(asked);
                let outcomes = (policy.outcome(&answer), smaller.outcome(&less));
                assert_eq!(outcomes.0, outcomes.1, "{asked:?}\n{text}\n{found:#?}");
                if outcomes.0.passes() {
                    let (effect, less) = (policy.effect(&answer), smaller.effect(&less));
                    assert_eq!(effect.redact, less.redact, "{asked:?}\n{text}\n{found:#?}");
                }
            }
            let endpoint = ENDPOINTS[asked.endpoint];
            let segment = asked.segment.or(endpoint.segment);
            if nobody.contains(endpoint.id) || segment.is_some_and(|segment| closed.contains(&segment)) {
                assert!(!policy.outcome(&answer).passes(), "{asked:?}\n{text}\n{found:#?}");
            }
            if answer.verdict == Verdict::Allow {
                // Whoever a permit is for without a condition determines what is allowed wherever it applies.
                for at in &everybody {
                    let finding = found
                        .iter()
                        .find(|f| f.kind == Kind::EndpointEverybodyMayCall && f.policy.as_deref() == policy.id(*at))
                        .unwrap();
                    let whole = finding.endpoints.iter().any(|id| id == endpoint.id)
                        && endpoint.method != "*"
                        && asked.endpoint != 0;
                    assert!(!whole || answer.determining.contains(at), "{asked:?}\n{text}\n{found:#?}");
                }
            }
        });
    }
    for kind in [
        Kind::PermitNeverMatches,
        Kind::ForbidNeverMatches,
        Kind::PolicyShadowed,
        Kind::PermitAlwaysForbidden,
        Kind::EndpointNobodyMayCall,
    ] {
        assert!(seen.get(&kind).is_some_and(|count| *count >= 5), "{seen:?}");
    }
}

/// Many policies, and a difference of two such sets; ten thousand without debug assertions. What would take for ever is cut
/// at stated bounds: without them this does not end.
#[test]
fn many_policies_end_within_their_bounds() {
    let count = if cfg!(debug_assertions) { 1_000 } else { 10_000 };
    let spread: String = (0..count)
        .map(|n| match n % 10 {
            9 => format!("forbid(principal in Role::\"r{}\", action, resource in Segment::\"orders\") when {{ context.risk > {} }};\n", n % 700, n % 900),
            _ => format!("permit(principal in Role::\"r{}\", action == Action::\"{}\", resource) when {{ context.risk < {} && context.hour > 3 }};\n", n % 700, ENDPOINTS[n % 4].id, n % 900),
        })
        .collect();
    let heaped: String = (0..count)
        .map(|n| {
            format!(
                "permit(principal, action, resource) when {{ context.risk == {} && context.hour > {} }};\n",
                n % 500,
                n % 20
            )
        })
        .collect();
    let wide_count = if cfg!(debug_assertions) { 25 } else { 10_000 };
    let mut dice = Dice(31);
    let mut wide = |word: &str, n: usize| -> String {
        let number = |dice: &mut Dice, most: u64| dice.roll(most).to_string();
        let part = |dice: &mut Dice| match word {
            "&&" => format!("(context.risk != {} || context.method == \"M{}\")", number(dice, 900), number(dice, 50)),
            _ => format!("(context.risk > {} && principal in Role::\"r{}\")", number(dice, 900), number(dice, 60)),
        };
        let parts: Vec<String> = (0..15).map(|_| part(&mut dice)).collect();
        let effect = if n.is_multiple_of(5) { "forbid" } else { "permit" };
        format!("{effect}(principal, action, resource) when {{ {} }};\n", parts.join(&format!(" {word} ")))
    };
    let conjuncts = (0..wide_count).map(|n| wide("&&", n)).collect();
    let disjuncts = (0..wide_count).map(|n| wide("||", n)).collect();
    let sets = [("spread", spread), ("all on one entry", heaped), ("conjuncts", conjuncts), ("disjuncts", disjuncts)];
    for (name, text) in &sets {
        let policy = unvalidated(text, ErrorMode::Deny);
        let changed = unvalidated(
            &text.replacen("hour > 3", "hour > 4", 100).replacen("risk > 8", "risk > 7", 100),
            ErrorMode::Deny,
        );
        let found = analyse(&policy, &Surroundings::default());
        let difference = difference(&policy, &changed);
        assert!(!found.is_empty() || name.ends_with("juncts"), "{name}");
        assert!(found.len() <= 1_000 && difference.changes.len() <= 10_000, "{name}");
    }
}

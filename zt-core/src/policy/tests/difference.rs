//! Differences of policy sets, by hand and on random sets and requests: no change is missed, and none is made up for
//! what only looks different.

use super::differential::{Dice, declarations, facts, policies, random_identity};
use super::*;
use crate::policy::difference::{Change, Turn};
use crate::policy::vocabulary::METHODS;

pub(super) fn unvalidated(text: &str, errors: ErrorMode) -> Policy {
    let config = Config { errors, context: declarations(), ..Config::default() };
    compile::unvalidated(&config, text, &vocabulary()).unwrap_or_else(|e| panic!("{e:?}\n{text}"))
}

fn atom(dice: &mut Dice) -> String {
    match dice.roll(10) {
        0..=2 => format!(
            "context.risk {} {}",
            dice.pick(&["<", "<=", ">", ">=", "==", "!="]),
            dice.pick(&["100", "500", "1001"])
        ),
        3 => format!("context.hour {} {}", dice.pick(&["<", ">="]), dice.pick(&["8", "20", "24"])),
        4 => format!("context.method {} {}", dice.pick(&["==", "!="]), dice.pick(&["\"GET\"", "\"POST\""])),
        5 => format!("principal in {}", dice.pick(&["Role::\"r0\"", "[Role::\"r1\", Scope::\"s0\"]", "User::\"u0\""])),
        6 => dice
            .pick(&[
                "context has asn",
                "context.asn > 200",
                "context has asn && context.asn < 251",
                "context has acr && context.acr == \"a.b\"",
                "context.risk + 1 > 400",
            ])
            .to_owned(),
        7 => dice
            .pick(&[
                "principal is User",
                "principal == User::\"u1\"",
                "context.roles.contains(\"r0\")",
                "context.ip.isLoopback()",
            ])
            .to_owned(),
        8 => dice
            .pick(&[
                "action in Action::\"read\"",
                "resource in Segment::\"orders\"",
                "[\"GET\", \"PUT\"].contains(context.method)",
            ])
            .to_owned(),
        _ => dice
            .pick(&[
                "context.credential == \"jwt\"",
                "context.credential != \"none\"",
                "context.country like \"D*\"",
                "true",
                "false",
            ])
            .to_owned(),
    }
}

fn condition(dice: &mut Dice, depth: u64) -> String {
    if depth == 0 {
        return atom(dice);
    }
    match dice.roll(6) {
        0 | 1 => format!("({} && {})", condition(dice, depth - 1), condition(dice, depth - 1)),
        2 => format!("({} || {})", condition(dice, depth - 1), condition(dice, depth - 1)),
        3 => format!("!({})", condition(dice, depth - 1)),
        4 => format!("(if {} then {} else {})", atom(dice), atom(dice), atom(dice)),
        _ => atom(dice),
    }
}

/// Policies about few things, so that they touch each other often.
fn plain(dice: &mut Dice) -> Vec<String> {
    let policy = |dice: &mut Dice| {
        let effect = dice.pick(&["permit", "permit", "permit", "forbid"]);
        let principal = dice.pick(&[
            "",
            "",
            "",
            " in Role::\"r0\"",
            " in Role::\"r1\"",
            " in Scope::\"s0\"",
            " is User",
            " == User::\"u0\"",
            " is ApiKey in Role::\"r0\"",
        ]);
        let action = dice.pick(&["", "", " in Action::\"read\"", " == Action::\"pay\""]);
        let resource = dice.pick(&["", "", " in Segment::\"orders\"", " == Endpoint::\"pay\""]);
        let when = match dice.roll(3) {
            0 => String::new(),
            depth => format!(" when {{ {} }}", condition(dice, depth)),
        };
        let annotated = match (effect, dice.roll(8)) {
            ("forbid", 0 | 1) => "@on_deny(\"flag\") ",
            ("forbid", 2) => "@on_deny(\"flag\") @redact(\"a\") ",
            ("forbid", 3) => "@on_deny(\"step_up\") @acr(\"x\") ",
            ("permit", 0) => "@redact(\"a\") ",
            ("permit", 1) => "@redact(\"a, b\") ",
            _ => "",
        };
        format!("{annotated}{effect}(principal{principal}, action{action}, resource{resource}){when};")
    };
    (0..2 + dice.roll(6)).map(|_| policy(dice)).collect()
}

/// The same conditions in the same order, in other brackets.
fn bracketed(dice: &mut Dice, parts: &[String], joints: &[&str]) -> String {
    let [one] = parts else {
        let at = usize::try_from(dice.roll(joints.len() as u64)).unwrap();
        let (left, right) = parts.split_at(at + 1);
        let left = bracketed(dice, left, &joints[..at]);
        return format!("({left} {} {})", joints[at], bracketed(dice, right, &joints[at + 1..]));
    };
    one.clone()
}

/// Two policies that only brackets tell apart.
fn two_by_brackets(dice: &mut Dice) -> [String; 2] {
    let parts: Vec<String> = (0..3 + dice.roll(2)).map(|_| atom(dice)).collect();
    let joints: Vec<&str> = parts.iter().skip(1).map(|_| dice.pick(&["&&", "||"])).collect();
    [(), ()].map(|()| format!("permit(principal, action, resource) when {{ {} }};", bracketed(dice, &parts, &joints)))
}

/// Whether a request goes on to the handler.
fn passes(policy: &Policy, request: &Request<'_>) -> bool {
    policy.outcome(&policy.evaluate(request)).passes()
}

pub(super) fn random_set(dice: &mut Dice) -> String {
    if dice.roll(3) == 0 { policies(dice) } else { plain(dice).join("\n") }
}

/// Requests of one random identity after another.
pub(super) fn each_request(dice: &mut Dice, count: u64, mut with: impl FnMut(&Request<'_>)) {
    for _ in 0..count {
        let identity = random_identity(dice);
        let endpoint = usize::try_from(dice.roll(ENDPOINTS.len() as u64)).unwrap();
        let mut asked = facts(dice, request(identity.as_ref(), endpoint));
        if ENDPOINTS[endpoint].method == "*" {
            asked.method = dice.pick(&["GET", "PUT", "POST", "PROPFIND"]);
        }
        asked.segment = match (endpoint, dice.roll(3)) {
            (0, 0) => Some("payments"),
            (5, 0) => Some("orders"),
            _ => None,
        };
        asked.now += i64::try_from(dice.roll(100)).unwrap() * 3_600_000;
        if dice.roll(2) == 0 {
            asked.risk = [0.0, 0.1, 0.101, 0.5, 0.501, 1.0][usize::try_from(dice.roll(6)).unwrap()];
        }
        with(&asked);
    }
}

fn is_of(class: &str, request: &Request<'_>) -> bool {
    let named = |ty: &str, names: &[Box<str>]| names.iter().any(|name| class == format!("{ty}::\"{name}\""));
    let principal = request.principal();
    class == "anyone"
        || class == principal.ty
        || class == format!("{}::\"{}\"", principal.ty, principal.id)
        || named("Role", request.roles())
        || named("Scope", request.scopes())
}

fn is_at(change: &Change, request: &Request<'_>) -> bool {
    let endpoint = ENDPOINTS[request.endpoint];
    let segment = request.segment.or(endpoint.segment);
    let known = METHODS.iter().any(|(method, _)| *method == request.method);
    change.segments.iter().any(|s| Some(s.as_str()) == segment)
        || change.endpoints.iter().any(|place| {
            place.id == endpoint.id
                && place.segment.as_deref().is_none_or(|s| Some(s) == segment)
                && place.method.as_deref().is_none_or(|m| m == if known { request.method } else { "" })
        })
}

/// Whether a condition, compiled again, holds.
fn holds(change: &Change, request: &Request<'_>) -> bool {
    let when = change.condition.strip_prefix("always").unwrap_or(&change.condition);
    // Cedar has no words for what cannot be evaluated.
    when.contains('`')
        || verdict(&unvalidated(&format!("permit(principal, action, resource) {when};"), ErrorMode::Deny), request)
            == Verdict::Allow
}

#[test]
fn no_change_is_missed() {
    let mut dice = Dice(11);
    let (mut differed, mut listed) = (0, 0);
    for round in 0..if cfg!(debug_assertions) { 100 } else { 3_000 } {
        let modes = if round % 5 == 0 { [ErrorMode::Cedar, ErrorMode::Deny] } else { [ErrorMode::Deny; 2] };
        let [old_text, new_text] = match dice.roll(3) {
            0 => [random_set(&mut dice), random_set(&mut dice)],
            1 => two_by_brackets(&mut dice),
            _ => {
                let text = random_set(&mut dice);
                let more = format!("{text}\n{}", plain(&mut dice).join("\n"));
                [text, more]
            }
        };
        let (old, new) = (unvalidated(&old_text, modes[0]), unvalidated(&new_text, modes[1]));
        let found = difference(&old, &new);
        assert_eq!(found.left_out, 0);
        listed += found.changes.len();
        each_request(&mut dice, 60, |asked| {
            let turn = match (passes(&old, asked), passes(&new, asked)) {
                (false, true) => Turn::Allowed,
                (true, false) => Turn::Denied,
                _ => return,
            };
            differed += 1;
            let told = |change: &Change| {
                change.turn == turn && is_of(&change.principal, asked) && is_at(change, asked) && holds(change, asked)
            };
            assert!(found.changes.iter().any(told), "{turn:?} {asked:?}\nold: {old_text}\nnew: {new_text}\n{found:#?}");
        });
    }
    assert!(differed > 500 && listed > 500, "{differed} requests differed, {listed} changes");
}

#[test]
fn what_only_looks_different_is_not_listed() {
    let mut dice = Dice(12);
    for _ in 0..if cfg!(debug_assertions) { 60 } else { 1_000 } {
        let mut set = plain(&mut dice);
        let old = unvalidated(&set.join("\n"), ErrorMode::Deny);
        set.reverse();
        let renamed: Vec<String> =
            set.iter().enumerate().map(|(at, policy)| format!("@id(\"p{at}\") {policy}")).collect();
        let new = unvalidated(&renamed.join("\n\n"), ErrorMode::Deny);
        assert_eq!(difference(&old, &new), Difference::default(), "{}", set.join("\n"));
    }
    for (old, new) in [
        (
            "permit(principal, action, resource) when { principal in [Role::\"a\", Role::\"b\"] };",
            "permit(principal in Role::\"a\", action, resource); permit(principal in Role::\"b\", action, resource);",
        ),
        (
            "permit(principal, action, resource) when { context.risk < 500 };",
            "permit(principal, action, resource) when { context.risk < 200 }; permit(principal, action, resource) when { 200 <= context.risk && context.risk < 500 };",
        ),
        (
            "permit(principal, action in [Action::\"read\", Action::\"write\"], resource);",
            "permit(principal, action, resource);",
        ),
        (
            "permit(principal, action, resource) unless { context.risk >= 500 };",
            "permit(principal, action, resource) when { context.risk < 500 };",
        ),
        (
            "permit(principal, action, resource); forbid(principal, action, resource) when { context.hour < 6 };",
            "permit(principal, action, resource) when { context.hour >= 6 };",
        ),
        (
            "permit(principal in Role::\"a\", action, resource);",
            "permit(principal, action, resource) when { context.roles.contains(\"a\") };",
        ),
        (
            "permit(principal, action, resource); permit(principal in Role::\"a\", action, resource);",
            "permit(principal, action, resource);",
        ),
    ] {
        let (old, new) = (unvalidated(old, ErrorMode::Deny), unvalidated(new, ErrorMode::Deny));
        assert_eq!(difference(&old, &new), Difference::default());
    }
}

/// Turn, who, where and when.
fn lines(old: &str, new: &str) -> Vec<String> {
    let (old, new) = (compile(old).unwrap(), compile(new).unwrap());
    let line = |change: Change| {
        let places: Vec<String> = change.endpoints.iter().map(|p| format!("{p:?}").replace("None", "-")).collect();
        format!("{:?} {} {:?} {} {}", change.turn, change.principal, change.segments, places.len(), change.condition)
    };
    difference(&old, &new).changes.into_iter().map(line).collect()
}

#[test]
fn by_hand() {
    let base =
        "permit(principal in Role::\"buyer\", action, resource in Segment::\"orders\") when { context.risk < 300 };";
    assert_eq!(
        lines(base, &base.replace("300", "500")),
        ["Allowed Role::\"buyer\" [\"orders\"] 0 when { context.risk >= 300 && context.risk <= 499 }"]
    );
    assert_eq!(
        lines(&base.replace("300", "500"), base),
        ["Denied Role::\"buyer\" [\"orders\"] 0 when { context.risk >= 300 && context.risk <= 499 }"]
    );
    let night = "permit(principal, action, resource); forbid(principal is User, action == Action::\"pay\", resource) when { context.hour >= 22 };";
    assert_eq!(lines("permit(principal, action, resource);", night), ["Denied User [] 1 when { context.hour >= 22 }"]);
    assert_eq!(
        lines(
            "permit(principal is User, action == Action::\"health\", resource);",
            "permit(principal, action == Action::\"health\", resource) when { context has ip && context.ip.isLoopback() };"
        ),
        [
            "Allowed Anonymous [] 1 when { context has ip && context.ip.isLoopback() }",
            "Allowed ApiKey [] 1 when { context has ip && context.ip.isLoopback() }",
            "Allowed Workload [] 1 when { context has ip && context.ip.isLoopback() }",
            "Denied User [] 1 when { !(context has ip) }",
            "Denied User [] 1 when { context has ip && !(context.ip.isLoopback()) }",
        ]
    );
}

#[test]
fn brackets_and_flags_are_told_apart() {
    let permit = |condition: &str| format!("permit(principal, action, resource) when {{ {condition} }};");
    let (risk, hour, asn) = ("context.risk > 500", "context.hour > 3", "context has asn");
    for (old, new) in [
        (format!("({risk} || {hour}) && {asn}"), format!("{risk} || {hour} && {asn}")),
        (
            format!("(if {risk} then {risk} else {asn}) && {hour}"),
            format!("if {risk} then {risk} else {asn} && {hour}"),
        ),
    ] {
        assert!(!lines(&permit(&old), &permit(&new)).is_empty(), "{old}");
    }
    let forbid = |on_deny: &str| {
        format!(
            "permit(principal, action, resource); {on_deny} forbid(principal, action == Action::\"pay\", resource);"
        )
    };
    assert_eq!(lines(&forbid(""), &forbid("@on_deny(\"flag\")")), ["Allowed anyone [] 1 always"]);
    assert_eq!(lines(&forbid("@on_deny(\"flag\")"), &forbid("")), ["Denied anyone [] 1 always"]);
    let flagged = forbid("@on_deny(\"flag\")");
    assert_eq!(lines(&flagged, "permit(principal, action, resource);"), [""; 0]);
}

#[test]
fn another_vocabulary() {
    let text = "permit(principal in Role::\"a\", action, resource);";
    let sources = [Source { key: "policy.text".to_owned(), name: None, text }];
    let fewer = Vocabulary { endpoints: &ENDPOINTS[..5], segments: &["empty"], elsewhere: &[(0, "payments")] };
    let old = Policy::compile(&Config::default(), &sources, &fewer).unwrap();
    let found = difference(&old, &compile(text).unwrap());
    let [change] = found.changes.as_slice() else { panic!("{found:#?}") };
    assert_eq!(
        (change.turn, change.principal.as_str(), change.condition.as_str()),
        (Turn::Allowed, "Role::\"a\"", "always")
    );
    assert_eq!(change.segments, ["files"]);
    assert_eq!(
        change.endpoints.iter().map(|p| (&*p.id, p.segment.as_deref())).collect::<Vec<_>>(),
        [("* /files/{name}", Some("orders"))]
    );
}

#[test]
fn an_attribute_that_is_read_elsewhere_is_another_one() {
    let compiled = |attribute: AttributeConfig| {
        let config = Config { context: vec![attribute], ..Config::default() };
        let text = "permit(principal, action == Action::\"pay\", resource) when { context has team && context.team == \"a\" };";
        compile::unvalidated(&config, text, &vocabulary()).unwrap()
    };
    let claim = AttributeConfig { name: "team".into(), claim: Some("t".into()), ..AttributeConfig::default() };
    let header = AttributeConfig { name: "team".into(), header: Some("t".into()), ..AttributeConfig::default() };
    let (claim, header) = (compiled(claim), compiled(header));
    assert_eq!(difference(&claim, &claim).changes, []);
    let turns: Vec<Turn> = difference(&claim, &header).changes.iter().map(|change| change.turn).collect();
    assert!(turns.contains(&Turn::Allowed) && turns.contains(&Turn::Denied), "{turns:?}");
}

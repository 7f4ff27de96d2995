//! What policies decide, against Cedar itself and by hand.

mod analysis;
mod difference;
mod differential;
mod explaining;
mod grading;
mod hostile;
mod indexing;
mod linking;
mod printing;
mod problems;
mod stored;

use std::sync::Arc;

use super::*;
use crate::model::{Identity, IdentityKind, Problem, Source};

pub(super) const ENDPOINTS: &[Endpoint<'_>] = &[
    Endpoint { id: "listOrders", method: "GET", segment: Some("orders") },
    Endpoint { id: "createOrder", method: "POST", segment: Some("orders") },
    Endpoint { id: "DELETE /v1/orders/{id}", method: "DELETE", segment: Some("orders") },
    Endpoint { id: "pay", method: "POST", segment: Some("payments") },
    Endpoint { id: "health", method: "GET", segment: None },
    Endpoint { id: "* /files/{name}", method: "*", segment: Some("files") },
];

pub(super) fn vocabulary() -> Vocabulary<'static> {
    Vocabulary { endpoints: ENDPOINTS, segments: &["empty"], elsewhere: &[(0, "payments"), (5, "orders")] }
}

pub(super) fn compile(text: &str) -> Result<Policy, Vec<Problem>> {
    let sources = [Source { key: "policy.text".to_owned(), name: None, text }];
    Policy::compile(&Config::default(), &sources, &vocabulary())
}

pub(super) fn identity(kind: IdentityKind, principal: &str, roles: &[&str], scopes: &[&str]) -> Identity {
    let boxed = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect::<Arc<[Box<str>]>>();
    Identity { roles: boxed(roles), scopes: boxed(scopes), ..Identity::new(kind, principal) }
}

/// A request for an endpoint, at midnight of the epoch, a Thursday.
pub(super) fn request(identity: Option<&Identity>, endpoint: usize) -> Request<'_> {
    let method = ENDPOINTS.get(endpoint).map_or("GET", |e| if e.method == "*" { "GET" } else { e.method });
    Request { identity, endpoint, method, ..Request::default() }
}

fn verdict(policy: &Policy, request: &Request<'_>) -> Verdict {
    policy.evaluate(request).verdict
}

#[test]
fn denies_by_default_and_forbid_overrides() {
    let policy = compile(
        r#"permit(principal in Role::"buyer", action in Action::"read", resource in Segment::"orders");
           @id("no-risk") forbid(principal, action, resource) when { context.risk > 500 };"#,
    )
    .unwrap();
    let buyer = identity(IdentityKind::Jwt, "anna", &["buyer"], &[]);
    let other = identity(IdentityKind::Jwt, "anna", &["seller"], &[]);
    assert_eq!(verdict(&policy, &request(Some(&buyer), 0)), Verdict::Allow);
    assert_eq!(verdict(&policy, &request(Some(&buyer), 1)), Verdict::Deny);
    assert_eq!(verdict(&policy, &request(Some(&buyer), 4)), Verdict::Deny);
    assert_eq!(verdict(&policy, &request(Some(&other), 0)), Verdict::Deny);
    assert_eq!(verdict(&policy, &request(None, 0)), Verdict::Deny);
    assert_eq!(verdict(&policy, &request(Some(&buyer), 99)), Verdict::Deny);
    let answer = policy.evaluate(&Request { risk: 0.9, ..request(Some(&buyer), 0) });
    assert_eq!((answer.verdict, answer.permitted), (Verdict::Deny, true));
    assert_eq!(answer.determining.iter().map(|p| policy.id(*p).unwrap()).collect::<Vec<_>>(), ["no-risk"]);
    assert_eq!(policy.id(0), Some("policy0"));
}

#[test]
fn an_endpoint_for_any_method_is_in_the_groups_of_the_request() {
    let policy = compile(
        r#"permit(principal, action in Action::"read", resource in Segment::"files");
           permit(principal == ApiKey::"k", action in [Action::"PUT", Action::"DELETE"], resource);"#,
    )
    .unwrap();
    let with = |method| Request { method, ..request(None, 5) };
    let key = identity(IdentityKind::ApiKey, "k", &[], &[]);
    for (method, anonymous, keyed) in [
        ("GET", Verdict::Allow, Verdict::Allow),
        ("PUT", Verdict::Deny, Verdict::Allow),
        ("PROPFIND", Verdict::Deny, Verdict::Deny),
        ("get", Verdict::Deny, Verdict::Deny),
    ] {
        assert_eq!(verdict(&policy, &with(method)), anonymous, "{method}");
        assert_eq!(verdict(&policy, &Request { identity: Some(&key), ..with(method) }), keyed, "{method}");
    }
}

#[test]
fn the_kind_of_principal_counts() {
    let policy = compile(r#"permit(principal is ApiKey, action, resource); permit(principal == User::"k", action, resource is Endpoint);"#).unwrap();
    let key = identity(IdentityKind::ApiKey, "k", &[], &[]);
    let user = identity(IdentityKind::Jwt, "k", &[], &[]);
    let answer = policy.evaluate(&request(Some(&key), 0));
    assert_eq!(answer.determining.as_slice(), [0]);
    let answer = policy.evaluate(&request(Some(&user), 0));
    assert_eq!(answer.determining.as_slice(), [1]);
    assert_eq!(verdict(&policy, &request(None, 0)), Verdict::Deny);
}

#[test]
fn a_forbid_that_fails_denies_unless_asked_for_cedars_way() {
    let text = "permit(principal, action, resource); forbid(principal, action, resource) when { context.now_s * 9223372036854775807 > 0 };";
    let sources = [Source { key: "policy.text".to_owned(), name: None, text }];
    for (errors, expected) in [(ErrorMode::Deny, Verdict::Deny), (ErrorMode::Cedar, Verdict::Allow)] {
        let policy = Policy::compile(&Config { errors, ..Config::default() }, &sources, &vocabulary()).unwrap();
        let answer = policy.evaluate(&Request { now: 5_000, ..request(None, 0) });
        assert_eq!((answer.verdict, answer.errors.as_slice()), (expected, &[1][..]));
    }
}

#[test]
fn compiled_policies_survive_serialisation() {
    let policy = compile(r#"@id("a") permit(principal in Role::"buyer", action, resource) when { context has ip && context.ip.isInRange(ip("10.0.0.0/8")) };"#).unwrap();
    let back: Policy = serde_json::from_str(&serde_json::to_string(&policy).unwrap()).unwrap();
    let buyer = identity(IdentityKind::Jwt, "anna", &["buyer"], &[]);
    let asked = Request { ip: Some("::ffff:10.1.2.3".parse().unwrap()), ..request(Some(&buyer), 0) };
    assert_eq!(verdict(&policy, &asked), Verdict::Allow);
    assert_eq!(back.evaluate(&asked), policy.evaluate(&asked));
}

#[test]
fn a_circle_in_compiled_data_is_refused() {
    let policy = compile("permit(principal, action, resource) when { !(context.hour == 3) };").unwrap();
    let mut json = serde_json::to_value(&policy).unwrap();
    let nodes = json["program"]["nodes"].as_array_mut().unwrap();
    let last = nodes.len() - 1;
    nodes[last] = serde_json::json!({"Not": last});
    assert!(serde_json::from_value::<Policy>(json).is_err());
}

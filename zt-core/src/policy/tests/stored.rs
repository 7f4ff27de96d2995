//! Policies as they are stored in bundles.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{compile, identity, request};
use crate::model::IdentityKind;
use crate::policy::facts::Fact;
use crate::policy::program::{Arithmetic, Function, Function2, Node, Order, Run, Var};
use crate::policy::{Policy, Verdict};

const TEXT: &str = r#"
    @id("read") @reason("readers") permit(principal in Role::"reader", action in Action::"read", resource in Segment::"orders")
      when { context has ip && (context.ip.isInRange(ip("10.0.0.0/8")) || context.method like "G*T") };
    @id("office") @on_deny("step_up") @acr("mfa") @max_age("5m") forbid(principal is User in Role::"reader", action == Action::"pay", resource)
      unless { context.hour >= 8 && context.hour - 1 < 18 && !(["jwt", "api_key"].containsAll(["jwt"]) && context.risk > 10) };
    permit(principal == ApiKey::"k", action, resource == Endpoint::"pay") when { if context.risk == 0 then true else context.roles.contains("x") };
    permit(principal, action in [Action::"GET", Action::"pay"], resource is Endpoint) when { {a: 1, b: [decimal("1.5")]} == {a: 1, b: [decimal("1.5")]} };
"#;

/// Each variant at its place: bundles name them by their numbers.
fn variants() -> Vec<Node> {
    let run = Run { start: 1, len: 2 };
    let mut all = vec![
        Node::Bool(true),
        Node::Long(-1),
        Node::Constant(3),
        Node::Fail,
        Node::And(run),
        Node::Or(run),
        Node::Not(1),
        Node::If(1, 2, 3),
        Node::Neg(1),
        Node::Equal(1, 2),
        Node::NotEqual(1, 2),
        Node::In(1, 2),
        Node::Is(1, 2),
        Node::Set(run),
        Node::Record(run, run),
        Node::Attribute(1, 2),
        Node::Has(1, run),
        Node::Tag(1, 2),
        Node::HasTag(1, 2),
        Node::IsEmpty(1),
        Node::Contains(1, 2),
        Node::ContainsAll(1, 2),
        Node::ContainsAny(1, 2),
        Node::Like(1, 2),
        Node::Call2(Function2::IsInRange, 1, 2),
        Node::Call2(Function2::Offset, 1, 2),
        Node::Call2(Function2::DurationSince, 1, 2),
    ];
    let vars = [Var::Principal, Var::Action, Var::Resource, Var::Context];
    all.extend(vars.iter().flat_map(|var| [Node::Var(*var), Node::VarIn(*var, 1)]));
    all.extend(Fact::ALL.iter().flat_map(|fact| [Node::Fact(*fact), Node::HasFact(*fact)]));
    let orders = [Order::Less, Order::LessEqual, Order::Greater, Order::GreaterEqual];
    all.extend(orders.iter().flat_map(|o| [Node::Order(*o, 1, 2), Node::Call2(Function2::Decimal(*o), 1, 2)]));
    let arithmetic = [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply];
    all.extend(arithmetic.iter().map(|a| Node::Arithmetic(*a, 1, 2)));
    let functions = [
        Function::Ip,
        Function::Decimal,
        Function::Datetime,
        Function::Duration,
        Function::IsIpv4,
        Function::IsIpv6,
        Function::IsLoopback,
        Function::IsMulticast,
        Function::ToDate,
        Function::ToTime,
        Function::ToMilliseconds,
        Function::ToSeconds,
        Function::ToMinutes,
        Function::ToHours,
        Function::ToDays,
    ];
    all.extend(functions.iter().map(|f| Node::Call(*f, 1)));
    all
}

/// A bundle that says something else than it did is the worst that can happen to one. When this fails, count the format
/// in `engine/bundle/format.rs` up, then write the new digest here; variants that are added go to the end of their list.
#[test]
fn what_is_stored_means_the_same_as_ever() {
    let bytes = postcard::to_allocvec(&(variants(), compile(TEXT).unwrap())).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, "4e2f5c1c097b3ce4", "the format of bundles has changed");
}

#[test]
fn what_is_stored_comes_back() {
    let policy = compile(TEXT).unwrap();
    let bytes = postcard::to_allocvec(&policy).unwrap();
    let back: Policy = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(postcard::to_allocvec(&back).unwrap(), bytes);
    let reader = identity(IdentityKind::Jwt, "anna", &["reader"], &[]);
    let asked = request(Some(&reader), 3);
    assert_eq!(back.evaluate(&asked), policy.evaluate(&asked));
    assert_eq!(back.evaluate(&asked).verdict, Verdict::Deny);
    assert_eq!(back.effect(&back.evaluate(&asked)), policy.effect(&policy.evaluate(&asked)));
}

/// Data with two children that are one would take two to the 64th steps.
#[test]
fn a_shared_expression_is_refused() {
    let policy = compile("permit(principal, action, resource) when { (1 == 1) == (2 == 2) };").unwrap();
    let mut json = serde_json::to_value(&policy).unwrap();
    assert!(serde_json::from_value::<Policy>(json.clone()).is_ok());
    let root =
        json["program"]["nodes"].as_array().unwrap().iter().position(|n| n["Equal"] == serde_json::json!([2, 5]));
    json["program"]["nodes"][root.unwrap()] = serde_json::json!({"Equal": [2, 2]});
    assert!(serde_json::from_value::<Policy>(json).unwrap_err().to_string().contains("used twice"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    /// Whatever bytes are changed or cut: it is refused, or every request is answered.
    #[test]
    fn corrupted_policies_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut: Option<prop::sample::Index>,
    ) {
        static STORED: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let mut bytes = STORED.get_or_init(|| postcard::to_allocvec(&compile(TEXT).unwrap()).unwrap()).clone();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        if let Ok(policy) = postcard::from_bytes::<Policy>(&bytes) {
            let reader = identity(IdentityKind::Jwt, "anna", &["reader"], &[]);
            for endpoint in 0..7 {
                let answer = policy.evaluate(&request(Some(&reader), endpoint));
                let _ = policy.effect(&answer);
            }
        }
    }
}

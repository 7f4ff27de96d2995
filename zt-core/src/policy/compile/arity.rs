//! Extension functions with the wrong number of arguments.
//!
//! Cedar's parser takes them, evaluating one is an error, and the public syntax tree cannot hold them. As every argument
//! only decides *which* error it is, such a call is the same as any that always fails.

use cedar_policy::{Policy, Template, pst};
use serde_json::{Value, json};

/// Extension functions and how many arguments they take.
const ARITY: &[(&str, usize)] = &[
    ("ip", 1),
    ("decimal", 1),
    ("datetime", 1),
    ("duration", 1),
    ("isIpv4", 1),
    ("isIpv6", 1),
    ("isLoopback", 1),
    ("isMulticast", 1),
    ("toDate", 1),
    ("toTime", 1),
    ("toMilliseconds", 1),
    ("toSeconds", 1),
    ("toMinutes", 1),
    ("toHours", 1),
    ("toDays", 1),
    ("isInRange", 2),
    ("offset", 2),
    ("durationSince", 2),
    ("lessThan", 2),
    ("lessThanOrEqual", 2),
    ("greaterThan", 2),
    ("greaterThanOrEqual", 2),
];

/// The policy with calls that always fail in place of those with the wrong number of arguments.
pub(super) fn mended(policy: &Policy) -> Option<pst::Policy> {
    let mut json = policy.to_json().ok()?;
    mend(json.get_mut("conditions")?);
    Policy::from_json(Some(policy.id().clone()), json).ok()?.to_pst().ok()
}

/// The same of a template.
pub(super) fn mended_template(template: &Template) -> Option<pst::Template> {
    let mut json = template.to_json().ok()?;
    mend(json.get_mut("conditions")?);
    Template::from_json(Some(template.id().clone()), json).ok()?.to_pst().ok()
}

/// Recursion is bounded by the nesting of the text.
fn mend(json: &mut Value) {
    match json {
        Value::Array(members) => members.iter_mut().for_each(mend),
        Value::Object(map) => {
            let wrong = |(name, args): (&String, &Value)| {
                let arity = ARITY.iter().find(|(function, _)| function == name).map(|(_, arity)| *arity);
                arity.is_some_and(|arity| args.as_array().is_some_and(|args| args.len() != arity))
            };
            if map.len() == 1 && map.iter().any(wrong) {
                *json = json!({"ip": [{"Value": ""}]});
            } else {
                map.iter_mut().filter(|(key, _)| *key != "Value").for_each(|(_, child)| mend(child));
            }
        }
        _ => {}
    }
}

//! Threads with little stack: Cedar skips a policy that it has no stack for, and so a forbid fails open there. zt must
//! decide the same on any stack.
//!
//! Only optimised builds show it: others take several times the stack.

use std::str::FromStr as _;

use cedar_policy::{Authorizer, Context, Decision, Entities, PolicySet, Request as CedarRequest};
use serde_json::json;
use zt_core::model::Source;
use zt_core::policy::{Config, Endpoint, Policy, Request, Verdict, Vocabulary};

/// Sizes of stack that Cedar is asked on, KiB.
const CEDAR: std::ops::RangeInclusive<usize> = 96..=260;
/// And zt: from what a thread needs to start at all.
const OURS: std::ops::RangeInclusive<usize> = 48..=260;
const ENDPOINTS: &[Endpoint<'_>] = &[Endpoint { id: "pay", method: "POST", segment: None }];
const CONJUNCTS: [usize; 3] = [1, 8, 30];

/// Prints the windows in which Cedar allows what is forbidden.
///
/// # Errors
/// When zt allows it on any stack, or Cedar no longer does so on any (then this and its documentation are out of date).
pub(crate) fn run() -> Result<(), String> {
    println!("a request that a forbid matches, by the stack of the thread it is decided on");
    println!("\n{:>10} | {:24} | {:24}", "conjuncts", "Cedar allows", "zt allows");
    let (mut open, mut ours_open) = (0, 0);
    for conjuncts in CONJUNCTS {
        let body: Vec<String> = (0..conjuncts).map(|n| format!("context.risk > {n}")).collect();
        let text = format!(
            "permit(principal, action, resource);\nforbid(principal, action, resource) when {{ {} }};",
            body.join(" && ")
        );
        let cedar = allowed(CEDAR, &cedar(&text)?)?;
        let ours = allowed(OURS, &zt(&text)?)?;
        println!("{conjuncts:>10} | {:24} | {:24}", window(&cedar), window(&ours));
        (open, ours_open) = (open + cedar.len(), ours_open + ours.len());
    }
    deepest()?;
    println!("zt was asked on {} to {} KiB, with its deepest expression too", OURS.start(), OURS.end());
    match (open, ours_open) {
        (_, 1..) => Err(format!("zt allowed what is forbidden on {ours_open} stacks")),
        (0, _) if cfg!(debug_assertions) => Err("run this optimised (`--release`)".to_owned()),
        (0, _) => Err("Cedar allowed it nowhere: the finding no longer holds".to_owned()),
        _ => Ok(()),
    }
}

/// The deepest expression that zt takes decides the same on the smallest stack.
fn deepest() -> Result<(), String> {
    let mut body = "context.risk > 0".to_owned();
    for _ in 0..15 {
        body = format!("!(if !({body}) then false else true)");
    }
    let text = format!(
        "permit(principal, action, resource);\nforbid(principal, action, resource) when {{ {body} || context.risk > 1 }};"
    );
    let ours = allowed(OURS, &zt(&text)?)?;
    if ours.is_empty() { Ok(()) } else { Err(format!("zt allowed a deep forbid on {} KiB", window(&ours))) }
}

/// The sizes, KiB, on which the answer is to allow.
fn allowed(sizes: std::ops::RangeInclusive<usize>, ask: &(dyn Fn() -> bool + Sync)) -> Result<Vec<usize>, String> {
    let mut allowed = Vec::new();
    for size in sizes {
        let answer = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(size << 10).spawn_scoped(scope, ask);
            thread.map_err(|error| error.to_string())?.join().map_err(|_| "a thread panicked".to_owned())
        })?;
        if answer {
            allowed.push(size);
        }
    }
    Ok(allowed)
}

fn window(sizes: &[usize]) -> String {
    match (sizes.first(), sizes.last()) {
        (Some(first), Some(last)) if last - first + 1 == sizes.len() => format!("{first} to {last} KiB"),
        (Some(first), Some(last)) => format!("{} of {first} to {last} KiB", sizes.len()),
        _ => "nowhere".to_owned(),
    }
}

fn cedar(text: &str) -> Result<impl Fn() -> bool + Sync, String> {
    let policies = PolicySet::from_str(text).map_err(|error| format!("{error:?}"))?;
    let context = Context::from_json_value(json!({"risk": 500}), None).map_err(|error| error.to_string())?;
    let uid = |text: &str| text.parse().map_err(|error| format!("{error:?}"));
    let asked =
        CedarRequest::new(uid("User::\"anna\"")?, uid("Action::\"pay\"")?, uid("Endpoint::\"pay\"")?, context, None);
    let asked = asked.map_err(|error| error.to_string())?;
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    Ok(move || authorizer.is_authorized(&asked, &policies, &entities).decision() == Decision::Allow)
}

fn zt(text: &str) -> Result<impl Fn() -> bool + Sync, String> {
    let vocabulary = Vocabulary { endpoints: ENDPOINTS, ..Vocabulary::default() };
    let sources = [Source { key: "policy.text".to_owned(), name: None, text }];
    let policy =
        Policy::compile(&Config::default(), &sources, &vocabulary).map_err(|problems| format!("{problems:?}"))?;
    Ok(move || {
        let request = Request {
            identity: None,
            workload: None,
            endpoint: 0,
            segment: None,
            method: "POST",
            path: None,
            host: None,
            ip: None,
            asn: None,
            country: None,
            tenant: None,
            client_id: None,
            declared: &[],
            risk: 0.5,
            now: 1_772_446_530_123,
        };
        policy.evaluate(&request).verdict == Verdict::Allow
    })
}

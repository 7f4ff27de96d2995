//! Random policy sets, answered by zt and by Cedar itself.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Effect, Entities, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, SlotId,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use zt_core::wire::op;

use super::generate::{Counts, Maker, Set};

/// Requests about each set.
const REQUESTS: u64 = 250;
/// Cedar's evaluator skips policies when it has little stack left.
const STACK: usize = 64 << 20;

/// What was compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sets: u64,
    pub(crate) policies: u64,
    pub(crate) most_policies: u64,
    pub(crate) requests: u64,
    pub(crate) allowed: u64,
    /// Denied by a forbid.
    pub(crate) forbidden: u64,
    /// With a policy that failed.
    pub(crate) failed: u64,
    /// Allowed by Cedar although a forbid failed: zt's strict mode denies them.
    pub(crate) failed_open: u64,
    pub(crate) linked: u64,
    pub(crate) counts: Counts,
}

impl Seen {
    fn merge(&mut self, other: &Self) {
        self.sets += other.sets;
        self.policies += other.policies;
        self.most_policies = self.most_policies.max(other.most_policies);
        self.requests += other.requests;
        self.allowed += other.allowed;
        self.forbidden += other.forbidden;
        self.failed += other.failed;
        self.failed_open += other.failed_open;
        self.linked += other.linked;
        for (name, count) in &other.counts {
            *self.counts.entry(name).or_default() += count;
        }
    }

    fn print(&self) {
        let share = |n: u64| format!("{:>9} {:>5.1} %", n, n as f64 * 100.0 / self.requests.max(1) as f64);
        println!("\n{:32} {:>9}", "policy sets", self.sets);
        println!("{:32} {:>9}, at most {} in a set", "policies", self.policies, self.most_policies);
        println!("{:32} {:>9}", "requests", self.requests);
        println!("{:32} {}", "allowed", share(self.allowed));
        println!("{:32} {}", "denied by a forbid", share(self.forbidden));
        println!("{:32} {}", "with a policy that fails", share(self.failed));
        println!("{:32} {}", "decided by a linked template", share(self.linked));
        println!("{:32} {}", "Cedar allows past a failed forbid", share(self.failed_open));
        println!("\n{:32} {:>9}", "construct", "made");
        for (name, count) in &self.counts {
            println!("{name:32} {count:>9}");
        }
    }

    /// A comparison means little where everything is denied or a construct never comes.
    ///
    /// # Errors
    /// Names what was too rare.
    pub(crate) fn check(&self) -> Result<(), String> {
        let enough = |what: &str, n: u64, of_hundred: u64| {
            let good = n * 100 >= self.requests * of_hundred && n > 0;
            if good { Ok(()) } else { Err(format!("only {n} of {} requests were {what}", self.requests)) }
        };
        enough("allowed", self.allowed, 10)?;
        enough("denied by a forbid", self.forbidden, 5)?;
        enough("with a policy that fails", self.failed, 5)?;
        enough("decided by a linked template", self.linked, 1)?;
        enough("allowed by Cedar past a failed forbid", self.failed_open, 0)?;
        let rare = CONSTRUCTS.iter().find(|name| !self.counts.contains_key(*name));
        rare.map_or(Ok(()), |name| Err(format!("`{name}` was never made")))
    }
}

/// What a run must have made of each at least once.
const CONSTRUCTS: &[&str] = &[
    "!",
    "&&",
    "== of anything",
    "== of one type",
    "a wrong number of arguments",
    "action in [..]",
    "an attribute of another type",
    "an attribute that is missing",
    "an entity that is not there",
    "an expression of any type",
    "annotation",
    "arithmetic",
    "attribute",
    "attribute [\"..\"]",
    "contains",
    "containsAll",
    "containsAny",
    "datetime",
    "decimal",
    "duration",
    "durationSince",
    "getTag",
    "has",
    "has of a path",
    "hasTag",
    "if",
    "in",
    "in [..]",
    "ip",
    "is",
    "is in",
    "isEmpty",
    "like",
    "negation",
    "nested record",
    "offset",
    "order of decimals",
    "order of durations",
    "order of numbers",
    "order of times",
    "record",
    "scope ==",
    "scope any",
    "scope in",
    "scope is",
    "scope is in",
    "set",
    "template link",
    "tests of ip",
    "toDate",
    "toTime",
    "unless",
    "when",
    "||",
];

/// Compares until so many requests were asked, on so many threads.
///
/// # Errors
/// The first difference, with everything needed to see it again.
pub(crate) fn run(seed: u64, requests: u64, threads: usize) -> Result<Seen, String> {
    let sets = requests.div_ceil(REQUESTS);
    let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} requests, {eta} left");
    let bar = ProgressBar::new(sets * REQUESTS).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let (next, seen, wrong) = (AtomicU64::new(0), Mutex::new(Seen::default()), Mutex::new(None));
    let work = || {
        let mut own = Seen::default();
        loop {
            let set = next.fetch_add(1, Ordering::Relaxed);
            if set >= sets || wrong.lock().is_ok_and(|wrong| wrong.is_some()) {
                break;
            }
            let mut maker = Maker::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(set));
            let made = maker.set(REQUESTS);
            own.merge(&Seen { counts: maker.counts, ..Seen::default() });
            if let Err(difference) = compare(&made, set % 8 == 0, &mut own) {
                let message = format!("seed {seed}, set {set}: {difference}\n{}", made.policies);
                if let Ok(mut wrong) = wrong.lock() {
                    wrong.get_or_insert(message);
                }
                break;
            }
            bar.inc(REQUESTS);
        }
        if let Ok(mut seen) = seen.lock() {
            seen.merge(&own);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let spawned = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
            if let Err(error) = spawned {
                println!("a thread cannot start: {error}");
            }
        }
    });
    bar.finish_and_clear();
    match wrong.into_inner() {
        Ok(None) => seen.into_inner().map_err(|_| "a thread panicked".to_owned()),
        Ok(Some(difference)) => Err(difference),
        Err(_) => Err("a thread panicked".to_owned()),
    }
}

/// [`run`], told.
///
/// # Errors
/// A difference, or too little of something.
pub(crate) fn report(seed: u64, requests: u64, threads: usize) -> Result<(), String> {
    println!("random policies against cedar-policy 4.14.1: seed {seed}, {threads} threads");
    let start = Instant::now();
    let seen = run(seed, requests, threads)?;
    seen.print();
    seen.check()?;
    println!("\n{} requests, no difference, in {:.0} s", seen.requests, start.elapsed().as_secs_f64());
    Ok(())
}

/// An answer: whether allowed, and the names of determining and of failing policies.
type Answer = (bool, BTreeSet<String>, BTreeSet<String>);

fn compare(set: &Set, strictly: bool, seen: &mut Seen) -> Result<(), String> {
    let oracle = linked(set)?;
    let count = (oracle.num_of_policies()) as u64;
    seen.sets += 1;
    seen.policies += count;
    seen.most_policies = seen.most_policies.max(count);
    let entities = Entities::from_json_value(Value::Array(set.entities.clone()), None).map_err(|e| format!("{e:?}"))?;
    let ours = answers(set, "cedar")?;
    let strict = if strictly { Some(answers(set, "deny")?) } else { None };
    for (at, request) in set.requests.iter().enumerate() {
        let (expected, failed_forbid) = ask(&oracle, &entities, request)?;
        let found = ours.get(at).ok_or("too few answers")?;
        if *found != expected {
            return Err(format!("{request}\nCedar {expected:?}\nzt    {found:?}"));
        }
        if let Some(strict) = &strict {
            let allowed = strict.get(at).is_some_and(|answer| answer.0);
            if allowed != (expected.0 && !failed_forbid) {
                return Err(format!("{request}\nCedar {expected:?}, strictly {allowed}"));
            }
        }
        seen.requests += 1;
        seen.allowed += u64::from(expected.0);
        seen.forbidden += u64::from(!expected.0 && !expected.1.is_empty());
        seen.failed += u64::from(!expected.2.is_empty());
        seen.failed_open += u64::from(expected.0 && failed_forbid);
        seen.linked += u64::from(expected.1.iter().any(|name| name.starts_with("link")));
    }
    Ok(())
}

fn linked(set: &Set) -> Result<PolicySet, String> {
    let mut oracle = PolicySet::from_str(&set.policies).map_err(|error| format!("{error:?}"))?;
    for link in &set.links {
        let values = [(SlotId::principal(), &link.principal), (SlotId::resource(), &link.resource)];
        let mut slots = HashMap::new();
        for (slot, value) in values {
            if let Some((ty, id)) = value {
                slots.insert(slot, uid(ty, id)?);
            }
        }
        let template = PolicyId::new(format!("policy{}", link.template));
        oracle.link(template, PolicyId::new(&link.id), slots).map_err(|error| format!("{error:?}"))?;
    }
    Ok(oracle)
}

fn uid(ty: &str, id: &str) -> Result<EntityUid, String> {
    let ty = EntityTypeName::from_str(ty).map_err(|error| error.to_string())?;
    Ok(EntityUid::from_type_name_and_id(ty, EntityId::new(id)))
}

/// What Cedar answers, and whether a forbid failed.
fn ask(oracle: &PolicySet, entities: &Entities, request: &Value) -> Result<(Answer, bool), String> {
    let of = |key: &str| {
        uid(request[key]["type"].as_str().unwrap_or_default(), request[key]["id"].as_str().unwrap_or_default())
    };
    let context = Context::from_json_value(request["context"].clone(), None).map_err(|error| format!("{error:?}"))?;
    let asked = Request::new(of("principal")?, of("action")?, of("resource")?, context, None);
    let answer = Authorizer::new().is_authorized(&asked.map_err(|error| error.to_string())?, oracle, entities);
    let failing = answer.diagnostics().errors();
    let failing: Vec<&PolicyId> = failing.map(|AuthorizationError::PolicyEvaluationError(e)| e.policy_id()).collect();
    let forbid = failing.iter().any(|id| oracle.policy(id).is_some_and(|policy| policy.effect() == Effect::Forbid));
    let reasons = answer.diagnostics().reason().map(ToString::to_string).collect();
    let errors = failing.iter().map(ToString::to_string).collect();
    Ok(((answer.decision() == Decision::Allow, reasons, errors), forbid))
}

/// What zt answers, as every runtime asks it.
fn answers(set: &Set, errors: &str) -> Result<Vec<Answer>, String> {
    let links: Vec<Value> = set
        .links
        .iter()
        .map(|link| {
            let values = [("?principal", &link.principal), ("?resource", &link.resource)];
            let filled = values.iter().filter_map(|(slot, value)| value.as_ref().map(|(ty, id)| (slot, ty, id)));
            let values: serde_json::Map<String, Value> =
                filled.map(|(slot, ty, id)| ((*slot).to_owned(), json!({"type": ty, "id": id}))).collect();
            json!({"template_id": format!("policy{}", link.template), "new_id": link.id, "values": values})
        })
        .collect();
    let document = json!({
        "policies": set.policies, "template_links": links, "entities": set.entities, "requests": set.requests,
        "errors": errors,
    });
    let answer: Value =
        serde_json::from_str(&op("policy_evaluate", &document.to_string())?).map_err(|e| e.to_string())?;
    let names = |list: &Value| {
        let names = list.as_array().into_iter().flatten();
        names.filter_map(|name| name.as_str().map(str::to_owned)).collect::<BTreeSet<String>>()
    };
    let responses = answer["responses"].as_array().into_iter().flatten();
    Ok(responses.map(|r| (r["decision"] == "allow", names(&r["reasons"]), names(&r["errors"]))).collect())
}

#[cfg(test)]
mod tests {
    /// A longer run is `cargo xtask conformance policy`.
    #[test]
    fn agrees_with_cedar_over_the_whole_language() {
        let seen = super::run(1, 3_000, 2).unwrap_or_else(|difference| panic!("{difference}"));
        seen.check().unwrap_or_else(|what| panic!("{what}: {seen:?}"));
        assert_eq!(seen.requests, 3_000);
    }
}

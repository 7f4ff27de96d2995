//! `zt-peer-policy FILE`: median nanoseconds of one decision by regorus and by casbin, of the policies and requests in FILE.
//!
//! Prints one JSON document once every engine has given the right answers to a sample; `cargo xtask bench policy` reads it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value as Rego};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;
/// One decision, of the request with this number.
type Decides = Box<dyn FnMut(usize) -> Result<bool, Failure>>;

const BLOCKS: usize = 101;
const BLOCK: Duration = Duration::from_millis(1);
const IN_ALL: Duration = Duration::from_secs(3);

/// Policies as data, found by role, method and segment: the quickest of the ways to write them.
const REGO: &str = r#"package authorize
import rego.v1
default allow := false
allow if {
  permitted
  not forbidden
}
permitted if {
  some role in input.roles
  some rule in data.permits[role][input.method][input.segment]
  holds(rule)
}
forbidden if {
  some role in input.roles
  some rule in data.forbids[role][input.method][input.segment]
  holds(rule)
}
holds(rule) if rule.kind == "none"
holds(rule) if {
  rule.kind == "mfa_and_risk"
  input.mfa
  input.risk < rule.a
}
holds(rule) if {
  rule.kind == "token_age"
  input.token_age_s < rule.a
}
holds(rule) if {
  rule.kind == "hours"
  input.hour >= rule.a
  input.hour < rule.b
}
holds(rule) if {
  rule.kind == "risk"
  input.risk > rule.a
}
holds(rule) if {
  rule.kind == "no_mfa"
  not input.mfa
}
"#;

/// The cheap comparisons first.
const MODEL: &str = "[request_definition]
r = sub, seg, act, risk, mfa, age, hour
[policy_definition]
p = role, seg, act, cond, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && r.seg == p.seg && g(r.sub, p.role) && eval(p.cond)
";

fn main() -> Result<(), Failure> {
    let file = std::env::args().nth(1).ok_or("a file of policies and requests")?;
    let given: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let policies = given["policies"].as_u64().unwrap_or_default();
    let sample = if policies > 1_000 { 40 } else { 256 };
    let mut rows = Vec::new();
    let engines: [(&str, fn(&Value) -> Result<Decides, Failure>); 3] = [
        ("regorus 0.14.1 VM, indexed data", virtual_machine),
        ("regorus 0.14.1 interpreter, indexed data", interpreter),
        ("casbin 2.20.0", by_casbin),
    ];
    for (engine, make) in engines {
        let row = make(&given).and_then(|mut decides| {
            check(&given, &mut decides, sample)?;
            measure(&given, &mut decides)
        });
        rows.push(match row {
            Ok(ns) => json!({"engine": engine, "ns": ns}),
            Err(error) => json!({"engine": engine, "ns": null, "reason": error.to_string()}),
        });
    }
    println!("{}", json!({"runtime": "Rust", "rows": rows}));
    Ok(())
}

fn requests(given: &Value) -> &[Value] {
    given["requests"].as_array().map_or(&[], Vec::as_slice)
}

fn check(given: &Value, decides: &mut Decides, sample: usize) -> Result<(), Failure> {
    for (at, asked) in requests(given).iter().enumerate().take(sample) {
        if decides(at)? != (asked["allowed"] == true) {
            return Err(format!("request {at} is answered wrongly").into());
        }
    }
    Ok(())
}

fn measure(given: &Value, decides: &mut Decides) -> Result<f64, Failure> {
    let count = requests(given).len();
    let (mut at, mut calls) = (0, 1);
    let (mut samples, started) = (Vec::new(), Instant::now());
    while samples.len() < BLOCKS && (started.elapsed() < IN_ALL || samples.is_empty()) {
        let block = Instant::now();
        for _ in 0..calls {
            decides(at % count)?;
            at += 1;
        }
        let took = block.elapsed();
        if took * 2 < BLOCK {
            calls *= 2;
        } else {
            samples.push(took.as_nanos() as f64 / calls as f64);
        }
    }
    samples.sort_by(f64::total_cmp);
    Ok(samples[samples.len() / 2])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The engine with the policies as data.
fn rego(given: &Value) -> Result<(Engine, Rego), Failure> {
    let mut data: [BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, Vec<Value>>>>; 2] = Default::default();
    for rule in given["rules"].as_array().into_iter().flatten() {
        let of = &mut data[usize::from(rule["permits"] != true)];
        let at = of.entry(text(&rule["role"])).or_default().entry(text(&rule["method"])).or_default();
        let one = json!({"kind": rule["kind"], "a": rule["a"], "b": rule["b"]});
        at.entry(text(&rule["segment"])).or_default().push(one);
    }
    let [permits, forbids] = data;
    let data = Rego::from_json_str(&json!({"permits": permits, "forbids": forbids}).to_string())?;
    let mut engine = Engine::new();
    engine.add_policy("authorize.rego".to_owned(), REGO.to_owned())?;
    engine.add_data(data.clone())?;
    Ok((engine, data))
}

/// Made for each request, as it would be of a request's fields.
fn inputs(given: &Value) -> impl Fn(usize) -> Rego + use<> {
    let requests = requests(given).to_vec();
    move |at| {
        let asked = &requests[at];
        let mut input = Rego::new_object();
        if let Ok(fields) = input.as_object_mut() {
            for name in ["method", "segment"] {
                fields.insert(Rego::from(name), Rego::from(text(&asked[name])));
            }
            let roles = asked["roles"].as_array().into_iter().flatten();
            fields.insert(Rego::from("roles"), Rego::from(roles.map(|r| Rego::from(text(r))).collect::<Vec<_>>()));
            for name in ["risk", "token_age_s", "hour"] {
                fields.insert(Rego::from(name), Rego::from(asked[name].as_i64().unwrap_or_default()));
            }
            fields.insert(Rego::from("mfa"), Rego::from(asked["mfa"] == true));
        }
        input
    }
}

fn virtual_machine(given: &Value) -> Result<Decides, Failure> {
    let (mut engine, data) = rego(given)?;
    let entry = "data.authorize.allow";
    let compiled = engine.compile_with_entrypoint(&entry.into())?;
    let program = Compiler::compile_from_policy(&compiled, &[entry])?;
    let mut vm = RegoVM::new();
    vm.load_program(program);
    vm.set_data(data)?;
    let input = inputs(given);
    Ok(Box::new(move |at| {
        vm.set_input(input(at));
        Ok(vm.execute()? == Rego::from(true))
    }))
}

fn interpreter(given: &Value) -> Result<Decides, Failure> {
    let (mut engine, _) = rego(given)?;
    let input = inputs(given);
    Ok(Box::new(move |at| {
        engine.set_input(input(at));
        Ok(engine.eval_rule("data.authorize.allow".to_owned())? == Rego::from(true))
    }))
}

fn by_casbin(given: &Value) -> Result<Decides, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let condition = |rule: &Value| match text(&rule["kind"]) {
        "mfa_and_risk" => format!("r.mfa && r.risk < {}", rule["a"]),
        "token_age" => format!("r.age < {}", rule["a"]),
        "hours" => format!("r.hour >= {} && r.hour < {}", rule["a"], rule["b"]),
        "risk" => format!("r.risk > {}", rule["a"]),
        "no_mfa" => "!r.mfa".to_owned(),
        _ => "true".to_owned(),
    };
    let line = |rule: &Value| {
        let effect = if rule["permits"] == true { "allow" } else { "deny" };
        let of = |name: &str| text(&rule[name]).to_owned();
        vec![of("role"), of("segment"), of("method"), condition(rule), effect.to_owned()]
    };
    // casbin keeps no two policies that are the same.
    let mut lines: Vec<Vec<String>> = given["rules"].as_array().into_iter().flatten().map(line).collect();
    lines.sort_unstable();
    lines.dedup();
    let users = given["users"].as_array().into_iter().flatten();
    let roles = users.flat_map(|user| {
        let roles = user["roles"].as_array().into_iter().flatten();
        roles.map(move |role| vec![text(&user["id"]).to_owned(), text(role).to_owned()])
    });
    let enforcer = runtime.block_on(async {
        let model = DefaultModel::from_str(MODEL).await?;
        let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
        enforcer.add_policies(lines).await?;
        enforcer.add_grouping_policies(roles.collect()).await?;
        casbin::Result::Ok(enforcer)
    })?;
    let requests = requests(given).to_vec();
    Ok(Box::new(move |at| {
        let asked = &requests[at];
        let number = |name: &str| asked[name].as_i64().unwrap_or_default() as i32;
        let (risk, age, hour) = (number("risk"), number("token_age_s"), number("hour"));
        let (user, segment, method) = (text(&asked["user"]), text(&asked["segment"]), text(&asked["method"]));
        Ok(enforcer.enforce((user, segment, method, risk, asked["mfa"] == true, age, hour))?)
    }))
}

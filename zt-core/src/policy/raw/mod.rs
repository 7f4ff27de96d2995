//! Cedar requests as they are: any policies, entities and schema, answered by zt's evaluator.
//!
//! These are the operations `policy_evaluate` and `policy_explain`, for tools and conformance tests. Policies are named by
//! their position (`policy0`, `policy1`, ...), as Cedar's own library names them.

mod store;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{Context, Entities, EntityUid, Schema};

use crate::model::{Problem, Source};

use super::answer::{Tally, Verdict};
use super::compile::{
    Builder, Lane, POLICIES_MAX, PROBLEMS_MAX, Read, Refused, Slots, check_depth, linked_problem, origins, read,
    slots_of, with_stack,
};
use super::evaluate::{Evaluation, World};
use super::explain::{self, Explanation, Kinship};
use super::facts::Fact;
use super::program::{Origin, Program, Var};
use super::scope;
use super::value::{Record, Stored, Uid, Value};
use super::{Answer, ErrorMode};

use store::{Fields, Store};

/// Policies, entities and requests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Cedar policies.
    pub policies: String,
    /// Policies made of the templates among them; a template that nothing links decides nothing, as in Cedar.
    #[serde(default, alias = "templateLinks")]
    pub template_links: Vec<TemplateLink>,
    /// A schema in Cedar's syntax or its JSON form: entities and contexts are read by it.
    #[serde(default)]
    pub schema: Option<String>,
    /// Entities in Cedar's JSON form.
    #[serde(default)]
    pub entities: Vec<Json>,
    /// Requests.
    pub requests: Vec<Asked>,
    /// What a forbid that cannot be evaluated does; Cedar's way unless said otherwise.
    #[serde(default = "cedars_way")]
    pub errors: ErrorMode,
}

/// A policy made of a template. The names of Cedar's own JSON form are taken too.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateLink {
    /// The template, by its position: `policy0`, `policy1`, ...
    #[serde(alias = "templateId")]
    pub template_id: String,
    /// Name of the policy that this makes.
    #[serde(alias = "newId")]
    pub new_id: String,
    /// An entity for each slot, `?principal` or `?resource`, that the template has.
    #[serde(default)]
    pub values: BTreeMap<String, Json>,
}

/// One request: entities as `{"type", "id"}` or as `Type::"id"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Asked {
    /// Who.
    pub principal: Json,
    /// Does what.
    pub action: Json,
    /// With what.
    pub resource: Json,
    /// Under which circumstances.
    #[serde(default)]
    pub context: Json,
}

/// Answers, in the order of the requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Answers {
    /// One for each request.
    pub responses: Vec<Response>,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Response {
    /// Allow or deny.
    pub decision: Verdict,
    /// Policies that made it so.
    pub reasons: Vec<String>,
    /// Policies that could not be evaluated.
    pub errors: Vec<String>,
}

/// Explanations, in the order of the requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanations {
    /// One for each request.
    pub explanations: Vec<Explanation>,
}

const fn cedars_way() -> ErrorMode {
    ErrorMode::Cedar
}

/// Answers every request.
///
/// # Errors
/// What is wrong with the policies, the schema, an entity or a request, by its key.
pub fn evaluate(document: &Document) -> Result<Answers, Vec<Problem>> {
    let responses =
        with_stack(|| each(document, |program, world| respond(program, &answer(program, world, document.errors))))?;
    Ok(Answers { responses })
}

/// Explains every answer: what made it so, and what would have to change.
///
/// # Errors
/// What is wrong with the policies, the schema, an entity or a request, by its key.
pub fn explain(document: &Document) -> Result<Explanations, Vec<Problem>> {
    let explained = |program: &Program, world: &Bare<'_>| explain::explain(program, world, document.errors);
    Ok(Explanations { explanations: with_stack(|| each(document, explained))? })
}

/// Asks something about every request of a document.
fn each<T>(document: &Document, ask: impl Fn(&Program, &Bare<'_>) -> T) -> Result<Vec<T>, Vec<Problem>> {
    let program = compile(&document.policies, &document.template_links)?;
    let schema = document.schema.as_deref().map(schema).transpose().map_err(|problem| vec![problem])?;
    let store = store(document, schema.as_ref()).map_err(|problem| vec![problem])?;
    let mut told = Vec::with_capacity(document.requests.len());
    let mut problems = Vec::new();
    for (at, asked) in document.requests.iter().enumerate() {
        match in_world(&program, &store, asked, schema.as_ref(), &ask) {
            Ok(answer) => told.push(answer),
            Err(problem) => problems.push(problem.under(&format!("requests[{at}]"))),
        }
    }
    if problems.is_empty() { Ok(told) } else { Err(problems) }
}

fn compile(text: &str, links: &[TemplateLink]) -> Result<Program, Vec<Problem>> {
    let source = Source { key: "policies".to_owned(), name: None, text };
    let (read, mut problems) = read(&source);
    let Some(read) = read.filter(|_| problems.is_empty()) else { return Err(problems) };
    let origins: Vec<Origin> = origins(&source, &read).collect();
    let mut builder = Builder::default();
    let mut names = BTreeSet::new();
    for (at, ((_, template), origin)) in read.policies.iter().zip(&origins).enumerate() {
        names.insert(format!("policy{at}"));
        if slots_of(template) != [false; 2] {
            continue;
        }
        let compiled = builder.rule(&format!("policy{at}"), origin.clone(), template, Lane::Raw);
        problems.extend(compiled.err().map(|refused| unsupported("policies", &format!("policy{at}"), &refused)));
    }
    let count = read.policies.len().saturating_add(links.len());
    if count > POLICIES_MAX {
        let message = format!("{count} policies and links; at most {POLICIES_MAX} are taken");
        return Err(vec![Problem::new("template_links", message)]);
    }
    let mut bytes = 0_usize;
    for (at, link) in links.iter().enumerate() {
        if problems.len() >= PROBLEMS_MAX {
            break;
        }
        let linked = linked(&read, link).and_then(|(template, slots)| {
            bytes = bytes.saturating_add(origins.get(template).map_or(0, |origin| origin.text.len()));
            if let Some(problem) = linked_problem("template_id", bytes) {
                return Err(problem);
            }
            let origin = origins.get(template).cloned().unwrap_or_default();
            let (_, template) = read.policies.get(template).ok_or_else(|| Problem::new("template_id", "unknown"))?;
            let compiled = builder.linked(&link.new_id, origin, template, slots, Lane::Raw);
            compiled.map_err(|refused| unsupported("template_id", &link.template_id, &refused))
        });
        let name = format!("two policies have the name `{}`", link.new_id);
        let repeated = (!names.insert(link.new_id.clone())).then(|| Problem::new("new_id", name));
        let found = linked.err().into_iter().chain(repeated);
        problems.extend(found.map(|problem| problem.under(&format!("template_links[{at}]"))));
    }
    if problems.is_empty() { Ok(builder.program) } else { Err(problems) }
}

fn unsupported(key: &str, policy: &str, refused: &Refused) -> Problem {
    Problem::new(key, format!("`{policy}`: {} is not supported", refused.construct))
}

/// The template that a link names, and what its slots are filled with.
fn linked(read: &Read, link: &TemplateLink) -> Result<(usize, Slots), Problem> {
    let at = link.template_id.strip_prefix("policy").and_then(|at| at.parse::<usize>().ok());
    let template = at.and_then(|at| Some((at, &read.policies.get(at)?.1)));
    let Some((at, template)) = template.filter(|(at, _)| link.template_id == format!("policy{at}")) else {
        let problem = Problem::new("template_id", format!("there is no template `{}`", link.template_id));
        return Err(problem.mend("templates have the names of their positions: `policy0`, `policy1`, ..."));
    };
    let wanted = slots_of(template);
    if wanted == [false; 2] {
        return Err(Problem::new("template_id", format!("`{}` is a policy without slots", link.template_id)));
    }
    let value = |slot: &str, wanted: bool| match (wanted, link.values.get(slot)) {
        (false, None) => Ok(None),
        (true, Some(json)) => uid(&format!("values.{slot}"), json).map(|uid| Some(name(&uid))),
        (true, None) => Err(Problem::new("values", format!("nothing for the slot `{slot}`"))),
        (false, Some(_)) => Err(Problem::new("values", format!("the template has no slot `{slot}`"))),
    };
    if let Some(slot) = link.values.keys().find(|slot| !["?principal", "?resource"].contains(&slot.as_str())) {
        return Err(Problem::new(
            "values",
            format!("there is no slot `{slot}`; there are `?principal` and `?resource`"),
        ));
    }
    let [principal, resource] = wanted;
    Ok((at, Slots { principal: value("?principal", principal)?, resource: value("?resource", resource)? }))
}

fn name(uid: &EntityUid) -> (String, String) {
    (uid.type_name().to_string(), uid.id().unescaped().to_owned())
}

fn schema(text: &str) -> Result<Schema, Problem> {
    let wrong = |error: DetailedError| Problem::new("schema", error.message);
    if !check_depth(text) {
        return Err(Problem::new("schema", "nested too deep to be parsed safely"));
    }
    if text.trim_start().starts_with('{') {
        return Schema::from_json_str(text).map_err(|error| wrong(DetailedError::from(&error)));
    }
    Schema::from_cedarschema_str(text).map(|(schema, _)| schema).map_err(|error| wrong(DetailedError::from(&error)))
}

fn store(document: &Document, schema: Option<&Schema>) -> Result<Store, Problem> {
    let wrong = |message: String| Problem::new("entities", message);
    let entities = Entities::from_json_value(Json::Array(document.entities.clone()), schema);
    let entities = entities.map_err(|error| wrong(DetailedError::from(&error).message))?;
    let plain = entities.to_json_value().map_err(|error| wrong(error.to_string()))?;
    store::read(&plain).ok_or_else(|| wrong("an entity cannot be read back".to_owned()))
}

fn in_world<T>(
    program: &Program,
    store: &Store,
    asked: &Asked,
    schema: Option<&Schema>,
    ask: impl Fn(&Program, &Bare<'_>) -> T,
) -> Result<T, Problem> {
    let principal = uid("principal", &asked.principal)?;
    let action = uid("action", &asked.action)?;
    let resource = uid("resource", &asked.resource)?;
    let context = match &asked.context {
        Json::Null => Json::Object(serde_json::Map::new()),
        json => json.clone(),
    };
    let wrong = |message: String| Problem::new("context", message);
    let context = Context::from_json_value(context, schema.map(|schema| (schema, &action)));
    let context = context.map_err(|error| wrong(DetailedError::from(&error).message))?;
    let context = context.to_json_value().map_err(|error| wrong(error.to_string()))?;
    let context = store::fields(&context).ok_or_else(|| wrong("cannot be read back".to_owned()))?;
    let (principal, action, resource) = (name(&principal), name(&action), name(&resource));
    let world = Bare {
        program,
        store,
        context: &context,
        principal: borrow(&principal),
        action: borrow(&action),
        resource: borrow(&resource),
    };
    Ok(ask(program, &world))
}

fn answer(program: &Program, world: &Bare<'_>, mode: ErrorMode) -> Answer {
    let mut evaluation = Evaluation::new(program, world);
    let mut tally = Tally::default();
    for (at, rule) in (0..).zip(&program.rules) {
        if scope::fits(program, world, rule) == [true; 3] {
            tally.add(at, rule.effect, evaluation.holds(rule.body));
        }
    }
    tally.answer(mode)
}

fn uid(key: &str, json: &Json) -> Result<EntityUid, Problem> {
    match json {
        Json::String(text) => text.parse().map_err(|error| Problem::new(key, DetailedError::from(&error).message)),
        json => EntityUid::from_json(json.clone()).map_err(|error| Problem::new(key, error.to_string())),
    }
}

fn borrow((ty, id): &(String, String)) -> Uid<'_> {
    Uid { ty, id }
}

fn respond(program: &Program, answer: &Answer) -> Response {
    let names = |of: &[u32]| {
        let rules = of.iter().filter_map(|rule| program.rules.get(*rule as usize));
        rules.map(|rule| rule.id.to_string()).collect()
    };
    Response { decision: answer.verdict, reasons: names(&answer.determining), errors: names(&answer.errors) }
}

/// A request in a world of entities.
struct Bare<'a> {
    program: &'a Program,
    store: &'a Store,
    context: &'a Fields,
    principal: Uid<'a>,
    action: Uid<'a>,
    resource: Uid<'a>,
}

impl<'a> World<'a> for Bare<'a> {
    fn entity(&self, var: Var) -> Option<Uid<'a>> {
        match var {
            Var::Principal => Some(self.principal),
            Var::Action => Some(self.action),
            Var::Resource => Some(self.resource),
            Var::Context => None,
        }
    }

    fn context(&self) -> Option<Record<'a>> {
        Some(Record::Stored(self.context))
    }

    fn fact(&self, _: Fact) -> Option<Value<'a>> {
        None
    }

    fn within(&self, entity: Uid<'_>, ancestor: Uid<'_>) -> bool {
        entity == ancestor || self.store.within(entity, ancestor)
    }

    fn var_within(&self, var: Var, symbol: u32) -> bool {
        match (self.entity(var), self.program.uid(symbol)) {
            (Some(entity), Some(ancestor)) => self.within(entity, ancestor),
            _ => false,
        }
    }

    fn attribute(&self, entity: Uid<'_>, name: &str) -> Option<&'a Stored> {
        self.store.find(entity)?.attributes.get(name)
    }

    fn tag(&self, entity: Uid<'_>, name: &str) -> Option<&'a Stored> {
        self.store.find(entity)?.tags.get(name)
    }
}

impl<'a> Kinship<'a> for Bare<'a> {
    fn above(&self, entity: Uid<'_>) -> Vec<Uid<'a>> {
        self.store.find(entity).map_or_else(Vec::new, |entity| entity.above().collect())
    }
}

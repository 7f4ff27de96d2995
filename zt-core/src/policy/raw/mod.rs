//! Cedar requests as they are: any policies, entities and schema, answered by zt's evaluator.
//!
//! These are the operations `policy_evaluate` and `policy_explain`, for tools and conformance tests. Policies are named by
//! their position (`policy0`, `policy1`, ...), as Cedar's own library names them.

mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{Context, Entities, EntityUid, Schema};

use crate::model::{Problem, Source};

use super::answer::{Tally, Verdict};
use super::compile::{Builder, Lane, Refused, check_depth, origins, parse_text, with_stack};
use super::evaluate::{Evaluation, World};
use super::explain::{self, Explanation, Kinship};
use super::facts::Fact;
use super::program::{Program, Var};
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
    let program = compile(&document.policies)?;
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

fn compile(text: &str) -> Result<Program, Vec<Problem>> {
    let source = Source { key: "policies".to_owned(), name: None, text };
    let (_, templates) = parse_text(&source)?;
    let mut builder = Builder::default();
    let mut problems = Vec::new();
    let mut origins = origins(&source).into_iter();
    for (at, template) in templates.iter().enumerate() {
        let origin = origins.next().unwrap_or_default();
        if let Err(Refused { construct, .. }) = builder.rule(&format!("policy{at}"), origin, template, Lane::Raw) {
            problems.push(Problem::new("policies", format!("`policy{at}`: {construct} is not supported")));
        }
    }
    if problems.is_empty() { Ok(builder.program) } else { Err(problems) }
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
    let name = |uid: &EntityUid| (uid.type_name().to_string(), uid.id().unescaped().to_owned());
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

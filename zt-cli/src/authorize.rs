//! `zt authorize`: raw Cedar requests in, one answer a line out.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zt_core::wire;

use crate::args::Authorize;
use crate::configuration::text;
use crate::events::{self, Malformed};
use crate::output::{self, Output};
use crate::{Ending, Failure, progress};

/// Requests evaluated at once: policies and entities are compiled once for all of them.
const CHUNK: usize = 4096;

pub(crate) fn run(arguments: &Authorize) -> Result<Ending, Failure> {
    let entities = arguments.entities.as_deref().map_or(Ok("[]".to_owned()), text)?;
    let entities = RawValue::from_string(entities).map_err(|error| {
        let path = arguments.entities.as_deref().unwrap_or(Path::new(""));
        Failure(format!("`{}` is not JSON: {error}", path.display()))
    })?;
    let mut batch = Batch {
        policies: text(&arguments.policies)?,
        schema: arguments.schema.as_deref().map(text).transpose()?,
        entities,
        requests: Vec::new(),
        errors: arguments.errors.clone(),
    };
    // Mistakes in policies, schema and entities are told before any request is read.
    batch.evaluate()?;

    let mut output = Output::new();
    let mut summary = Summary::default();
    let bar = progress::bar(&arguments.requests);
    let malformed = Malformed::strict(arguments.strict);
    summary.malformed = events::each(&arguments.requests, malformed, &bar, |_, request: Box<RawValue>| {
        batch.requests.push(request);
        if batch.requests.len() < CHUNK { Ok(()) } else { batch.answer(&mut output, &mut summary) }
    })?;
    batch.answer(&mut output, &mut summary)?;
    bar.finish_and_clear();
    output.finish()?;

    if arguments.json {
        output::tell_json(&summary)
    } else {
        output::tell(&summary.text())
    }
    Ok(if summary.malformed == 0 { Ending::Clean } else { Ending::Findings })
}

/// What the operation `policy_evaluate` takes.
#[derive(Serialize)]
struct Batch {
    policies: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    entities: Box<RawValue>,
    requests: Vec<Box<RawValue>>,
    errors: String,
}

#[derive(Deserialize)]
struct Answers {
    responses: Vec<Answer>,
}

#[derive(Deserialize, Serialize)]
struct Answer {
    decision: String,
    reasons: Vec<String>,
    errors: Vec<String>,
}

impl Batch {
    fn evaluate(&self) -> Result<Vec<Answer>, Failure> {
        let document = serde_json::to_string(self).map_err(|error| Failure(error.to_string()))?;
        let answers = wire::op("policy_evaluate", &document).map_err(Failure)?;
        let answers: Answers = serde_json::from_str(&answers).map_err(|error| Failure(error.to_string()))?;
        Ok(answers.responses)
    }

    fn answer(&mut self, output: &mut Output, summary: &mut Summary) -> Result<(), Failure> {
        for answer in self.evaluate()? {
            summary.count(&answer);
            output.json(&answer)?;
        }
        self.requests.clear();
        Ok(())
    }
}

#[derive(Default, Serialize)]
struct Summary {
    requests: u64,
    allow: u64,
    deny: u64,
    malformed: u64,
}

impl Summary {
    fn count(&mut self, answer: &Answer) {
        self.requests = self.requests.saturating_add(1);
        let counter = if answer.decision == "allow" { &mut self.allow } else { &mut self.deny };
        *counter = counter.saturating_add(1);
    }

    fn text(&self) -> String {
        let Self { requests, allow, deny, malformed } = self;
        format!("{requests} requests, {allow} allow, {deny} deny, {malformed} malformed lines")
    }
}

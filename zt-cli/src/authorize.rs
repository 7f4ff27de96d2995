//! `zt authorize`: raw Cedar requests in, one answer a line out.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use zt_core::engine::Invalid;
use zt_core::model::Problem;
use zt_core::policy::raw::{Answers, Asked, Document, evaluate};
use zt_core::policy::{ErrorMode, Verdict};

use crate::args::{Authorize, Errors};
use crate::configuration::text;
use crate::events::{self, Malformed};
use crate::output::{self, Output};
use crate::{Ending, Failure, progress};

/// Requests evaluated at once: policies and entities are compiled once for all of them.
const CHUNK: usize = 4096;

pub(crate) fn run(arguments: &Authorize) -> Result<Ending, Failure> {
    let mut batch = Batch::new(arguments)?;
    // Mistakes in policies, schema and entities are told before any request is read.
    batch.evaluate().map_err(|problems| batch.failure(problems))?;

    let mut output = Output::new();
    let mut summary = Summary::default();
    let bar = progress::bar(&arguments.lines.files);
    let malformed = events::each(&arguments.lines.files, batch.malformed, &bar, |place, request: Asked| {
        batch.places.push(place.text());
        batch.document.requests.push(request);
        if batch.places.len() < CHUNK { Ok(()) } else { batch.answer(&mut output, &mut summary) }
    })?;
    batch.answer(&mut output, &mut summary)?;
    summary.malformed = summary.malformed.saturating_add(malformed);
    bar.finish_and_clear();
    output.finish()?;

    if arguments.common.json {
        output::tell_json(&summary)
    } else {
        output::tell(&summary.text())
    }
    Ok(if summary.malformed == 0 { Ending::Clean } else { Ending::Findings })
}

/// Requests that are evaluated together.
struct Batch {
    document: Document,
    /// Keys of the document, and the files that they were read from.
    files: Vec<(&'static str, String)>,
    /// Where each request stands.
    places: Vec<String>,
    malformed: Malformed,
}

impl Batch {
    fn new(arguments: &Authorize) -> Result<Self, Failure> {
        let document = Document {
            policies: text(&arguments.policies)?,
            template_links: list(arguments.links.as_deref(), "links of templates")?,
            schema: arguments.schema.as_deref().map(text).transpose()?,
            entities: list(arguments.entities.as_deref(), "entities")?,
            requests: Vec::new(),
            errors: match arguments.errors {
                Errors::Cedar => ErrorMode::Cedar,
                Errors::Deny => ErrorMode::Deny,
            },
        };
        let files = [
            ("policies", Some(&arguments.policies)),
            ("template_links", arguments.links.as_ref()),
            ("schema", arguments.schema.as_ref()),
            ("entities", arguments.entities.as_ref()),
        ];
        let named = |(key, path): (_, Option<&PathBuf>)| path.map(|path| (key, path.display().to_string()));
        let files = files.into_iter().filter_map(named).collect();
        Ok(Self { document, files, places: Vec::new(), malformed: Malformed::strict(arguments.lines.strict) })
    }

    fn evaluate(&self) -> Result<Answers, Vec<Problem>> {
        evaluate(&self.document)
    }

    /// Mistakes by the file that they are in.
    fn failure(&self, mut problems: Vec<Problem>) -> Failure {
        for problem in problems.iter_mut().filter(|problem| problem.file.is_none()) {
            let of = |(key, _): &&(&str, String)| problem.key.starts_with(key);
            problem.file = self.files.iter().find(of).map(|(_, file)| file.clone());
        }
        Failure(Invalid(problems).to_string())
    }

    /// Answers what was collected; a request that cannot be evaluated is a malformed line.
    fn answer(&mut self, output: &mut Output, summary: &mut Summary) -> Result<(), Failure> {
        let answers = match self.evaluate() {
            Ok(answers) => answers,
            Err(problems) => {
                self.set_aside(&problems, summary)?;
                self.evaluate().map_err(|problems| self.failure(problems))?
            }
        };
        for answer in &answers.responses {
            summary.count(answer.decision);
            output.json(answer)?;
        }
        self.places.clear();
        self.document.requests.clear();
        Ok(())
    }

    /// Reports and removes the requests that these problems are about.
    fn set_aside(&mut self, problems: &[Problem], summary: &mut Summary) -> Result<(), Failure> {
        let mut wrong = vec![false; self.places.len()];
        for problem in problems {
            let Some((at, key)) = request_of(&problem.key) else { continue };
            let (Some(place), Some(wrong)) = (self.places.get(at), wrong.get_mut(at)) else { continue };
            output::tell(&format!("{place}: malformed: `{key}`: {}", problem.message));
            if self.malformed == Malformed::Fatal {
                return Err(Failure(format!("stopped at a malformed line ({place})")));
            }
            summary.malformed = summary.malformed.saturating_add(u64::from(!*wrong));
            *wrong = true;
        }
        let mut keep = wrong.iter().map(|wrong| !wrong);
        self.document.requests.retain(|_| keep.next().unwrap_or(true));
        Ok(())
    }
}

/// `requests[7].principal` is of the request 7, and its `principal`.
fn request_of(key: &str) -> Option<(usize, &str)> {
    let (at, rest) = key.strip_prefix("requests[")?.split_once(']')?;
    Some((at.parse().ok()?, rest.trim_start_matches('.')))
}

/// The JSON array in a file; empty without one.
fn list<T: DeserializeOwned>(path: Option<&Path>, what: &str) -> Result<Vec<T>, Failure> {
    let Some(path) = path else { return Ok(Vec::new()) };
    serde_json::from_str(&text(path)?)
        .map_err(|error| Failure(format!("`{}` is not a list of {what}: {error}", path.display())))
}

#[derive(Default, Serialize)]
struct Summary {
    requests: u64,
    allow: u64,
    deny: u64,
    malformed: u64,
}

impl Summary {
    fn count(&mut self, verdict: Verdict) {
        self.requests = self.requests.saturating_add(1);
        let counter = match verdict {
            Verdict::Allow => &mut self.allow,
            Verdict::Deny => &mut self.deny,
        };
        *counter = counter.saturating_add(1);
    }

    fn text(&self) -> String {
        let Self { requests, allow, deny, malformed } = self;
        format!("{requests} requests, {allow} allow, {deny} deny, {malformed} malformed lines")
    }
}

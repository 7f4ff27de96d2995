//! `zt eval`: recorded events and a baseline in, measures out.

use std::collections::BTreeMap;
use std::path::Path;

use zt_core::anomaly::{Baseline, Scored, Target};
use zt_core::engine;
use zt_core::evaluate::{Explanations, Family, Options, Planted, Report, Row, evaluate, plant};
use zt_core::model::{Event, Request};
use zt_core::{Engine, State};

use crate::args::Eval;
use crate::configuration::Configuration;
use crate::output::{self, Output};
use crate::recorded::{self, Told};
use crate::{Ending, Failure, baseline, events, plot, progress, whole};

/// Attacks that are planted.
const MOST_PLANTED: u64 = 30_000;
/// Keeps the rows of neighbouring seeds apart.
const ODD: u64 = 0xd6e8_feb8_6659_fd93;
/// Events that a family waits for a place.
const PATIENCE: u32 = 64;
/// Where neither the command line nor the configuration says one.
const USUAL_BUDGET: f64 = 0.001;

pub(crate) fn run(arguments: &Eval) -> Result<Ending, Failure> {
    let configuration = Configuration::read(arguments.common.config.as_deref())?;
    let configured = configuration.config().anomaly.map(|anomaly| anomaly.budget);
    let budget = arguments.budget.or(configured).unwrap_or(USUAL_BUDGET);
    if !(budget > 0.0 && budget < 1.0) {
        return Err(Failure(format!("a budget is a share between 0 and 1, as in `--budget 0.001`, and not {budget}")));
    }
    let baseline = baseline::read(&arguments.baseline)?;
    let engine = configuration.scoring(&baseline)?;

    let bar = progress::bar_of_turns(&arguments.recorded.files, 1);
    let mut judged = Judged::default();
    // As a server that learns nothing more would have seen them.
    let state = State::new(&engine);
    state.freeze();
    let malformed = recorded::each(&arguments.recorded, Told::Reported, &bar, |path, mut event| {
        let (now, label, response) = (event.time_ms, event.label.take(), event.response.take());
        let decision = engine.decide(&state, &event.into_request(), now);
        judged.add(label.as_deref(), path, (decision.score, decision.risk));
        if let Some(response) = response {
            engine.observe(&state, &decision, &response, now);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let events = judged.rows.len();
    let labelled = judged.rows.iter().filter(|row| row.label.is_some()).count();
    let mut explanations = Explanations::default();
    if labelled == 0 && events > 0 {
        // Copies have no place among what clients do over time: each is judged by itself, and so are all others.
        judged.rows.clear();
        let judge = Judge { baseline: &baseline, engine: &engine, budget };
        judge.plant(arguments, &mut judged, &mut explanations)?;
    }

    let options = Options { budget, calibrated_on: Some(baseline.calibrated_on()), seed: arguments.seed };
    let mut report = evaluate(&judged.rows(), &options);
    report.explanations = explanations.list();
    report.notes = notes(&report, events, labelled);
    write(arguments, &report)?;
    if malformed > 0 {
        output::tell(&format!("{malformed} malformed lines"));
    }
    Ok(if malformed == 0 { Ending::Clean } else { Ending::Findings })
}

/// All that a report goes to.
fn write(arguments: &Eval, report: &Report) -> Result<(), Failure> {
    let markdown = report.to_markdown();
    if let Some(path) = &arguments.markdown {
        whole::write(path, markdown.as_bytes())?;
    }
    if let Some(path) = &arguments.svg {
        plot::write(path, report)?;
    }
    let mut output = Output::new();
    if arguments.common.json {
        output.json(report)?
    } else {
        output.line(markdown.trim_end())?
    }
    output.finish()
}

/// What has to be known before the figures.
fn notes(report: &Report, events: usize, labelled: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if labelled == 0 && events > 0 {
        notes.push(format!(
            "No event has a label: all {events} are taken for normal, and {} attacks were planted into copies of them. \
             Figures over planted attacks compare settings; they are no promise against people who know the service.",
            report.attacks
        ));
    } else if labelled < events {
        notes.push(format!(
            "{} of {events} events have no label and are in no measure.",
            events.saturating_sub(labelled)
        ));
    }
    let asked = report.calibration.iter().find(|budgeted| budgeted.budget == report.budget);
    if asked.is_some_and(|budgeted| budgeted.calibrated == Some(false)) {
        notes.push(format!(
            "The baseline is not calibrated for a budget of {}: its scores were taken of {} requests, and about {:.0} are needed.",
            report.budget,
            report.calibrated_on.unwrap_or_default(),
            3.0 / report.budget
        ));
    }
    if report.attacks == 0 || report.normal == 0 {
        notes.push("Without attacks and normal requests there is nothing to tell apart.".to_owned());
    }
    notes
}

/// Says how strange requests are.
struct Judge<'j> {
    baseline: &'j Baseline,
    engine: &'j Engine,
    budget: f64,
}

impl Judge<'_> {
    /// Scores a request by itself; and what follows while it is known what it was compared with.
    fn score<T>(&self, request: &Request<'_>, then: impl FnOnce((&Scored, &Target<'_>)) -> T) -> (Scored, T) {
        let found = self.engine.router().route(request).ok();
        let target = engine::target(found.as_ref());
        let scored = self.baseline.score(request, &target);
        let then = then((&scored, &target));
        (scored, then)
    }

    /// Attacks in copies of the events.
    fn plant(&self, arguments: &Eval, judged: &mut Judged, explanations: &mut Explanations) -> Result<(), Failure> {
        if arguments.recorded.files.iter().any(|path| path.as_os_str() == "-") {
            let message =
                "no event has a label, and to plant attacks the inputs are read again: standard input cannot be one";
            return Err(Failure(message.to_owned()));
        }
        let bar = progress::bar_of_turns(&arguments.recorded.files, 1);
        let mut planter = Planter::new(arguments.seed);
        recorded::each(&arguments.recorded, Told::Before, &bar, |path, event| {
            let (normal, ()) = self.score(&event.request, |_| ());
            judged.add(Some(Event::NORMAL), path, (normal.score, 1.0 - normal.share));
            if let Some(planted) = planter.next(&event) {
                let (scored, ()) = self.score(&planted.event.request, |(scored, target)| {
                    let detected = scored.share <= self.budget;
                    let told = detected.then(|| self.baseline.explain(&planted.event.request, target, scored));
                    explanations.add(&planted, target, told.as_deref());
                });
                judged.add(Some(planted.family.as_str()), path, (scored.score, 1.0 - scored.share));
            }
            Ok(())
        })?;
        bar.finish_and_clear();
        Ok(())
    }
}

/// One family after the other, each in the next event that has a place for it.
struct Planter {
    random: u64,
    planted: u64,
    family: usize,
    /// Events since the last that had a place.
    without: u32,
}

impl Planter {
    const fn new(seed: u64) -> Self {
        Self { random: seed.wrapping_mul(ODD), planted: 0, family: 0, without: 0 }
    }

    fn next(&mut self, event: &Event) -> Option<Planted> {
        if self.planted >= MOST_PLANTED {
            return None;
        }
        let family = Family::ALL.get(self.family)?;
        self.random = self.random.wrapping_add(1);
        let planted = plant(event, *family, self.random);
        self.without = if planted.is_some() { 0 } else { self.without.saturating_add(1) };
        self.planted = self.planted.saturating_add(u64::from(planted.is_some()));
        if planted.is_some() || self.without >= PATIENCE {
            self.without = 0;
            self.family = self.family.saturating_add(1) % Family::ALL.len();
        }
        planted
    }
}

/// Rows whose names stand once.
#[derive(Default)]
struct Judged {
    labels: Names,
    sources: Names,
    rows: Vec<Numbered>,
}

/// Names by their number, and numbers by their name.
#[derive(Default)]
struct Names {
    names: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    fn of(&self, number: usize) -> Option<&str> {
        self.names.get(number).map(String::as_str)
    }
}

struct Numbered {
    label: Option<usize>,
    source: usize,
    score: f64,
    risk: f64,
}

impl Judged {
    fn add(&mut self, label: Option<&str>, source: &Path, (score, risk): (f64, f64)) {
        let label = label.map(|label| self.labels.number(label));
        let source = self.sources.number(&events::name(source));
        self.rows.push(Numbered { label, source, score, risk });
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let row = |row: &Numbered| Row {
            label: row.label.and_then(|number| self.labels.of(number)),
            score: row.score,
            risk: row.risk,
            passes: None,
            source: self.sources.of(row.source),
        };
        self.rows.iter().map(row).collect()
    }
}

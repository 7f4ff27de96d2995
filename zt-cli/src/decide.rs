//! `zt decide`: recorded events in, one decision a line out.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;
use zt_core::State;
use zt_core::anomaly::{Course, Drift};
use zt_core::engine::{AnomalyReport, Timer};
use zt_core::model::{Decision, Event, Outcome};

use crate::args::Decide;
use crate::configuration::Configuration;
use crate::events::{self, Malformed};
use crate::output::{self, Output};
use crate::{Ending, Failure, baseline, log, progress, snapshot};

pub(crate) fn run(arguments: &Decide) -> Result<Ending, Failure> {
    let configuration = Configuration::read(arguments.common.config.as_deref())?;
    let engine = match &arguments.baseline {
        Some(path) => configuration.scoring(&baseline::read(path)?),
        None => configuration.engine(),
    }?;
    let state = State::new(&engine);
    if arguments.freeze {
        state.freeze();
    }
    if let Some(path) = &arguments.state {
        snapshot::restore(path, &state)?;
    }

    let mut log = log::Writer::open(&arguments.log)?;
    let started = Instant::now();
    let clock = || u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);

    let mut output = Output::new();
    let mut summary = Summary::default();
    let bar = progress::bar(&arguments.lines.files);
    summary.malformed = events::each(
        &arguments.lines.files,
        Malformed::strict(arguments.lines.strict),
        &bar,
        |_, mut event: Event| {
            let now = event.time_ms;
            let response = event.response.take();
            let request = event.into_request();
            let mut timer = arguments.log.timings.then(|| Timer::new(clock));
            let decision = match &mut timer {
                Some(timer) => engine.decide_timed(&state, &request, now, timer),
                None => engine.decide(&state, &request, now),
            };
            output.json(&decision)?;
            if let Some(log) = &mut log {
                log.write(&decision, &request, timer.map(|timer| timer.laps()).as_ref())?;
            }
            summary.count(&decision);
            if let Some(response) = response {
                engine.observe(&state, &decision, &response, now);
            }
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    output.finish()?;
    log.map(log::Writer::finish).transpose()?;

    if let Some(path) = arguments.state.as_ref().filter(|_| !arguments.freeze) {
        snapshot::save(path, &state)?;
    }
    summary.anomaly = state.anomaly_report();
    if arguments.common.json {
        output::tell_json(&summary)
    } else {
        output::tell(&summary.text())
    }
    Ok(if summary.malformed == 0 { Ending::Clean } else { Ending::Findings })
}

#[derive(Default, Serialize)]
struct Summary {
    events: u64,
    outcomes: BTreeMap<Outcome, u64>,
    /// Requests that the host would not have passed on.
    refused: u64,
    malformed: u64,
    /// Where it was asked how unusual requests are.
    #[serde(skip_serializing_if = "Option::is_none")]
    anomaly: Option<AnomalyReport>,
}

impl Summary {
    fn count(&mut self, decision: &Decision) {
        self.events = self.events.saturating_add(1);
        let of_outcome = self.outcomes.entry(decision.outcome).or_default();
        *of_outcome = of_outcome.saturating_add(1);
        self.refused = self.refused.saturating_add(u64::from(!decision.passes()));
    }

    fn text(&self) -> String {
        let mut parts = vec![format!("{} events", self.events)];
        parts.extend(self.outcomes.iter().map(|(outcome, count)| format!("{count} {}", outcome.as_str())));
        parts.push(format!("{} malformed lines", self.malformed));
        let anomaly = self.anomaly.iter().map(|report| format!("\n{}", told(&report.drift)));
        parts.join(", ") + &anomaly.collect::<String>()
    }
}

/// So many times the budget, where the clients are no more than it allows: a few of them make most of that.
const FEW_MAKE_MOST: f64 = 2.0;

/// Whether the budget is kept, in one line.
fn told(drift: &Drift) -> String {
    let percent = |share: f64| format!("{:.3} %", share * 100.0);
    let Drift { budget, needs, judged, alarms, rate, confidence, .. } = *drift;
    let kept = format!(
        "{alarms} of the last {judged} requests unusual ({}; each client once: {})",
        percent(rate),
        drift.clients
    );
    match drift.course {
        Course::NotCalibrated => {
            format!("not calibrated: {needs} more requests are needed for a budget of {}", percent(budget))
        }
        Course::Calm if judged == 0 => format!("budget of {}: nothing was judged yet", percent(budget)),
        // As a share of requests it is not.
        Course::Calm if rate > FEW_MAKE_MOST * budget => format!(
            "budget of {}: {kept}: few clients make most of these, and attack or have changed; confidence that it is kept for others {confidence:.2}",
            percent(budget)
        ),
        Course::Calm => format!("budget of {}: {kept}, confidence that it is kept {confidence:.2}", percent(budget)),
        Course::Drifting => {
            format!(
                "budget of {}: {kept}; what clients send has changed, or many attack: more is flagged than the budget",
                percent(budget)
            )
        }
    }
}

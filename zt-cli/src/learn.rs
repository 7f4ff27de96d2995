//! `zt learn`: recorded events in, a baseline out.

use serde::Serialize;
use serde_json::json;
use zt_core::anomaly::{Baseline, LIMIT_BUDGET};
use zt_core::learn::{Learner, Taught, least_budget};

use crate::args::Learn;
use crate::configuration::Configuration;
use crate::output::Output;
use crate::recorded::{self, Told};
use crate::{Ending, Failure, baseline, progress, whole};

#[derive(Serialize)]
struct Summary<'a> {
    baseline: String,
    bytes: usize,
    #[serde(flatten)]
    taught: &'a Taught,
    malformed: u64,
    calibrated_on: u64,
    least_budget: f64,
    /// Limits that follow, of `zt limits`.
    limits: usize,
    memory_bytes: usize,
}

pub(crate) fn run(arguments: &Learn) -> Result<Ending, Failure> {
    if arguments.recorded.files.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure("learning reads its inputs several times: standard input cannot be one".to_owned()));
    }
    let configuration = Configuration::read(arguments.common.config.as_deref())?;
    // Without one no endpoint is known: paths tell what is alike.
    let engine = arguments.common.config.as_ref().map(|_| configuration.engine()).transpose()?;
    let start = arguments.baseline.as_deref().map(baseline::read).transpose()?;
    let seeded = |seed| Learner::new(seed);
    let learner = match (&start, arguments.calibrate) {
        (Some(start), true) => Learner::calibrating(start),
        (Some(start), false) => Learner::going_on(start),
        (None, _) => match arguments.seed.or(configuration.config().state.seed) {
            Some(seed) => seeded(seed),
            None => seeded(random()?),
        },
    };
    let learner = match &engine {
        Some(engine) => learner.for_endpoints_of(engine),
        None => learner,
    };
    let learner = match &arguments.issuer {
        Some(issuer) => learner.with_issuer(issuer),
        None => learner,
    };

    let bar = progress::bar_of_turns(&arguments.recorded.files, learner.turns());
    let mut malformed = 0;
    let learned = learner.learn(|turn, take| {
        let told = if turn.number == 1 { Told::Reported } else { Told::Before };
        malformed = recorded::each(&arguments.recorded, told, &bar, |_, event| {
            take(&event);
            Ok(())
        })?;
        Ok(())
    })?;
    bar.finish_and_clear();
    if learned.taught.learned == 0 {
        return Err(nothing(arguments, &learned.taught, malformed));
    }
    let text = learned.baseline.to_text();
    whole::write(&arguments.out, text.as_bytes())?;
    tell(arguments, &learned.baseline, &learned.taught, text.len(), malformed)?;
    Ok(if malformed == 0 { Ending::Clean } else { Ending::Findings })
}

/// A baseline of nothing would replace a good one.
fn nothing(arguments: &Learn, taught: &Taught, malformed: u64) -> Failure {
    let Taught { refused, labelled, .. } = taught;
    let why = match (malformed, refused + labelled) {
        (0, 0) => "the inputs are empty".to_owned(),
        (_, 0) => {
            format!("{malformed} lines are neither an event nor of an access log (`--format` says what they are)")
        }
        (_, left_out) => format!(
            "{left_out} events are left out ({refused} refused, {labelled} for their label), {malformed} lines are malformed"
        ),
    };
    Failure(format!("nothing was learned, and `{}` is left as it was: {why}", arguments.out.display()))
}

fn tell(arguments: &Learn, made: &Baseline, taught: &Taught, bytes: usize, malformed: u64) -> Result<(), Failure> {
    let mut output = Output::new();
    let path = arguments.out.display().to_string();
    if arguments.common.json {
        output.json(&Summary {
            baseline: path,
            bytes,
            taught,
            malformed,
            calibrated_on: made.calibrated_on(),
            least_budget: least_budget(made),
            limits: limits(made),
            memory_bytes: made.memory(),
        })?;
        return output.finish();
    }
    let Taught { learned, refused, labelled } = taught;
    output.line(&format!("{path}: {bytes} bytes, {}", baseline::calibration(made)))?;
    output.line(&format!(
        "{learned} events learned, {refused} left out as refused, {labelled} for their label, {malformed} malformed lines"
    ))?;
    output.line(&format!("{} limits follow: `zt limits --baseline {path}`", limits(made)))?;
    output.finish()
}

/// Rates that were learned well enough to limit.
fn limits(made: &Baseline) -> usize {
    made.rates(LIMIT_BUDGET).limits.iter().filter(|limit| limit.recommended.is_some()).count()
}

/// A seed that nobody can foresee.
fn random() -> Result<u64, Failure> {
    getrandom::u64().map_err(|error| Failure(format!("the operating system gives no random number: {error}")))
}

/// `zt merge`.
pub(crate) fn merge(arguments: &crate::args::Merge) -> Result<Ending, Failure> {
    let mut merged: Option<Baseline> = None;
    for (number, path) in arguments.baselines.iter().enumerate() {
        if arguments.baselines.iter().take(number).any(|before| before == path) {
            return Err(Failure(format!("`{}` is given twice, and would count twice", path.display())));
        }
        let next = baseline::read(path)?;
        match &mut merged {
            None => merged = Some(next),
            Some(merged) => merged.join(&next).map_err(|error| {
                Failure(format!("`{}`: {error}: learn all of them with the same `--seed`", path.display()))
            })?,
        }
    }
    let merged = merged.ok_or_else(|| Failure("nothing to merge".to_owned()))?;
    let text = merged.to_text();
    whole::write(&arguments.out, text.as_bytes())?;
    let (path, number) = (arguments.out.display().to_string(), arguments.baselines.len());
    let mut output = Output::new();
    if arguments.json {
        let calibrated_on = merged.calibrated_on();
        output
            .json(&json!({"baseline": path, "bytes": text.len(), "merged": number, "calibrated_on": calibrated_on}))?;
    } else {
        output.line(&format!(
            "{path}: {} bytes, {number} baselines, {}",
            text.len(),
            baseline::calibration(&merged)
        ))?;
    }
    output.finish()?;
    Ok(Ending::Clean)
}

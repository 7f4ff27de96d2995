//! The recording through engines and peers in the order of time: everything learns as it goes, the second half is judged. The
//! first half is learned online, too, or before as a recording.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use serde_json::Value;
use zt_core::learn::Learner;
use zt_core::model::{Event, Millis};
use zt_core::{Engine, State};

use super::BUDGETS;
use super::changes::CHANGES;
use super::peers::{Clients, PEERS};
use crate::detection::data;

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;
const SEED: u64 = 1;
/// Days at the beginning that are without attacks.
const CLEAN: Millis = 5;

/// What an event is; the rest of a campaign's traffic, its cover, counts neither way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Normal,
    Core(usize),
    Cover,
}

/// What a decision says, as far as it is scored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) score: f64,
    pub(super) risk: f64,
    /// The first of its reasons that is of anomaly.
    pub(super) code: Option<&'static str>,
}

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) day: i64,
    pub(super) of: Of,
    pub(super) client: usize,
    /// Whether it is part of each change.
    pub(super) changes: [bool; CHANGES.len()],
    /// Of an engine with each budget.
    pub(super) zt: [Told; BUDGETS.len()],
    /// Of each peer; higher is stranger.
    pub(super) peers: [f64; PEERS.len()],
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    /// Of the days that are without attacks.
    pub(super) early: Vec<Row>,
    /// Of those that are judged.
    pub(super) rows: Vec<Row>,
    /// The kind of each campaign.
    pub(super) campaigns: Vec<String>,
    /// To decide about an event, observe its response and learn, microseconds.
    pub(super) micros: f64,
}

/// What an engine has learned before the days that are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// All that went before, online from nothing.
    Online,
    /// The same as a recording, by `zt learn`.
    Recorded,
}

/// An engine, and what it learns.
struct Started {
    engine: Engine,
    state: State,
}

impl Started {
    fn new(per_mille: u64, baseline: Option<&str>) -> Result<Self, String> {
        let budget = per_mille as f64 / 1e3;
        let baseline = baseline.map_or_else(String::new, |text| format!("baseline = '''{text}'''\n"));
        let config = format!(
            "version = 1\nmode = \"monitor\"\n[[endpoint]]\nmethod = \"*\"\npath = \"/**\"\nanonymous = true\n\
             [anomaly]\nbudget = {budget}\n{baseline}[state]\nseed = {SEED}\n"
        );
        let engine = Engine::from_toml(&config, &[]).map_err(|error| error.to_string())?;
        let state = State::new(&engine);
        Ok(Self { engine, state })
    }
}

impl Replayed {
    /// # Errors
    /// Where the recording is not there or is none.
    pub(super) fn run(before: Before) -> Result<Self, String> {
        let recorded = (before == Before::Recorded).then(recorded).transpose()?;
        let start = |per_mille| Started::new(per_mille, recorded.as_deref());
        let started = BUDGETS.map(start).into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut replayed = Self::default();
        let (mut numbers, mut clients) = (HashMap::new(), Clients::default());
        let (mut first_day, mut nanos) = (None, 0);
        eprintln!("shop_abuse: zt and peers learn online and judge days {} and later", CLEAN + 1);
        for line in data::lines("shop_abuse")? {
            let line = line?;
            let event: Event = serde_json::from_str(&line).map_err(|error| format!("shop_abuse: {error}"))?;
            let now = event.time_ms;
            let since = now - *first_day.get_or_insert(now - now.rem_euclid(DAY));
            if before == Before::Recorded && since < CLEAN * DAY {
                continue;
            }
            let of = replayed.of(&event, &line, &mut numbers);
            let path = String::from_utf8_lossy(event.request.path.bytes()).into_owned();
            let changes = CHANGES.map(|change| (change.holds)(since / HOUR, &path));
            let response = event.response.clone();
            let request = event.into_request();
            let client = clients.number(&request);
            let peers = clients.score(client, now);
            let zt: Vec<Told> = started
                .iter()
                .map(|Started { engine, state }| {
                    let start = Instant::now();
                    let decision = engine.decide(state, black_box(&request), now);
                    if let Some(response) = &response {
                        black_box(engine.observe(state, &decision, response, now));
                    }
                    nanos += start.elapsed().as_nanos();
                    let codes = decision.reasons.iter().map(|reason| reason.code.as_str());
                    let code = codes.into_iter().find(|code| code.starts_with("anomaly."));
                    Told { score: decision.score, risk: decision.risk, code }
                })
                .collect();
            let zt = zt.try_into().map_err(|_| "an engine is missing")?;
            let day = since / DAY;
            let half = if day < CLEAN { &mut replayed.early } else { &mut replayed.rows };
            half.push(Row { day, of, client, changes, zt, peers });
        }
        replayed.micros = nanos as f64 / 1e3 / (replayed.events() * BUDGETS.len()).max(1) as f64;
        Ok(replayed)
    }

    /// What the recording says beside the contract, for scoring only.
    fn of(&mut self, event: &Event, line: &str, numbers: &mut HashMap<String, usize>) -> Of {
        if !data::is_attack(data::label(event)) {
            return Of::Normal;
        }
        let told: Value = serde_json::from_str(line).unwrap_or_default();
        let (Some(campaign), Some("core")) = (told["campaign"].as_str(), told["role"].as_str()) else {
            return Of::Cover;
        };
        let next = numbers.len();
        let number = *numbers.entry(campaign.to_owned()).or_insert(next);
        if number == next {
            self.campaigns.push(data::label(event).to_owned());
        }
        Of::Core(number)
    }

    pub(super) fn events(&self) -> usize {
        self.early.len() + self.rows.len()
    }

    /// Of what is judged.
    pub(super) fn normal(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.of == Of::Normal)
    }
}

/// The baseline of the days without attacks, by path.
fn recorded() -> Result<String, String> {
    eprintln!("shop_abuse: zt learns days 1 to {CLEAN}");
    let (mut events, mut end) = (Vec::new(), None);
    for line in data::lines("shop_abuse")? {
        let event: Event = serde_json::from_str(&line?).map_err(|error| format!("shop_abuse: {error}"))?;
        if event.time_ms >= *end.get_or_insert(event.time_ms - event.time_ms.rem_euclid(DAY) + CLEAN * DAY) {
            break;
        }
        events.push(event);
    }
    let learned = Learner::new(SEED).learn(|_, take| {
        events.iter().for_each(take);
        Ok::<(), Infallible>(())
    });
    let Ok(learned) = learned;
    Ok(learned.baseline.to_text())
}

/// An event with a risk, of everything new.
#[cfg(test)]
pub(super) fn row(of: Of, client: usize, risk: f64) -> Row {
    let zt = [Told { score: risk, risk, code: None }; BUDGETS.len()];
    Row { day: 0, of, client, changes: [true; CHANGES.len()], zt, peers: [0.0; PEERS.len()] }
}

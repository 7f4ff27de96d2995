//! What happened so far: by time, by outcome, by code and by campaign.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use zt_core::model::{Decision, Millis, Outcome, Request};

use crate::player::BUDGET;
use crate::recording::Recording;

const MINUTE: Millis = 60_000;
/// Parts of the time axis, about.
const BUCKETS: Millis = 240;
/// Flagged requests that are remembered, the latest.
const MOST_FLAGGED: usize = 200;

/// One request and its decision.
pub(crate) struct Seen<'s> {
    pub(crate) request: &'s Request<'s>,
    /// The family, where it is labelled an attack.
    pub(crate) label: Option<String>,
    pub(crate) campaign: Option<String>,
    pub(crate) core: bool,
    pub(crate) decision: &'s Decision,
}

/// A part of the time axis. Pairs are of normal requests, unlabelled ones too, and of attacks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) requests: u64,
    pub(crate) flagged: [u64; 2],
    pub(crate) highest_risk: [f64; 2],
    pub(crate) highest_score: f64,
}

/// A request that was not simply allowed.
#[derive(Clone, Debug)]
pub(crate) struct Flagged {
    pub(crate) time: Millis,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) code: &'static str,
    pub(crate) label: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Campaign {
    pub(crate) kind: String,
    /// Whether a core request of it had a risk within the budget.
    pub(crate) found: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) name: String,
    pub(crate) first: Millis,
    pub(crate) last: Millis,
    pub(crate) now: Millis,
    pub(crate) events: u64,
    pub(crate) played: u64,
    pub(crate) elapsed: Duration,
    pub(crate) bucket: Millis,
    pub(crate) buckets: Vec<Bucket>,
    pub(crate) outcomes: BTreeMap<Outcome, [u64; 2]>,
    /// By the first reason of what was not simply allowed.
    pub(crate) codes: BTreeMap<&'static str, [u64; 2]>,
    pub(crate) flagged: VecDeque<Flagged>,
    pub(crate) campaigns: BTreeMap<String, Campaign>,
}

impl Story {
    pub(crate) fn new(recording: &Recording) -> Self {
        let Recording { first, last, events, .. } = *recording;
        let span = last - first;
        let bucket = (span / BUCKETS / MINUTE + 1) * MINUTE;
        Self {
            name: recording.path.display().to_string(),
            first,
            last,
            now: first,
            events,
            played: 0,
            elapsed: Duration::ZERO,
            bucket,
            buckets: vec![Bucket::default(); usize::try_from(span / bucket).unwrap_or(0) + 1],
            outcomes: BTreeMap::new(),
            codes: BTreeMap::new(),
            flagged: VecDeque::new(),
            campaigns: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, seen: &Seen<'_>) {
        let Decision { outcome, risk, score, time_ms, .. } = *seen.decision;
        let attack = usize::from(seen.label.is_some());
        self.played += 1;
        self.now = time_ms;
        self.outcomes.entry(outcome).or_default()[attack] += 1;
        let at = usize::try_from((time_ms - self.first) / self.bucket).unwrap_or(0).min(self.buckets.len() - 1);
        let bucket = &mut self.buckets[at];
        bucket.requests += 1;
        bucket.highest_risk[attack] = bucket.highest_risk[attack].max(risk);
        bucket.highest_score = bucket.highest_score.max(score);
        if let (Some(name), Some(kind), true) = (&seen.campaign, &seen.label, seen.core) {
            let campaign = self.campaigns.entry(name.clone()).or_default();
            campaign.kind.clone_from(kind);
            campaign.found |= risk >= 1.0 - BUDGET;
        }
        if outcome > Outcome::Allow {
            bucket.flagged[attack] += 1;
            let code = seen.decision.reasons.first().map_or("no code", |reason| reason.code.as_str());
            self.codes.entry(code).or_default()[attack] += 1;
            self.flagged.push_front(flagged(seen, code));
            self.flagged.truncate(MOST_FLAGGED);
        }
    }

    /// Of each kind: which of its campaigns were found, in the order of their names.
    pub(crate) fn kinds(&self) -> BTreeMap<&str, Vec<bool>> {
        let mut kinds: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
        for campaign in self.campaigns.values() {
            kinds.entry(&campaign.kind).or_default().push(campaign.found);
        }
        kinds
    }
}

fn flagged(seen: &Seen<'_>, code: &'static str) -> Flagged {
    let request = seen.request;
    let address = || request.peer.ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).collect::<String>();
    Flagged {
        time: seen.decision.time_ms,
        who: request.subject.as_deref().map_or_else(address, |subject| text(subject.as_bytes())),
        what: format!("{} {}", text(request.method.bytes()), text(request.path.bytes())),
        code,
        label: seen.label.clone(),
    }
}

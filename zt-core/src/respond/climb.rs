//! A request on the ladders: where its subjects stand before it, and where its own findings bring them.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::entry::{Entry, Instant, instant, millis};
use super::ladder::{Ladder, Reached, Standing, outcome};
use super::strikes::Strikes;
use super::subject::{Subject, Suspect};
use super::table::Table;
use super::{Responder, State};
use crate::model::{Action, ActionKind, Code, Finding, Identity, Millis, Mode, Outcome, Rung, SubjectKind};

/// What ladders and suspensions say of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graded {
    /// `respond.suspended` and `respond.strikes`, one for each that says something; marked `monitor` where its ladder is in
    /// monitor mode.
    pub findings: SmallVec<[Finding; 1]>,
    /// What was done.
    pub actions: SmallVec<[Action; 1]>,
    /// The end user has to have authenticated within so many seconds.
    pub max_age_s: Option<u64>,
    /// When a refused request may come again.
    pub retry_after_s: Option<u64>,
}

const OF_PEERS: [SubjectKind; 2] = [SubjectKind::Peer, SubjectKind::PeerPrefix];
const OF_IDENTITIES: [SubjectKind; 3] = [SubjectKind::Credential, SubjectKind::Session, SubjectKind::Identity];

impl Responder {
    /// Whether the address that a request comes from is suspended, or stands on a rung; before any signature work.
    ///
    /// # Codes
    /// `respond.suspended`, `respond.strikes`.
    pub fn check_peer(&self, state: &State, suspect: &Suspect<'_>, now: Millis) -> Graded {
        self.check(state, &OF_PEERS, suspect, now)
    }

    /// Whether the identity that was proven, its session or its credential is suspended, or stands on a rung.
    ///
    /// # Codes
    /// `respond.suspended`, `respond.strikes`.
    pub fn check_identity(&self, state: &State, suspect: &Suspect<'_>, now: Millis) -> Graded {
        self.check(state, &OF_IDENTITIES, suspect, now)
    }

    /// Whether a person has suspended the workload beside the identity. Ladders know the identity alone: it is whose request
    /// it is.
    ///
    /// # Codes
    /// `respond.suspended`.
    pub fn check_workload(&self, state: &State, workload: Option<&Identity>, now: Millis) -> Graded {
        let mut graded = Graded::default();
        let (now, suspect) = (instant(now), Suspect { peer: None, identity: workload });
        if workload.is_some() && now < state.by_hand_until.load(Ordering::Relaxed) {
            for kind in OF_IDENTITIES {
                graded.by_hand(state, kind, &suspect, now, "its workload's");
            }
        }
        graded
    }

    /// Counts the findings about a request as strikes against its subjects. The order of findings does not matter, and more
    /// of them never call for less.
    ///
    /// # Codes
    /// `respond.strikes`, where a higher rung was reached.
    pub fn strike(&self, state: &State, suspect: &Suspect<'_>, findings: &[Finding], now: Millis) -> Graded {
        let mut graded = Graded::default();
        if findings.is_empty() {
            return graded;
        }
        let now = instant(now);
        for (at, ladder) in self.ladders.iter().enumerate() {
            let strikes = Strikes::of(ladder, findings);
            if strikes.all == 0 {
                continue;
            }
            let (Some(table), Some(subject)) =
                (state.table(at, ladder), suspect.subject(ladder.subject, &state.hasher))
            else {
                continue;
            };
            let shared = table.shared(subject, now, ladder.longest());
            let reached = table.change(subject, now, |known| {
                if known.is_none() && shared.is_some() {
                    return (None, None);
                }
                let (mut entry, rewound) = ladder.settled(known.unwrap_or_default(), now);
                state.rewind(rewound);
                let reached = ladder.strike(&mut entry, strikes, subject.guard, now);
                // The request itself is the first on the throttle rung.
                if reached.is_some_and(|reached| reached.rose && reached.rung == Some(Rung::Throttle)) {
                    let _ = ladder.stand(&mut entry, now);
                }
                (Some(entry), reached)
            });
            if let Some(reached) = reached.filter(|reached| reached.rose) {
                graded.rose(ladder, &reached, now);
            }
        }
        graded
    }

    fn check(&self, state: &State, kinds: &[SubjectKind], suspect: &Suspect<'_>, now: Millis) -> Graded {
        let mut graded = Graded::default();
        let now = instant(now);
        if now < state.by_hand_until.load(Ordering::Relaxed) {
            for kind in kinds {
                graded.by_hand(state, *kind, suspect, now, "its");
            }
        }
        for (at, ladder) in self.ladders.iter().enumerate().filter(|(_, ladder)| kinds.contains(&ladder.subject)) {
            let Some(subject) = suspect.subject(ladder.subject, &state.hasher) else { continue };
            match state.table(at, ladder) {
                Some(table) => {
                    let standing = stand(state, ladder, table, subject, now);
                    graded.stands(ladder, standing, suspect, now);
                }
                // Nobody knows who is suspended.
                None => graded.findings.push(ladder.finding(Code::RespondSuspended, Outcome::Deny)),
            }
        }
        graded
    }
}

/// Where a subject stands on a ladder.
fn stand(state: &State, ladder: &Ladder, table: &Table, subject: Subject, now: Instant) -> Standing {
    let standing = |known: Option<Entry>| {
        let Some(known) = known else { return (None, None) };
        let (mut entry, rewound) = ladder.settled(known, now);
        state.rewind(rewound);
        let standing = ladder.stand(&mut entry, now);
        (Some(entry), Some(standing))
    };
    // Nearly nobody is known, and who is not costs no write.
    let known = if table.has(subject.key) { table.change(subject, now, standing) } else { None };
    let shared = || table.shared(subject, now, ladder.longest()).map(|until| Standing::Suspended { until });
    known.or_else(shared).unwrap_or(Standing::Free)
}

impl Graded {
    fn by_hand(&mut self, state: &State, kind: SubjectKind, suspect: &Suspect<'_>, now: Instant, whose: &str) {
        let Some(subject) = suspect.suspendable(kind, &state.hasher) else { return };
        let until = match state.by_hand.entries.get(subject.key).map(|packed| Entry::of(&packed)) {
            Some(entry) => entry.is_suspended(now).then_some(entry.until),
            None => state.by_hand.shared(subject, now, Instant::MAX),
        };
        if let Some(until) = until {
            let detail = format!("by a person: {whose} {}", words(kind));
            self.findings.push(Finding::new(Code::RespondSuspended, detail));
            self.wait_until(until, now);
        }
    }

    fn stands(&mut self, ladder: &Ladder, standing: Standing, suspect: &Suspect<'_>, now: Instant) {
        let acts = ladder.mode == Mode::Enforce;
        match standing {
            Standing::Free => {}
            Standing::Suspended { until } => {
                self.findings.push(ladder.finding(Code::RespondSuspended, Outcome::Deny));
                if acts {
                    self.wait_until(until, now);
                }
            }
            Standing::On { wait_ms: Some(wait), .. } => {
                self.findings.push(ladder.finding(Code::RespondStrikes, Outcome::Throttle));
                if acts {
                    self.wait_until(now.saturating_add(wait), now);
                }
            }
            Standing::On { rung, struck_s, wait_ms: None } => {
                let since = suspect.identity.and_then(|identity| identity.assurance.auth_time_ms);
                let met = since.is_some_and(|since| instant(since) / 1_000 > struck_s);
                let asks = ladder.asks_step_up(rung) && !met;
                let calls_for = if asks { Outcome::StepUp } else { outcome(rung) };
                self.findings.push(ladder.finding(Code::RespondStrikes, calls_for));
                if asks && acts {
                    self.authenticated_after(struck_s, now);
                }
            }
        }
    }

    fn rose(&mut self, ladder: &Ladder, reached: &Reached, now: Instant) {
        let Some(rung) = reached.rung else { return };
        let asks = rung < Rung::Suspend && ladder.asks_step_up(rung);
        let calls_for = if asks { Outcome::StepUp } else { outcome(rung) };
        let suspended = rung == Rung::Suspend;
        let acts = ladder.mode == Mode::Enforce;
        self.findings.push(ladder.finding(Code::RespondStrikes, calls_for));
        self.actions.push(Action {
            kind: if suspended { ActionKind::Suspended } else { ActionKind::Rung },
            ladder: Some(ladder.name.clone()),
            subject: ladder.subject,
            rung: Some(rung),
            until_ms: suspended.then(|| millis(reached.entry.until)),
            level: suspended.then_some(reached.entry.level.into()),
            monitor: !acts,
        });
        if asks && acts {
            self.authenticated_after(reached.entry.struck_s, now);
        }
        if suspended && acts {
            self.wait_until(reached.entry.until, now);
        }
    }

    fn wait_until(&mut self, until: Instant, now: Instant) {
        let seconds = until.saturating_sub(now).div_ceil(1_000).max(1);
        self.retry_after_s = self.retry_after_s.max(Some(seconds));
    }

    /// Whole seconds: an authentication in the second of the strike may have come before it.
    fn authenticated_after(&mut self, struck_s: u64, now: Instant) {
        let age = (now / 1_000).saturating_sub(struck_s).saturating_sub(1);
        self.max_age_s = Some(self.max_age_s.map_or(age, |known| known.min(age)));
    }
}

impl Ladder {
    fn finding(&self, code: Code, calls_for: Outcome) -> Finding {
        let detail: Cow<'static, str> = format!("ladder `{}`: its {}", self.name, words(self.subject)).into();
        Finding { monitor: self.mode == Mode::Monitor, ..Finding::new(code, detail).calling_for(calls_for) }
    }
}

const fn words(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Credential => "credential",
        SubjectKind::Session => "session",
        SubjectKind::Identity => "identity",
        SubjectKind::Peer => "address",
        SubjectKind::PeerPrefix => "network",
    }
}

#[cfg(test)]
mod tests;

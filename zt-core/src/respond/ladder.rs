//! One ladder: from strikes to a rung, and from the highest rung to a suspension.
//!
//! Strikes are two leaky meters (all; those by proof), each kept as the time at which everything is forgiven. A strike is
//! forgiven when all of its time has passed. A meter holds twice the highest threshold at most, so that nobody is in debt for ever.
//!
//! **Hysteresis**: a rung is reached at its threshold and left below half of it, so that nobody flaps.
//!
//! **Clocks**: a clock that went ahead forgives. When it comes back, times further ahead than a request of now could have made
//! them are taken for as far ahead as it could: nobody stays suspended for longer than `longest`.

use std::sync::Arc;

use super::config::{DECAY, ESCALATE, FORGET, LONGEST, LadderConfig, SUSPEND_FOR, THROTTLED_RATE};
use super::entry::{Entry, Instant, LATEST, MOST_LEVELS};
use super::strikes::Strikes;
use crate::base::bounded::KeyHasher;
use crate::base::units::{Duration, Rate};
use crate::model::{Code, Mode, Outcome, Rung, SubjectKind};

/// A ladder, compiled.
#[derive(Debug)]
pub(super) struct Ladder {
    pub(super) name: Arc<str>,
    pub(super) subject: SubjectKind,
    pub(super) mode: Mode,
    /// By code, whether it is a strike.
    codes: Box<[bool]>,
    /// Strikes, mildest rung first.
    thresholds: [Option<u32>; 4],
    /// Milliseconds in which one strike is forgiven.
    decay_ms: u64,
    /// Strikes that a meter holds.
    most: u64,
    slow_ms: u64,
    slow_span_ms: u64,
    suspend_ms: u64,
    escalate: u64,
    longest_ms: u64,
    forget_ms: u64,
    /// What an entry means, hashed: the same ladder in another configuration has the same.
    pub(super) id: u128,
}

/// What strikes suspend a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// All.
    None,
    /// Those by proof.
    Proof,
    /// None: it is throttled at most.
    Never,
}

/// Where a subject stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// On no rung.
    Free,
    /// On a rung below suspension; `wait_ms` when it comes too fast for the throttle rung.
    On { rung: Rung, struck_s: u64, wait_ms: Option<u64> },
    /// Suspended until then.
    Suspended { until: Instant },
}

/// What strikes led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) rung: Option<Rung>,
    /// It is a higher one than before.
    pub(super) rose: bool,
    pub(super) entry: Entry,
}

fn each_ms(rate: Rate) -> u64 {
    rate.per.millis().unsigned_abs().div_ceil(u64::from(rate.count).max(1)).max(1)
}

fn ms(span: Option<Duration>, default: Duration) -> u64 {
    span.unwrap_or(default).millis().unsigned_abs()
}

impl Ladder {
    pub(super) fn of(config: &LadderConfig, codes: Box<[bool]>) -> Self {
        let slow = config.throttled_rate.unwrap_or(THROTTLED_RATE);
        let slow_ms = each_ms(slow);
        let thresholds = Rung::ALL.map(|rung| config.threshold(rung));
        let highest = thresholds.iter().flatten().max().copied().unwrap_or(0);
        let decay_ms = each_ms(config.decay.unwrap_or(DECAY));
        let mut hasher = KeyHasher::new(0);
        hasher.part(config.name.as_bytes()).number(config.subject as u64).number(decay_ms);
        Self {
            name: config.name.as_str().into(),
            subject: config.subject,
            mode: config.mode,
            codes,
            thresholds,
            decay_ms,
            most: u64::from(highest).saturating_mul(2),
            slow_ms,
            slow_span_ms: slow_ms.saturating_mul(slow.count.into()),
            suspend_ms: ms(config.suspend_for, SUSPEND_FOR),
            escalate: config.escalate.map_or(ESCALATE, std::num::NonZeroU32::get).into(),
            longest_ms: ms(config.longest, LONGEST),
            forget_ms: ms(config.forget, FORGET),
            id: hasher.key().to_u128(),
        }
    }

    /// Whether a finding with this code is a strike.
    pub(super) fn counts(&self, code: Code) -> bool {
        self.codes.get(code as usize).copied().unwrap_or(false)
    }

    /// Whether any of its codes is a proof against somebody who is known.
    pub(super) fn has_proof(&self) -> bool {
        Code::ALL.iter().any(|code| self.counts(*code) && code.is_of_the_known() && !code.is_behaviour())
    }

    /// The longest that strikes are remembered.
    pub(super) const fn longest_memory(&self) -> u64 {
        self.most.saturating_mul(self.decay_ms)
    }

    /// The longest suspension.
    pub(super) const fn longest(&self) -> u64 {
        self.longest_ms
    }

    /// Whether it asks for authentication on a rung like this.
    pub(super) fn asks_step_up(&self, rung: Rung) -> bool {
        rung >= Rung::StepUp && self.threshold(Rung::StepUp).is_some()
    }

    fn threshold(&self, rung: Rung) -> Option<u64> {
        self.thresholds.get(rung as usize).copied().flatten().map(u64::from)
    }

    /// The entry as it stands now, and whether the clock was ahead when it was written.
    pub(super) fn settled(&self, entry: Entry, now: Instant) -> (Entry, bool) {
        let ahead = |time: Instant, span: u64| time.min(now.saturating_add(span).min(LATEST));
        let mut settled = Entry {
            all: ahead(entry.all, self.longest_memory()),
            proof: ahead(entry.proof, self.longest_memory()),
            slow: ahead(entry.slow, self.slow_span_ms),
            until: ahead(entry.until, self.longest_ms),
            struck_s: entry.struck_s.min(now / 1_000),
            ..entry
        };
        let rewound = settled != entry;
        settled.rung = match settled.is_suspended(now) {
            true => Some(Rung::Suspend),
            false => self.held(entry.rung, self.strikes(settled.all, now)),
        };
        (settled, rewound)
    }

    /// Where a settled entry stands; on the throttle rung, one request is counted.
    pub(super) fn stand(&self, entry: &mut Entry, now: Instant) -> Standing {
        match entry.rung {
            None => Standing::Free,
            Some(Rung::Suspend) => Standing::Suspended { until: entry.until },
            Some(rung) => {
                let wait_ms = if rung >= Rung::Throttle { self.slow_down(entry, now).err() } else { None };
                Standing::On { rung, struck_s: entry.struck_s, wait_ms }
            }
        }
    }

    /// Adds strikes to a settled entry; nothing for a suspended one, which is refused already.
    pub(super) fn strike(&self, entry: &mut Entry, strikes: Strikes, guard: Guard, now: Instant) -> Option<Reached> {
        if entry.is_suspended(now) {
            return None;
        }
        let before = entry.rung;
        let fill = |meter: Instant, count: u32| {
            let filled = meter.max(now).saturating_add(self.decay_ms.saturating_mul(count.into()));
            filled.min(now.saturating_add(self.longest_memory()))
        };
        entry.all = fill(entry.all, strikes.all);
        entry.proof = if strikes.by_proof > 0 { fill(entry.proof, strikes.by_proof) } else { entry.proof };
        entry.struck_s = now / 1_000;
        entry.rung = self.held(before, self.strikes(entry.all, now));
        let meter = match guard {
            Guard::None => Some(entry.all),
            Guard::Proof => Some(entry.proof),
            Guard::Never => None,
        };
        let reached = |threshold| meter.is_some_and(|meter| self.strikes(meter, now) >= threshold);
        if self.threshold(Rung::Suspend).is_some_and(reached) {
            self.suspend(entry, now);
        }
        Some(Reached { rung: entry.rung, rose: entry.rung > before, entry: *entry })
    }

    fn suspend(&self, entry: &mut Entry, now: Instant) {
        let over = entry.until.saturating_add(self.forget_ms) < now;
        let level = if over { 0 } else { entry.level };
        let times = self.escalate.saturating_pow(level.into());
        let span = self.suspend_ms.saturating_mul(times).min(self.longest_ms);
        entry.until = now.saturating_add(span).min(LATEST);
        entry.level = level.saturating_add(1).min(MOST_LEVELS);
        entry.rung = Some(Rung::Suspend);
    }

    /// Counts one request against the throttled rate, or says how long it would have to wait.
    fn slow_down(&self, entry: &mut Entry, now: Instant) -> Result<(), u64> {
        let arrival = entry.slow.max(now).saturating_add(self.slow_ms);
        match arrival.saturating_sub(now).checked_sub(self.slow_span_ms) {
            None | Some(0) => {
                entry.slow = arrival;
                Ok(())
            }
            Some(wait) => Err(wait),
        }
    }

    /// Strikes that are not forgiven yet.
    pub(super) const fn strikes(&self, meter: Instant, now: Instant) -> u64 {
        meter.saturating_sub(now).div_ceil(self.decay_ms)
    }

    /// The rung below suspension that so many strikes reach, or hold where it was reached before.
    fn held(&self, stood: Option<Rung>, strikes: u64) -> Option<Rung> {
        let holds = |rung: &Rung| {
            self.threshold(*rung).is_some_and(|threshold| {
                strikes >= threshold || stood >= Some(*rung) && strikes.saturating_mul(2) >= threshold
            })
        };
        [Rung::Throttle, Rung::StepUp, Rung::Flag].into_iter().find(holds)
    }
}

/// What a rung calls for, when its throttle lets the request through and its step-up is met.
pub(super) const fn outcome(rung: Rung) -> Outcome {
    match rung {
        Rung::Flag | Rung::StepUp | Rung::Throttle => Outcome::Flag,
        Rung::Suspend => Outcome::Suspend,
    }
}

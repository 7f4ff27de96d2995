//! How often? Limits by peer, identity, tenant, role, claim, header, endpoint or segment.
//!
//! The arithmetic is GCRA (ITU-T I.371, the virtual scheduling form of the leaky bucket) as `governor` computes it;
//! its clock is the request's, its store is a bounded table, one for each limit, so that a flood of one limit's keys
//! never makes another forget. In a phase either every limit is spent or none is: a refusal gives back what the limits
//! before it took.
//!
//! What it misses: up to twice the burst can pass inside one window (inherent in GCRA), and a limit whose key an
//! attacker chooses (a header) stops nobody by itself.

mod config;
mod gcra;
mod headers;
mod key;
mod part;
mod snapshot;
mod state;

use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::base::bounded::{Bounded, Key};
use crate::base::units::Size;
use crate::model::{Code, Finding, Header, Identity, Millis, Mode, Problem, Request};

pub use config::Config;
pub use headers::{Standing, headers};
pub use part::{KeyPart, UnknownKeyPart};
pub use snapshot::SnapshotError;
pub use state::State;

use config::Rule;
use gcra::{Measure, Spent};

/// When a limit is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before any signature work: limits that need only the peer, headers, the endpoint or its segment.
    Peer,
    /// After the credential is verified: limits that need the identity, its tenant, roles or claims.
    Identity,
}

/// What limits know a request by.
#[derive(Clone, Copy, Default)]
pub struct Subject<'a> {
    /// Address of the peer. Requests without one share one bucket.
    pub peer: Option<IpAddr>,
    /// Header lines. Requests without the header that a key names share one bucket.
    pub headers: &'a [Header<'a>],
    /// Id of the endpoint. Requests for none that is known share one bucket.
    pub endpoint: Option<&'a str>,
    /// Segment of the endpoint.
    pub segment: Option<&'a str>,
    /// The verified identity. Without one, limits of [`Phase::Identity`] do not apply: whoever must have a credential
    /// is refused elsewhere, and anonymous endpoints are limited by peer.
    pub identity: Option<&'a Identity>,
    /// Finds the tenant of the identity. Identities without one share one bucket.
    pub tenant: Option<&'a dyn Fn() -> Option<String>>,
    /// A claim of the verified token: a string's text, else its JSON. Identities without it share one bucket.
    pub claim: Option<Claims<'a>>,
}

/// Finds a claim by name.
pub type Claims<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the limits of one phase say of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check<'l> {
    /// One `limit.exceeded` for each limit that refuses, in the order of the configuration.
    pub findings: SmallVec<[Finding; 1]>,
    /// Where the request stands with the tightest limit that is enforced; `None` when none applied.
    pub standing: Option<Standing<'l>>,
}

/// The configured limits, compiled.
#[derive(Debug)]
pub struct Limiter {
    rules: Box<[Rule]>,
    memory: Size,
}

impl Limiter {
    /// Compiles the `[[limit]]` tables. `memory` is what all of them may take together; each gets the same share.
    ///
    /// # Errors
    /// Every mistake, under keys such as `limit[0].rate`.
    pub fn compile(configs: &[Config], memory: Size) -> Result<Self, Vec<Problem>> {
        let rules = config::compile(configs)?;
        match state::share(memory, rules.len()) {
            Ok(_) => Ok(Self { rules, memory }),
            Err(problem) => Err(vec![problem]),
        }
    }

    /// Whether a state was made for these limits, or for more.
    pub(crate) fn knows(&self, state: &State) -> bool {
        self.rules.iter().enumerate().all(|(at, rule)| state.table(at, rule).is_some())
    }

    /// Whether the request is within every limit of the phase; spends from all of them, or from none.
    ///
    /// A state that was made for other limits refuses what it does not know.
    ///
    /// ```
    /// use zt_core::base::units::Size;
    /// use zt_core::limit::{Config, Limiter, Phase, State, Subject};
    ///
    /// let limits: Vec<Config> = serde_json::from_str(r#"[{"name": "per-peer", "key": ["peer"], "rate": "1/1m"}]"#)?;
    /// let limiter = Limiter::compile(&limits, Size::from_bytes(1 << 20)).expect("a sound configuration");
    /// let state = State::new(&limiter, 0x5eed);
    /// let subject = Subject { peer: Some("203.0.113.7".parse()?), ..Subject::default() };
    ///
    /// let now = 1_772_446_530_000;
    /// assert!(!limiter.check(&state, Phase::Peer, &subject, now).refuses());
    /// let refused = limiter.check(&state, Phase::Peer, &subject, now + 1_000);
    /// assert_eq!(refused.standing.and_then(|standing| standing.retry_after_s), Some(59));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Codes
    /// `limit.exceeded`; marked `monitor` where the limit is in monitor mode, which refuses nothing.
    pub fn check(&self, state: &State, phase: Phase, subject: &Subject<'_>, now: Millis) -> Check<'_> {
        let mut check = Check::default();
        let mut counters: SmallVec<[Counter<'_, '_>; 4]> = SmallVec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            if rule.phase != phase || !rule.covers(subject) {
                continue;
            }
            match (state.table(at, rule), key::of(rule, state.hasher(), subject)) {
                (Some(table), Some(key)) => counters.push(Counter { rule, table: &table.entries, key }),
                (None, Some(_)) => check.findings.push(rule.finding()),
                (_, None) => {}
            }
        }
        // Looking first keeps a request that one limit refuses away from the others' entries: taking back is exact
        // only while nobody has written in between.
        if counters.len() > 1 || check.refuses() {
            counters.iter().for_each(|counter| check.add(counter.rule, &counter.peek(now)));
            if check.refuses() {
                return check;
            }
            check = Check::default();
        }
        let mut spent: SmallVec<[(&Counter<'_, '_>, Spent); 4]> = SmallVec::new();
        for counter in &counters {
            let measure = gcra::spend(counter.rule.quota, counter.table, counter.key, now);
            if let Measure::Passed { spent: by, .. } = measure {
                spent.push((counter, by));
            }
            check.add(counter.rule, &measure);
        }
        if check.refuses() {
            for (counter, by) in spent {
                gcra::undo(counter.table, counter.key, by);
            }
        }
        check
    }
}

/// The entry of one limit that a request counts in.
struct Counter<'l, 's> {
    rule: &'l Rule,
    table: &'s Bounded<u64>,
    key: Key,
}

impl Counter<'_, '_> {
    fn peek(&self, now: Millis) -> Measure {
        gcra::peek(self.rule.quota, self.table, self.key, now)
    }
}

impl<'l> Check<'l> {
    /// Whether a limit that is enforced refuses.
    pub fn refuses(&self) -> bool {
        self.findings.iter().any(|finding| !finding.monitor)
    }

    /// Adds what one more limit says.
    fn add(&mut self, rule: &'l Rule, measure: &Measure) {
        if let Measure::Refused { .. } = measure {
            self.findings.push(rule.finding());
        }
        if rule.mode == Mode::Enforce {
            let standing = Standing::of(rule, measure);
            self.standing = Some(self.standing.map_or(standing, |other| other.tighter(standing)));
        }
    }
}

impl<'a> Subject<'a> {
    /// What is known before routing and verification: the peer and the headers.
    pub fn of(request: &'a Request<'a>) -> Self {
        Self { peer: request.peer.ip, headers: &request.headers, ..Self::default() }
    }
}

impl Rule {
    /// The limit is exceeded.
    fn finding(&self) -> Finding {
        let finding = Finding::new(Code::LimitExceeded, format!("limit `{}`", self.name));
        Finding { monitor: self.mode == Mode::Monitor, ..finding }
    }

    /// Whether the limit is for this request's endpoint.
    fn covers(&self, subject: &Subject<'_>) -> bool {
        let named =
            |names: &[Arc<str>], name: Option<&str>| name.is_some_and(|name| names.iter().any(|n| **n == *name));
        let everywhere = self.endpoints.is_empty() && self.segments.is_empty();
        everywhere || named(&self.endpoints, subject.endpoint) || named(&self.segments, subject.segment)
    }
}

#[cfg(test)]
mod tests;

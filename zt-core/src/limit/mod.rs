//! How often? Limits by peer, identity, tenant, role, claim, header, endpoint or segment.
//!
//! A limit counts requests in one or more ways: by rates (`rate`), by spans of the calendar (`quota`), by how many are
//! under way (`concurrent`). Rates are GCRA (ITU-T I.371, the virtual scheduling form of the leaky bucket) as `governor`
//! computes it; its clock is the request's, its store is a bounded table, one for each count, so that a flood of one
//! limit's keys never makes another forget. In a phase either every count is spent or none is: a refusal gives back what
//! those before it took.
//!
//! # Clocks
//! A clock that jumps ahead finds every bucket full, a new span of the calendar begun, and slots free. One that goes back
//! by up to an hour finds what was spent later, and waits for it. Back by more than that, an entry is further ahead than
//! its limit can have put it: its bucket is empty from now on and fills at its rate, what was used of a span or is under
//! way is taken along into the present one; and so is what the table has lost meanwhile. So nobody is refused for longer than the limit's own time;
//! [`State::clock_jumps`] counts them.
//!
//! What it misses: up to twice the burst can pass inside one window (inherent in GCRA), and a limit whose key an
//! attacker chooses (a header) stops nobody by itself.

mod calendar;
mod check;
mod compile;
mod config;
mod counter;
mod details;
mod fallback;
mod fast_path;
mod governed;
mod headers;
mod in_flight;
mod key;
mod masks;
mod mistakes;
mod part;
mod rate;
mod rule;
mod snapshot;
mod state;
mod ticket;
mod who;
mod window;
mod written;

use std::net::IpAddr;

use crate::base::units::Size;
use crate::model::{Body, Header, Identity, Millis, Problem, Request};

pub use check::Check;
pub use config::{Config, Except, Fallback, Reserved};
pub use details::Details;
pub use headers::{Standing, headers};
pub use part::{KeyPart, UnknownKeyPart};
pub use snapshot::SnapshotError;
pub use state::State;
pub use written::{Cost, Rates, UnknownCost};

use counter::{Counters, count, with_coarser};
use fast_path::FastPath;
use rule::Rule;

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
    /// Length of the body, bytes; a body of unknown length costs as much as none.
    pub body_len: Option<u64>,
    /// What was learned of the caller: for a limit's name, a factor of what its requests count for, per mille. Asked for
    /// limits with `learned = true`.
    pub learned: Option<Learned<'a>>,
}

/// Finds a claim by name.
pub type Claims<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Finds what was learned, by the name of a limit.
pub type Learned<'a> = &'a dyn Fn(&str) -> Option<u32>;

/// The limits that are asked in one step.
#[derive(Debug)]
struct FastPaths {
    peer: Option<Box<FastPath>>,
    identity: Option<Box<FastPath>>,
}

/// The configured limits, compiled.
#[derive(Debug)]
pub struct Limiter {
    rules: Box<[Rule]>,
    memory: Size,
    /// Of the phases.
    fast: FastPaths,
    /// Of its tables, all together.
    id: u64,
}

impl Limiter {
    /// Compiles the `[[limit]]` tables. `memory` is what all of them may take together; each gets the same share.
    ///
    /// # Errors
    /// Every mistake, under keys such as `limit[0].rate`.
    pub fn compile(configs: &[Config], memory: Size) -> Result<Self, Vec<Problem>> {
        let rules = compile::rules(configs)?;
        match state::share(memory, &rules) {
            Ok(_) => {
                let fast = FastPaths {
                    peer: FastPath::of(&rules, Phase::Peer).map(Box::new),
                    identity: FastPath::of(&rules, Phase::Identity).map(Box::new),
                };
                Ok(Self { id: rule::identity_of_all(&rules), fast, rules, memory })
            }
            Err(problem) => Err(vec![problem]),
        }
    }

    /// Whether a state was made for these limits, or for more.
    pub(crate) fn knows(&self, state: &State) -> bool {
        self.rules.iter().all(|rule| state.tables(self, rule).is_some())
    }

    /// Whether there is a limit with this name that is checked when the caller is known.
    pub(crate) fn has_of_identity(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| *rule.name == *name && rule.phase == Phase::Identity)
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
    /// assert_eq!(refused.standing().and_then(|standing| standing.retry_after_s), Some(59));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Codes
    /// `limit.exceeded`; marked `monitor` where the limit is in monitor mode, which refuses nothing.
    #[inline(always)]
    pub fn check(&self, state: &State, phase: Phase, subject: &Subject<'_>, now: Millis) -> Check<'_> {
        match self.check_fast(state, phase, subject, now) {
            Some(check) => check,
            None => self.check_but(state, phase, subject, &|_| false, now).into(),
        }
    }

    /// Nearly every request, in one step. `None`, and nothing spent, where there is more to say.
    #[inline(always)]
    fn check_fast(&self, state: &State, phase: Phase, subject: &Subject<'_>, now: Millis) -> Option<Check<'_>> {
        let fast = match phase {
            Phase::Peer => self.fast.peer.as_deref()?,
            Phase::Identity => self.fast.identity.as_deref()?,
        };
        let tables = state.tables_of(self)?;
        fast.pass(tables, state, subject, now).map(|ahead_ns| Check::within(fast, ahead_ns))
    }

    /// [`check`](Self::check) without the limits whose names `lifted` says yes to: nothing is spent of them.
    #[inline(never)]
    pub fn check_but(
        &self,
        state: &State,
        phase: Phase,
        subject: &Subject<'_>,
        lifted: &dyn Fn(&str) -> bool,
        now: Millis,
    ) -> Details<'_> {
        let applies = phase == Phase::Peer || subject.identity.is_some();
        let of_phase = self.rules.iter().filter(|rule| applies && rule.phase == phase);
        let asked = of_phase.filter(|rule| rule.covers(subject) && !lifted(&rule.name));
        let (mut check, mut counters) = (Details::default(), Counters::new());
        for rule in asked {
            match state.tables(self, rule) {
                Some(tables) => count(rule, tables, state, subject, &mut counters),
                None => check.refuse(rule, &rule.name),
            }
        }
        let counters = with_coarser(&counters, state, subject, now);
        if counters.len() > 1 || check.refuses() {
            return check.looking_first(&counters, now);
        }
        check.ask(&counters, now, true);
        check
    }
}

impl<'a> Subject<'a> {
    /// What is known before routing and verification: the peer, the headers and the length of the body.
    pub fn of(request: &'a Request<'a>) -> Self {
        let read = request.body.as_ref().map(|body: &Body<'_>| body.bytes().len() as u64);
        let body_len = request.body_len.or(read);
        Self { peer: request.peer.ip, headers: &request.headers, body_len, ..Self::default() }
    }
}

#[cfg(test)]
mod tests;

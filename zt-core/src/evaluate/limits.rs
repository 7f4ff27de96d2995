//! What learned limits would have refused of recorded requests: a trial before they are enforced.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::anomaly::endpoint_name;
use crate::base::keyed::{Keyed, join};
use crate::base::units::Size;
use crate::engine::{self, Engine};
use crate::limit::{Config, Limiter, Phase, State, Subject};
use crate::model::{ClientKind, Event, Identity, LearnedLimit, LearnedLimits};

/// For the counts of one limit, bytes.
const MEMORY: u64 = 4 << 20;
const DAY_MS: i64 = 86_400_000;
/// Tells clients apart.
const KEYED: Keyed = Keyed::new(0x0074_7269_616c);
const NO_LABEL: &str = "unlabelled";

/// Recommended limits of one period, in monitor mode.
#[derive(Debug)]
pub struct LimitTrial<'e> {
    engine: Option<&'e Engine>,
    limits: Vec<LearnedLimit>,
    limiter: Limiter,
    state: State,
    labels: BTreeMap<String, Seen>,
    /// Of events that are not labelled an attack.
    by_limit: Vec<Seen>,
}

/// Requests and days of clients, by hash.
#[derive(Clone, Debug, Default)]
struct Seen {
    requests: u64,
    refused: u64,
    days: BTreeSet<u64>,
    touched: BTreeSet<u64>,
}

/// What would have been refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// Length of the limits' period, seconds.
    pub period_s: u32,
    /// By label, all limits together.
    pub labels: Vec<(String, Touched)>,
    /// By limit, of events that have no label or `normal`.
    pub limits: Vec<(LearnedLimit, Touched)>,
}

/// How much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Touched {
    /// Requests that were counted.
    pub requests: u64,
    /// Those that would have been refused.
    pub refused: u64,
    /// Days of clients.
    pub client_days: u64,
    /// Those with a refusal.
    pub touched: u64,
}

impl<'e> LimitTrial<'e> {
    /// Of the limits of this period that there are, for the endpoints of an engine, or those that paths tell apart; as they
    /// were learned.
    ///
    /// # Errors
    /// When limits of these names cannot be compiled.
    pub fn new(learned: &LearnedLimits, period_s: u32, engine: Option<&'e Engine>) -> Result<Self, String> {
        let of_period = |limit: &&LearnedLimit| limit.period_s == period_s && limit.recommended.is_some();
        let limits: Vec<LearnedLimit> = learned.limits.iter().filter(of_period).cloned().collect();
        let configs = limits.iter().enumerate().map(|(at, limit)| config(at, limit)).collect::<Result<Vec<_>, _>>();
        let configs = configs.map_err(|error| error.to_string())?;
        let memory = Size::from_bytes((limits.len() as u64).max(1).saturating_mul(MEMORY));
        let limiter = Limiter::compile(&configs, memory)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        let (state, by_limit) = (State::new(&limiter, 0), vec![Seen::default(); limits.len()]);
        Ok(Self { engine, limits, limiter, state, labels: BTreeMap::new(), by_limit })
    }

    /// One event, in the order of time.
    pub fn add(&mut self, event: &Event) {
        let request = &event.request;
        let found = self.engine.and_then(|engine| engine.router().route(request).ok());
        let name = endpoint_name(request, &engine::target(found.as_ref()));
        let identity = event.subject.as_deref().map(Identity::asserted);
        let (kind, phase) = match identity {
            Some(_) => (ClientKind::Identity, Phase::Identity),
            None => (ClientKind::Address, Phase::Peer),
        };
        let subject = Subject { endpoint: Some(&name), identity: identity.as_ref(), ..Subject::of(request) };
        let check = self.limiter.check(&self.state, phase, &subject, event.time_ms).details();
        let over = |at: usize| check.findings.iter().any(|finding| finding.detail == format!("limit `{at}`"));

        let client = match &event.subject {
            Some(subject) => KEYED.bytes(subject.as_bytes()),
            None => join(1, KEYED.bytes(format!("{:?}", request.peer.ip).as_bytes())),
        };
        let day = join(client, event.time_ms.div_euclid(DAY_MS).cast_unsigned());
        let label = event.label.as_deref().unwrap_or(NO_LABEL);
        self.labels.entry(label.to_owned()).or_default().add(day, !check.findings.is_empty());
        if [NO_LABEL, Event::NORMAL].contains(&label) {
            for (at, (limit, seen)) in self.limits.iter().zip(&mut self.by_limit).enumerate() {
                if limit.client == kind && limit.endpoint.as_deref().is_none_or(|endpoint| endpoint == &*name) {
                    seen.add(day, over(at));
                }
            }
        }
    }

    /// What came out.
    pub fn end(self) -> Tried {
        let period_s = self.limits.first().map_or(0, |limit| limit.period_s);
        let labels = self.labels.iter().map(|(label, seen)| (label.clone(), seen.touched())).collect();
        let limits = self.limits.into_iter().zip(self.by_limit.iter().map(Seen::touched)).collect();
        Tried { period_s, labels, limits }
    }
}

impl Seen {
    fn add(&mut self, day: u64, refused: bool) {
        self.requests = self.requests.saturating_add(1);
        self.days.insert(day);
        if refused {
            self.refused = self.refused.saturating_add(1);
            self.touched.insert(day);
        }
    }

    fn touched(&self) -> Touched {
        let (client_days, touched) = (self.days.len() as u64, self.touched.len() as u64);
        Touched { requests: self.requests, refused: self.refused, client_days, touched }
    }
}

/// The limit under its number; an address is that of learning, of IPv6 the /64.
fn config(at: usize, limit: &LearnedLimit) -> Result<Config, serde_json::Error> {
    let key = match limit.client {
        ClientKind::Identity => "identity",
        ClientKind::Address => "peer",
    };
    let mut config = serde_json::json!({
        "name": at.to_string(), "key": [key], "mode": "monitor",
        "rate": limit.recommended.as_ref().map(|told| told.rate.as_str()),
        "burst": limit.recommended.as_ref().map(|told| told.burst),
    });
    if let (Some(endpoint), Some(config)) = (&limit.endpoint, config.as_object_mut()) {
        config.insert("endpoints".to_owned(), vec![endpoint.as_str()].into());
    }
    serde_json::from_value(config)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn limit(endpoint: Option<&str>, client: &str, limit: usize) -> serde_json::Value {
        json!({"endpoint": endpoint, "client": client, "period_s": 60, "p50": 1, "p90": 1, "p99": 1, "max": 1,
            "mean": 1.0, "variance": 0.0, "clients": 9, "client_days": 9,
            "recommended": {"rate": format!("{limit}/1m"), "limit": limit, "burst": limit, "confidence": 0.99, "effect": 0.0}})
    }

    fn event(subject: Option<&str>, path: &str, time_ms: i64, label: &str) -> Event {
        let request = json!({"method": "GET", "path": path, "peer": {"ip": "203.0.113.7"}});
        let event = json!({"time_ms": time_ms, "subject": subject, "label": label, "request": request});
        serde_json::from_value(event).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn who_never_asked_more_within_the_period_is_never_refused(
            mut times in prop::collection::vec(1_772_446_530_000..1_772_446_830_000_i64, 1..200)
        ) {
            times.sort_unstable();
            let within = |start: &i64| times.iter().filter(|at| (0..=60_000).contains(&(**at - start))).count();
            let busiest = times.iter().map(within).max().unwrap();
            let limits = [limit(None, "identity", busiest)];
            let learned: LearnedLimits = serde_json::from_value(json!({"budget": 0.01, "limits": limits})).unwrap();
            let mut trial = LimitTrial::new(&learned, 60, None).unwrap();
            times.iter().for_each(|at| trial.add(&event(Some("anna"), "/a", *at, "normal")));
            prop_assert_eq!(trial.end().labels[0].1.refused, 0);
        }
    }

    #[test]
    fn who_asks_more_than_the_limit_is_touched_and_nobody_else() {
        let limits = [limit(Some("GET /a"), "identity", 3), limit(None, "address", 5), limit(None, "identity", 8)];
        let learned: LearnedLimits = serde_json::from_value(json!({"budget": 0.01, "limits": limits})).unwrap();
        let mut trial = LimitTrial::new(&learned, 60, None).unwrap();
        let mut send = |subject: Option<&str>, path: &str, times: i64, label: &str| {
            (0..times).for_each(|time| trial.add(&event(subject, path, 1_772_446_530_000 + time, label)));
        };
        send(Some("anna"), "/a", 3, "normal");
        send(Some("bert"), "/a", 5, "normal");
        send(Some("cleo"), "/b", 8, "normal");
        send(None, "/a", 7, "scraper");
        let tried = trial.end();
        let of = |requests, refused, client_days, touched| Touched { requests, refused, client_days, touched };
        assert_eq!(tried.labels, [("normal".to_owned(), of(16, 2, 3, 1)), ("scraper".to_owned(), of(7, 2, 1, 1))]);
        let by_limit: Vec<Touched> = tried.limits.iter().map(|(_, touched)| *touched).collect();
        assert_eq!(by_limit, [of(8, 2, 2, 1), of(0, 0, 0, 0), of(16, 0, 3, 0)]);
        assert!(LimitTrial::new(&learned, 600, None).unwrap().end().limits.is_empty());
    }
}

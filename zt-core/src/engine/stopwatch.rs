//! How long each stage of a decision took, by the host's clock.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::model::Stage;

/// Told at the end of each stage of a decision. zt has no clock: the host reads its own.
pub trait Stopwatch {
    /// What ran since the last lap, or since the start, was this stage. Limits and responses are told before verification,
    /// after it, and responses at the end; a request that is refused early has no laps for what was not asked.
    fn lap(&mut self, stage: Stage);
}

/// Nobody looks; it costs nothing.
impl Stopwatch for () {
    #[inline(always)]
    fn lap(&mut self, _: Stage) {}
}

/// Time by stage, nanoseconds. As a document, microseconds of the stages that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Laps([u64; STAGES.len()]);

const STAGES: [(Stage, &str); 7] = [
    (Stage::Route, "route"),
    (Stage::Limit, "limit"),
    (Stage::Verify, "verify"),
    (Stage::Inspect, "inspect"),
    (Stage::Anomaly, "anomaly"),
    (Stage::Policy, "policy"),
    (Stage::Respond, "respond"),
];

impl Laps {
    /// Adds to the time of a stage.
    pub fn add(&mut self, stage: Stage, nanos: u64) {
        let slots = self.0.iter_mut().zip(STAGES);
        slots.filter(|(_, (known, _))| *known == stage).for_each(|(slot, _)| *slot = slot.saturating_add(nanos));
    }

    /// The time of a stage, nanoseconds.
    pub fn nanos(&self, stage: Stage) -> u64 {
        let slots = self.0.iter().zip(STAGES);
        slots.filter(|(_, (known, _))| *known == stage).map(|(slot, _)| *slot).sum()
    }
}

impl Serialize for Laps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (nanos, (_, name)) in self.0.iter().zip(STAGES).filter(|(nanos, _)| **nanos > 0) {
            map.serialize_entry(name, &(*nanos as f64 / 1_000.0))?;
        }
        map.end()
    }
}

/// A stopwatch over a clock of the host, which tells nanoseconds since any moment.
///
/// ```
/// use zt_core::engine::Timer;
/// use zt_core::model::{Request, Stage};
/// use zt_core::{Config, Engine, State};
///
/// let engine = Engine::new(&Config::default())?;
/// let started = std::time::Instant::now();
/// let mut timer = Timer::new(|| u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
/// engine.decide_timed(&State::new(&engine), &Request::default(), 1_800_000_000_000, &mut timer);
/// assert!(timer.laps().nanos(Stage::Route) > 0);
/// # Ok::<(), zt_core::engine::Invalid>(())
/// ```
#[derive(Debug)]
pub struct Timer<C> {
    clock: C,
    last: u64,
    laps: Laps,
}

impl<C: FnMut() -> u64> Timer<C> {
    /// Started.
    pub fn new(mut clock: C) -> Self {
        Self { last: clock(), clock, laps: Laps::default() }
    }

    /// What was measured.
    pub fn laps(&self) -> Laps {
        self.laps
    }
}

impl<C: FnMut() -> u64> Stopwatch for Timer<C> {
    fn lap(&mut self, stage: Stage) {
        let now = (self.clock)();
        // A clock that went back has told nothing.
        self.laps.add(stage, now.saturating_sub(self.last));
        self.last = now;
    }
}

#[cfg(test)]
#[cfg(feature = "compile")]
mod tests {
    use super::*;
    use crate::model::Request;
    use crate::{Engine, State};

    const CONFIG: &str = r#"
version = 1
[[endpoint]]
method = "GET"
path = "/health"
anonymous = true
[policy]
text = 'forbid(principal, action, resource) when { context has country };'
"#;

    /// The order of the stages, and what is decided.
    #[derive(Default)]
    struct Order(Vec<Stage>);

    impl Stopwatch for Order {
        fn lap(&mut self, stage: Stage) {
            self.0.push(stage);
        }
    }

    #[test]
    fn each_stage_that_ran_has_a_lap_and_the_decision_is_the_same() {
        let engine = Engine::from_toml(CONFIG, &[]).unwrap();
        let early = [Stage::Route, Stage::Limit, Stage::Respond];
        let late = [Stage::Verify, Stage::Respond, Stage::Limit, Stage::Inspect, Stage::Anomaly, Stage::Policy];
        let whole = [&early[..], &late, &[Stage::Respond]].concat();
        let refused = [&early[..], &[Stage::Respond]].concat();
        for (path, stages) in [("/health", whole), ("/other", refused)] {
            let request =
                Request { id: Some("a".into()), method: "GET".into(), path: path.into(), ..Request::default() };
            let mut order = Order::default();
            let timed = engine.decide_timed(&State::new(&engine), &request, 7, &mut order);
            assert_eq!(order.0, stages, "{path}");
            assert_eq!(timed, engine.decide(&State::new(&engine), &request, 7));
        }
    }

    #[test]
    fn laps_of_a_stage_add_up() {
        let mut ticks = [100, 1_500, 1_600, 1_500, 11_500].into_iter();
        let mut timer = Timer::new(|| ticks.next().unwrap());
        [Stage::Route, Stage::Limit, Stage::Verify, Stage::Limit].into_iter().for_each(|stage| timer.lap(stage));
        let document = serde_json::to_string(&timer.laps()).unwrap();
        assert_eq!(document, r#"{"route":1.4,"limit":10.1}"#);
    }
}

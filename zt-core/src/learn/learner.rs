//! A baseline of recorded events: which of them teach, whose they are, and how often they are read.

use std::sync::Arc;

use serde::Serialize;

use crate::anomaly::{Baseline, Follower, Pass, Target, Trainer};
use crate::base::math::upper_bound;
use crate::engine::{self, Engine};
use crate::model::{self, Event, Identity};

/// Statuses that say that a request was refused for what it was: it teaches nothing.
const REFUSED: [u16; 10] = [400, 401, 403, 405, 413, 414, 415, 422, 429, 431];
/// Where nothing says that an endpoint exists, a path that leads nowhere is what scanners leave.
const NOT_FOUND: [u16; 2] = [404, 410];

/// What a label says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Labels {
    /// `normal` teaches, whatever the response was; any other label does not.
    #[default]
    Believed,
    /// Nothing: attacks teach like any other event.
    Ignored,
}

/// Learns from events that are replayed: all passes of [`Pass::ALL`] twice, the second time without requests that are outliers
/// to what was learned the first time; then what clients do, in the order of the events.
///
/// An event teaches unless
/// - its label is not `normal` ([`Labels`]), or
/// - it has no label, and its response the verdict `confirmed`, or
/// - it has neither and was refused: its response has the status 400, 401, 403, 405, 413, 414, 415, 422, 429 or 431, or 404 or
///   410 where no [endpoint](Self::for_endpoints_of) is known for it.
///
/// Whose an event is, so that one client alone makes nothing normal, is a hash of its `subject`, else of its peer's address.
#[derive(Clone, Debug)]
pub struct Learner<'e> {
    engine: Option<&'e Engine>,
    start: Baseline,
    passes: &'static [Pass],
    labels: Labels,
    issuer: Option<Arc<str>>,
}

/// Which replay this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// Hands every event over.
type Replay<'r, E> = dyn FnMut(Turn, &mut dyn FnMut(&Event)) -> Result<(), E> + 'r;

/// What came out.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The baseline.
    pub baseline: Baseline,
    /// What it was made of.
    pub taught: Taught,
}

/// Events of one replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Taught {
    /// Events that taught.
    pub learned: u64,
    /// Events left out because they were refused at the time.
    pub refused: u64,
    /// Events left out for their label, or because they were confirmed to be attacks.
    pub labelled: u64,
}

impl Learned {
    /// The smallest share of normal requests that its scores can keep: about 3 in as many as they were taken of, 1 where there
    /// were none.
    pub fn least_budget(&self) -> f64 {
        least_budget(&self.baseline)
    }
}

/// The smallest budget that a baseline can keep; see [`Learned::least_budget`].
pub fn least_budget(baseline: &Baseline) -> f64 {
    upper_bound(0, baseline.calibrated_on())
}

impl<'e> Learner<'e> {
    /// From nothing; hashes are keyed by this seed, and only baselines of one seed can be merged.
    pub fn new(seed: u64) -> Self {
        Self { engine: None, start: Baseline::new(seed), passes: &Pass::ALL, labels: Labels::default(), issuer: None }
    }

    /// Adds to what a baseline counts. What scores mean is taken anew, from these events alone: it holds only for the counts
    /// that it was taken under.
    pub fn going_on(baseline: &Baseline) -> Self {
        Self { start: baseline.uncalibrated(), ..Self::new(0) }
    }

    /// Leaves what a baseline counts as it is, and takes what scores mean from these events. They are taken for some of those
    /// that were counted; others then score a little higher than they would, so a budget is kept all the more.
    pub fn calibrating(baseline: &Baseline) -> Self {
        let [_, passes @ ..] = &Pass::ALL;
        Self { passes, ..Self::going_on(baseline) }
    }

    /// Compares requests with those for the same endpoint of this engine; without one the path alone says what is alike.
    #[must_use]
    pub fn for_endpoints_of(self, engine: &'e Engine) -> Self {
        Self { engine: Some(engine), ..self }
    }

    /// What a label says.
    #[must_use]
    pub fn with_labels(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// Takes who an event is of for a subject of this issuer: what tokens of it will say while serving.
    #[must_use]
    pub fn with_issuer(self, issuer: &str) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// How often the events are replayed.
    pub fn turns(&self) -> usize {
        self.passes.len().saturating_mul(2).saturating_add(1)
    }

    /// Learns. `replay` hands every event over each time it is called, the same ones each time; nothing of them is kept.
    ///
    /// # Errors
    /// Those of `replay`.
    pub fn learn<E>(
        &self,
        mut replay: impl FnMut(Turn, &mut dyn FnMut(&Event)) -> Result<(), E>,
    ) -> Result<Learned, E> {
        let mut number = 0;
        let mut turn = || {
            number += 1;
            Turn { number, of: self.turns() }
        };
        let (first, _) = self.round(None, &mut turn, &mut replay)?;
        let (second, taught) = self.round(Some(&first), &mut turn, &mut replay)?;
        // What clients do is of its time: it is learned last, in order.
        let mut follower = Follower::new(&second).without_outliers_to(&first);
        replay(turn(), &mut |event| self.follow(&mut follower, event))?;
        Ok(Learned { baseline: follower.end(), taught })
    }

    fn round<E>(
        &self,
        first: Option<&Baseline>,
        turn: &mut dyn FnMut() -> Turn,
        replay: &mut Replay<'_, E>,
    ) -> Result<(Baseline, Taught), E> {
        let (mut baseline, mut taught) = (self.start.clone(), Taught::default());
        for pass in self.passes {
            taught = Taught::default();
            let trainer = Trainer::new(&baseline, *pass);
            let mut trainer = match first {
                Some(first) => trainer.without_outliers_to(first),
                None => trainer,
            };
            replay(turn(), &mut |event| self.teach(&mut trainer, event, &mut taught))?;
            baseline = trainer.end();
        }
        Ok((baseline, taught))
    }

    fn teach(&self, trainer: &mut Trainer<'_>, event: &Event, taught: &mut Taught) {
        let found = self.engine.and_then(|engine| engine.router().route(&event.request).ok());
        let target = engine::target(found.as_ref());
        let counter = match self.verdict(event, &target) {
            Verdict::Teaches => {
                let client = self.start.client(&event.request, self.identity(event).as_ref());
                trainer.add(&event.request, &target, client);
                &mut taught.learned
            }
            Verdict::Refused => &mut taught.refused,
            Verdict::Labelled => &mut taught.labelled,
        };
        *counter = counter.saturating_add(1);
    }

    fn follow(&self, follower: &mut Follower<'_>, event: &Event) {
        let found = self.engine.and_then(|engine| engine.router().route(&event.request).ok());
        let target = engine::target(found.as_ref());
        let verdict = self.verdict(event, &target);
        if matches!(verdict, Verdict::Labelled) {
            return;
        }
        let identity = self.identity(event);
        let teaches = matches!(verdict, Verdict::Teaches);
        let followed = follower.add(&event.request, &target, identity.as_ref(), teaches, event.time_ms);
        if let Some(response) = &event.response {
            follower.answered(followed, response, event.time_ms);
        }
    }

    /// Who an event is of, where it says so.
    fn identity(&self, event: &Event) -> Option<Identity> {
        let subject = event.subject.as_deref()?;
        Some(Identity { issuer: self.issuer.clone(), ..Identity::asserted(subject) })
    }

    fn verdict(&self, event: &Event, target: &Target<'_>) -> Verdict {
        match event.label.as_deref().filter(|_| self.labels == Labels::Believed) {
            Some(Event::NORMAL) => return Verdict::Teaches,
            Some(_) => return Verdict::Labelled,
            None => {}
        }
        match event.response.as_ref().and_then(|response| response.verdict) {
            Some(model::Verdict::FalsePositive) => return Verdict::Teaches,
            Some(model::Verdict::Confirmed) => return Verdict::Labelled,
            None => {}
        }
        let status = event.response.as_ref().map_or(200, |response| response.status);
        let nowhere = NOT_FOUND.contains(&status) && matches!(target, Target::Path);
        if nowhere || REFUSED.contains(&status) { Verdict::Refused } else { Verdict::Teaches }
    }
}

#[derive(Clone, Copy)]
enum Verdict {
    Teaches,
    Refused,
    Labelled,
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::anomaly::Detector;
    use crate::model::Outcome;

    fn event(path: &str, status: u16, label: Option<&str>, who: u32) -> Event {
        let mut event = serde_json::json!({
            "time_ms": 0, "subject": format!("u{who}"),
            "request": {"method": "GET", "path": path, "query": "page=2"}, "response": {"status": status}
        });
        if let Some(label) = label {
            event["label"] = label.into();
        }
        serde_json::from_value(event).unwrap()
    }

    fn learn(learner: &Learner<'_>, events: &[Event]) -> Learned {
        let mut turns = 0;
        let learned = learner.learn(|turn, take| {
            turns += 1;
            assert_eq!((turn.number, turn.of), (turns, learner.turns()));
            events.iter().for_each(take);
            Ok::<(), Infallible>(())
        });
        assert_eq!(turns, learner.turns());
        learned.unwrap()
    }

    fn orders(count: u32) -> Vec<Event> {
        (0..count).map(|n| event(&format!("/orders/{}", 1_000 + n * 7 % 9_000), 200, None, n % 20)).collect()
    }

    #[test]
    fn what_was_refused_or_is_labelled_an_attack_teaches_nothing() {
        let events = [
            event("/a", 200, None, 1),
            event("/a", 302, None, 1),
            event("/a", 500, None, 1),
            event("/a", 403, Some("normal"), 1),
            event("/a", 403, None, 1),
            event("/a", 429, None, 1),
            event("/a", 404, None, 1),
            event("/a", 200, Some("sqli"), 1),
        ];
        let learned = learn(&Learner::new(1), &events);
        assert_eq!(learned.taught, Taught { learned: 4, refused: 3, labelled: 1 });
        assert_eq!(learned.baseline.calibrated_on(), 4);
        let judged = |verdict: model::Verdict, status| {
            let mut event = event("/a", status, None, 1);
            event.response.as_mut().unwrap().verdict = Some(verdict);
            event
        };
        let judged = [judged(model::Verdict::Confirmed, 200), judged(model::Verdict::FalsePositive, 403)];
        let taught = learn(&Learner::new(1), &judged).taught;
        assert_eq!(taught, Taught { learned: 1, refused: 0, labelled: 1 });
        let all = learn(&Learner::new(1).with_labels(Labels::Ignored), &events);
        assert_eq!(all.taught, Taught { learned: 4, refused: 4, labelled: 0 });
    }

    #[cfg(feature = "compile")]
    #[test]
    fn what_is_not_there_teaches_where_the_endpoint_is_known() {
        let config = "version = 1\n[[endpoint]]\nmethod = \"GET\"\npath = \"/orders/{id}\"\n";
        let engine = Engine::from_toml(config, &[]).unwrap();
        let learner = Learner::new(1).for_endpoints_of(&engine);
        let learned = learn(&learner, &[event("/orders/1", 404, None, 1), event("/backup.zip", 404, None, 1)]);
        assert_eq!(learned.taught, Taught { learned: 1, refused: 1, labelled: 0 });
    }

    #[test]
    fn going_on_counts_more_and_calibrating_counts_nothing() {
        let (one, two) = (orders(2_000), orders(3_000));
        let first = learn(&Learner::new(1), &one).baseline;
        let more = learn(&Learner::going_on(&first), &two);
        assert_eq!(more.baseline.calibrated_on(), 3_000);
        let again = learn(&Learner::calibrating(&first), &one);
        assert_eq!(again.baseline.write(), first.write());
        assert!(again.least_budget() > 0.001 && again.least_budget() < 0.002);
    }

    #[test]
    fn clients_are_the_same_while_learning_and_while_serving() {
        let issuer = "https://id.example";
        let events: Vec<Event> = (0..)
            .zip(orders(400))
            .map(|(number, mut event)| {
                event.time_ms = number * 1_000;
                event.request.peer.ip = Some([10, 0, 0, number as u8 % 5].into());
                event.subject = event.subject.filter(|_| number % 3 == 0);
                event
            })
            .collect();
        let learned = learn(&Learner::new(1).with_issuer(issuer), &events).baseline;
        let detector = Detector::new(Baseline::new(1), 0.001);
        for event in &events {
            let who = |subject| Identity { issuer: Some(issuer.into()), ..Identity::asserted(subject) };
            let who = event.subject.as_deref().map(who);
            let judged = detector.judge(&event.request, &Target::Path, who.as_ref(), event.time_ms);
            detector.concluded(&event.time_ms.to_string(), &judged, Outcome::Allow, true);
        }
        assert!(detector.baseline().uncalibrated().write() == learned.uncalibrated().write());
    }
}

//! Learning what clients do from recorded requests, in the order of their time: after the passes of a
//! [`Trainer`](super::Trainer), on what those learned.

use super::answers::{Answer, Teaches};
use super::baseline::Baseline;
use super::behaviour::Facts;
use super::calibration::Histogram;
use super::kind::Channel;
use super::rates::Asking;
use super::request::Target;
use super::watch::{Lesson, STRANGE, Watch};
use crate::model::{Identity, Millis, Request, Response};

/// What clients do over time, one request after the other.
#[derive(Clone, Debug)]
pub struct Follower<'b> {
    before: &'b Baseline,
    first: Option<&'b Baseline>,
    watch: Watch,
    number: u64,
}

/// A request that was seen, and whose response may follow.
#[derive(Clone, Copy, Debug)]
pub struct Followed(u64);

impl<'b> Follower<'b> {
    /// Goes on from what a baseline knows of clients; what evidence means is taken anew.
    pub fn new(before: &'b Baseline) -> Self {
        let known = before.watch.as_deref();
        let watch = known.map_or_else(|| Watch::new(Histogram::default()), Watch::uncalibrated);
        Self { before, first: None, watch, number: 0 }
    }

    /// Takes requests that are outliers to this for ones that the baseline does not count.
    #[must_use]
    pub fn without_outliers_to(self, first: &'b Baseline) -> Self {
        Self { first: Some(first), ..self }
    }

    /// Sees a request of whoever it is; where it `teaches`, learns from it.
    pub fn add(
        &mut self,
        request: &Request<'_>,
        target: &Target<'_>,
        identity: Option<&Identity>,
        teaches: bool,
        now: Millis,
    ) -> Followed {
        let before = self.before;
        let doubtful = |first: &&Baseline| first.is_outlier(&first.strangest(request, target, true));
        let counted = teaches && !self.first.as_ref().is_some_and(doubtful);
        let facts = Facts::of(&before.keyed, request, target, identity, now);
        let looked = self.watch.behaviour.look(&facts);
        let agent = Some(facts.agent).filter(|_| looked.knows_agent);
        let strangest = before.strangest_beside(agent, request, target, counted);
        let channels = Channel::ALL.into_iter().zip(before.evidence(&strangest));
        let channels = channels.filter(|(channel, _)| !looked.knows_headers || *channel != Channel::Headers);
        let own = channels.map(|(_, evidence)| evidence).max().unwrap_or_default();
        let evidence = self.watch.signals(&looked).map(|(_, evidence)| evidence).fold(own, u32::max);
        let unusual = self.watch.share(evidence) <= STRANGE;
        self.watch.tell(&facts, &looked, STRANGE);
        let lesson = match (teaches, unusual) {
            (_, true) => Lesson::Unusual,
            (true, false) => Lesson::Usual,
            (false, false) => Lesson::Refused,
        };
        if lesson == Lesson::Usual {
            let asking = Asking::of((&before.keyed, &self.watch.rates), &facts, request, target, identity, now);
            self.watch.rates.learn(&asking);
        }
        self.watch.learn(&facts, &looked, evidence, lesson, STRANGE);
        self.number = self.number.wrapping_add(1);
        let teaching = if teaches { Teaches::Usual } else { Teaches::Nothing };
        self.watch.behaviour.asks(self.number, facts.asked(teaching));
        Followed(self.number)
    }

    /// The response to a request.
    pub fn answered(&mut self, request: Followed, response: &Response<'_>, now: Millis) {
        let Watch { behaviour, answers, .. } = &mut self.watch;
        let answer = Answer::of(response);
        if let Some(asked) = behaviour.answered(request.0, response.status, answer.bytes(), now) {
            answers.look(asked.endpoint, &answer, asked.teaches, STRANGE);
        }
    }

    /// What was known before, and what clients do.
    #[must_use]
    pub fn end(mut self) -> Baseline {
        self.watch.rates.close();
        self.watch.settle();
        self.before.with_watch(self.watch)
    }
}

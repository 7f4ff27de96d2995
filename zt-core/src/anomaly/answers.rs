//! Is this response unusual for its endpoint? Its status, its size, and how long it took.
//!
//! What is usual is counted in cells: the class of the status, and of size and latency the logarithm in half nats, a factor of
//! 1.65. A class is as likely as it is frequent; a size or a latency as one at least as large is, for it is more bytes and
//! more time than usual that tell of a leak or of work done for somebody else; less of either is no evidence. Beyond the largest
//! of the whole service each cell is a nat more. The surprise of a fact is the `-ln` of that share, less the one nat that it is
//! on average: what a third of all have is no evidence.
//!
//! An endpoint counts as if it had [`AS_SERVICE`] responses more, spread as those of the whole service are: so one with few
//! responses is compared with the service, and one with many with itself. The surprises of the facts are added, as if they had
//! nothing to do with each other: what is only unusual together is missed.

use super::calibration::{Histogram, Scale, Shares};
use super::numbers::Numbers;
use crate::base::bytes::Reader;
use crate::base::fixed::{self, ONE};
use crate::base::generations::{Generations, Kept};
use crate::model::Response;

/// Endpoints that are told apart, at most 2 KiB each; those that had no response for the longest time are forgotten.
const MOST_ENDPOINTS: usize = 512;
/// Responses of the service that an endpoint is taken to have had.
const AS_SERVICE: u64 = 16;
/// Cells of a size, from 0 to 5 * 10^13 bytes and more, and of a latency, to 90 minutes and more.
const CELLS: [u32; 2] = [64, 32];
/// Responses before what scores mean is worked out for the first time, and the part of all that is news enough to do it again.
const FIRST: u64 = 8;
const PART: u64 = 8;

/// What a response says of itself without its content, as it is told to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Status(u16),
    Bytes(u64),
    Millis(u64),
}

/// Facts of a response, each where the host knew it: status, size, latency.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer([Option<Fact>; 3]);

/// What is said of a response.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Share of normal responses that are at least as unusual, an upper bound with 95 % confidence; 1 where too few were seen.
    pub share: f64,
    /// Nats of evidence; larger is stranger.
    pub score: f64,
    /// Where it is unusual: which facts, with how many others are like them.
    pub unusual: Option<String>,
}

impl Answered {
    /// `risk` of a response's decision.
    pub fn risk(&self) -> f64 {
        1.0 - self.share
    }
}

/// Responses, and what is usual of them.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    endpoints: Generations<Usual>,
    service: Usual,
    raw: Histogram,
    scale: Scale,
    shares: Shares,
    news: u64,
}

/// Counts of each fact's cells.
#[derive(Clone, Debug, Default)]
struct Usual([Numbers<1>; 3]);

impl Answer {
    /// A status that is not 100 to 599 is none, as is a latency that is negative or no number.
    pub(super) fn of(response: &Response<'_>) -> Self {
        let status = Some(response.status).filter(|status| (100..600).contains(status));
        let latency = response.latency_ms.filter(|latency| latency.is_finite() && *latency >= 0.0);
        Self([
            status.map(Fact::Status),
            bytes(response).map(Fact::Bytes),
            // Rounded down; what is too large is the largest.
            latency.map(|latency| Fact::Millis(latency as u64)),
        ])
    }

    pub(super) fn bytes(&self) -> u64 {
        let bytes = |fact: &Fact| if let Fact::Bytes(bytes) = fact { Some(*bytes) } else { None };
        self.0.iter().flatten().find_map(bytes).unwrap_or(0)
    }
}

/// Bytes of a body: as many as it is said to have, else as are at hand.
fn bytes(response: &Response<'_>) -> Option<u64> {
    response.body_len.or_else(|| response.body.as_ref().map(|body| body.bytes().len() as u64))
}

impl Fact {
    fn cell(self) -> u32 {
        let [sizes, latencies] = CELLS;
        // Half nats of one more.
        let cell = |number: u64, cells: u32| (fixed::ln(number.saturating_add(1)) >> 15).min(cells.saturating_sub(1));
        match self {
            Self::Status(status) => u32::from(status / 100),
            Self::Bytes(bytes) => cell(bytes, sizes),
            Self::Millis(millis) => cell(millis, latencies),
        }
    }

    /// Points that count against it being unusual.
    fn likes(self, numbers: &Numbers<1>) -> u64 {
        match self {
            Self::Status(_) => numbers.count(self.cell()),
            Self::Bytes(_) | Self::Millis(_) => numbers.at_least(self.cell()),
        }
    }

    /// Cells beyond the largest.
    fn beyond(self, numbers: &Numbers<1>) -> u32 {
        match self {
            Self::Status(_) => 0,
            Self::Bytes(_) | Self::Millis(_) => self.cell().saturating_sub(numbers.largest().unwrap_or(u32::MAX)),
        }
    }

    /// Nats by which the share of responses like it is less than the usual `1/e`, 8 bits behind the point.
    fn surprise(self, own: &Numbers<1>, service: &Numbers<1>) -> u32 {
        // (likes + 16 p) / (points + 16), where p = (likes + 1/2) / (points + 1) is that of the service.
        let whole = service.points().saturating_add(1).saturating_mul(2);
        let of_service = self.likes(service).saturating_mul(2).saturating_add(1).saturating_mul(AS_SERVICE);
        let likes = self.likes(own).saturating_mul(whole).saturating_add(of_service);
        let surprise = fixed::surprise(likes, own.points().saturating_add(AS_SERVICE).saturating_mul(whole));
        surprise.saturating_sub(ONE).saturating_add(self.beyond(service).saturating_mul(ONE))
    }

    /// For people: the fact, and how many are like it.
    fn tell(self, numbers: &Numbers<1>, of: &str) -> String {
        let all = format!("{} of {} responses of the {of}", self.likes(numbers), numbers.points());
        match self {
            Self::Status(status) => format!("status {status}: {all} are of its class"),
            Self::Bytes(bytes) => format!("size {bytes} bytes: {all} are as large"),
            Self::Millis(millis) => format!("latency {millis} ms: {all} took as long"),
        }
    }
}

impl Usual {
    /// The facts that are there, with their counts here and there.
    fn beside<'u>(
        &'u self,
        other: &'u Self,
        answer: &Answer,
    ) -> impl Iterator<Item = (Fact, &'u Numbers<1>, &'u Numbers<1>)> {
        let counts = self.0.iter().zip(&other.0);
        answer.0.into_iter().zip(counts).filter_map(|(fact, (own, other))| Some((fact?, own, other)))
    }

    fn learn(&mut self, answer: &Answer) {
        for (fact, numbers) in answer.0.into_iter().zip(&mut self.0) {
            if let Some(fact) = fact {
                numbers.learn(&[f64::from(fact.cell())]);
            }
        }
    }
}

impl Kept for Usual {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|numbers| numbers.write(out));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self([Numbers::read(reader)?, Numbers::read(reader)?, Numbers::read(reader)?]))
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| own.join(other));
    }
}

impl Answers {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.endpoints.write(out);
        self.service.write(out);
        self.raw.write(out);
    }

    /// `None` where the bytes are none of these.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut read = Self::new();
        read.endpoints = Generations::read(MOST_ENDPOINTS, reader)?;
        read.service = Usual::read(reader)?;
        read.raw = Histogram::read(reader)?;
        read.settle();
        Some(read)
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.endpoints.join(&other.endpoints);
        self.service.join(&other.service);
        self.raw.join(&other.raw);
        self.settle();
    }

    /// Works out what follows from what was learned.
    pub(super) fn settle(&mut self) {
        (self.scale, self.shares, self.news) = (Scale::of(&self.raw), Shares::of(&self.raw), 0);
    }

    /// What is too much goes.
    pub(super) fn bound(&mut self) {
        self.endpoints.resize(MOST_ENDPOINTS);
    }

    pub(super) fn new() -> Self {
        let raw = Histogram::default();
        let (scale, shares) = (Scale::of(&raw), Shares::of(&raw));
        let endpoints = Generations::new(MOST_ENDPOINTS);
        Self { endpoints, service: Usual::default(), raw, scale, shares, news: 0 }
    }

    /// How unusual a response of an endpoint is; `None` where nothing is known of it. If it `teaches`, it is counted: what is
    /// unusual, only in what scores mean.
    pub(super) fn look(&mut self, endpoint: u64, answer: &Answer, teaches: Teaches, budget: f64) -> Option<Answered> {
        if answer.0.iter().all(Option::is_none) {
            return None;
        }
        let none = Usual::default();
        let own = self.endpoints.get(endpoint).unwrap_or(&none);
        let surprise = |(fact, own, service): (Fact, _, _)| fact.surprise(own, service);
        let raw = own.beside(&self.service, answer).map(surprise).fold(0, u32::saturating_add);
        let share = self.shares.of_evidence(raw);
        let unusual = (share <= budget).then(|| told(own, &self.service, answer));
        let score = f64::from(self.scale.evidence(raw)) / f64::from(ONE);
        if teaches == Teaches::Usual {
            if unusual.is_none() {
                self.endpoints.entry(endpoint).learn(answer);
                self.service.learn(answer);
            }
            self.calibrate(raw);
        }
        Some(Answered { share, score, unusual })
    }

    fn calibrate(&mut self, raw: u32) {
        self.raw.add(raw, 1);
        self.news = self.news.saturating_add(1);
        if self.news >= (self.shares.total / PART).max(FIRST) {
            self.settle();
        }
    }

    pub(super) fn memory(&self) -> usize {
        let each = self.endpoints.values().chain([&self.service]);
        let counts = each.flat_map(|usual| usual.0.iter().map(Numbers::memory)).fold(0, usize::saturating_add);
        let parts = [counts, Histogram::MEMORY, self.scale.memory(), self.shares.memory()];
        parts.into_iter().fold(self.endpoints.memory(), usize::saturating_add)
    }
}

/// Whether a response says what is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Teaches {
    /// That of a request that was allowed.
    Usual,
    /// Any other, and any while nothing is learned.
    #[default]
    Nothing,
}

/// The facts that are at least half as surprising as the most surprising one, that one first.
fn told(own: &Usual, service: &Usual, answer: &Answer) -> String {
    let mut facts: Vec<_> = own
        .beside(service, answer)
        .map(|(fact, own, service)| (fact.surprise(own, service), fact, own, service))
        .collect();
    facts.sort_by(|(a, ..), (b, ..)| b.cmp(a));
    let least = facts.first().map_or(0, |(most, ..)| *most) / 2;
    let told = facts.into_iter().filter(|(surprise, ..)| *surprise >= least).map(|(_, fact, own, service)| {
        match own.points() >= AS_SERVICE {
            true => fact.tell(own, "endpoint"),
            false => fact.tell(service, "service"),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUDGET: f64 = 0.01;

    fn response(status: u16, body_len: u64, latency_ms: f64) -> Answer {
        Answer::of(&Response { status, body_len: Some(body_len), latency_ms: Some(latency_ms), ..Response::default() })
    }

    /// Endpoint 1 answers with some 400 bytes in 10 ms, endpoint 2 with some 100,000 in 500 ms.
    fn usual() -> Answers {
        let mut answers = Answers::new();
        for turn in 0..2_000_u64 {
            answers.look(1, &response(200, 400 + turn % 50, 10.0), Teaches::Usual, BUDGET);
            answers.look(2, &response(200, 100_000 + turn, 500.0), Teaches::Usual, BUDGET);
        }
        answers
    }

    fn look(answers: &mut Answers, endpoint: u64, answer: &Answer) -> Answered {
        answers.look(endpoint, answer, Teaches::Nothing, BUDGET).expect("facts")
    }

    #[test]
    fn what_is_usual_elsewhere_is_unusual_here() {
        let mut answers = usual();
        assert_eq!(look(&mut answers, 1, &response(200, 420, 10.0)).unusual, None);
        assert_eq!(look(&mut answers, 2, &response(200, 100_500, 500.0)).unusual, None);
        let leak = look(&mut answers, 1, &response(200, 100_500, 10.0));
        assert_eq!(
            leak.unusual.as_deref(),
            Some("size 100500 bytes: 0 of 2000 responses of the endpoint are as large")
        );
        assert!(leak.share <= 0.01 && leak.risk() >= 0.99 && leak.score > 5.0, "{leak:?}");
        let slow = look(&mut answers, 2, &response(200, 100_500, 20_000.0));
        assert_eq!(slow.unusual.as_deref(), Some("latency 20000 ms: 0 of 2000 responses of the endpoint took as long"));
        let failed = look(&mut answers, 1, &response(503, 420, 10.0)).unusual.expect("unusual");
        assert_eq!(failed, "status 503: 0 of 2000 responses of the endpoint are of its class");
    }

    #[test]
    fn an_endpoint_with_few_responses_is_compared_with_the_service() {
        let mut answers = usual();
        for answer in [response(200, 400, 10.0), response(200, 100_000, 500.0)] {
            assert_eq!(look(&mut answers, 3, &answer).unusual, None);
        }
        let leak = look(&mut answers, 3, &response(200, 9_000_000, 10.0)).unusual.expect("unusual");
        assert_eq!(leak, "size 9000000 bytes: 0 of 4000 responses of the service are as large");
    }

    #[test]
    fn the_further_the_stranger_and_less_is_no_evidence() {
        let mut answers = usual();
        let score = |answers: &mut Answers, latency| look(answers, 2, &response(200, 100_500, latency)).score;
        let scores = [500.0, 2_000.0, 8_000.0, 60_000.0].map(|latency| score(&mut answers, latency));
        assert!(scores.is_sorted_by(|a, b| a < b), "{scores:?}");
        assert_eq!(score(&mut answers, 0.0), score(&mut answers, 100.0));
    }

    #[test]
    fn absent_facts_are_no_evidence() {
        let mut answers = usual();
        let whole = look(&mut answers, 1, &response(503, 420, 10.0)).score;
        let status = Answer::of(&Response { status: 503, ..Response::default() });
        let alone = look(&mut answers, 1, &status).score;
        assert!(alone > 5.0 && alone <= whole);
        assert!(answers.look(1, &Answer::of(&Response::default()), Teaches::Usual, BUDGET).is_none());
    }

    #[test]
    fn hostile_facts_are_none_and_huge_ones_are_alike() {
        let strange = |status, latency_ms| {
            Answer::of(&Response { status, latency_ms: Some(latency_ms), ..Response::default() }).0
        };
        for status in [0, 99, 600, 999, u16::MAX] {
            for latency in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
                assert_eq!(strange(status, latency), [None; 3]);
            }
        }
        assert_eq!(Fact::Bytes(u64::MAX).cell(), 63);
        assert_eq!(Fact::Bytes(1 << 46).cell(), 63);
        assert_eq!(Fact::Millis(u64::MAX).cell(), 31);
        assert_eq!([0, 1, 2, 6].map(|millis| Fact::Millis(millis).cell()), [0, 1, 2, 3]);
    }

    #[test]
    fn what_is_unusual_is_not_learned_until_it_is_frequent() {
        let mut answers = usual();
        let before = answers.service.0[0].points();
        let slow = response(200, 420, 90_000.0);
        assert!(answers.look(1, &slow, Teaches::Usual, BUDGET).expect("facts").unusual.is_some());
        assert_eq!(answers.service.0[0].points(), before);
        for _ in 0..1_000 {
            answers.look(1, &slow, Teaches::Usual, BUDGET);
        }
        assert!(answers.look(1, &slow, Teaches::Usual, BUDGET).expect("facts").unusual.is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut answers = Answers::new();
        for turn in 0..200_000_u64 {
            let (size, millis) = (1_u64 << (turn % 64), 1_u64 << (turn / 64 % 64));
            answers.look(
                turn / 300,
                &response(((turn % 5 + 1) * 100) as u16, size, millis as f64),
                Teaches::Usual,
                BUDGET,
            );
        }
        assert!(answers.memory() < 1 << 20, "{}", answers.memory());
        assert!(answers.endpoints.len() <= MOST_ENDPOINTS);
    }

    proptest! {
        #[test]
        fn any_response_is_survived(
            seen in prop::collection::vec((0..4_u64, any::<u16>(), any::<Option<u64>>(), any::<Option<f64>>()), 0..300)
        ) {
            let mut answers = Answers::new();
            for (endpoint, status, body_len, latency_ms) in seen {
                let answer = Answer::of(&Response { status, body_len, latency_ms, ..Response::default() });
                if let Some(answered) = answers.look(endpoint, &answer, Teaches::Usual, BUDGET) {
                    prop_assert!((0.0..=1.0).contains(&answered.share) && answered.score.is_finite());
                    prop_assert_eq!(answered.unusual.is_some(), answered.share <= BUDGET);
                }
            }
        }
    }
}

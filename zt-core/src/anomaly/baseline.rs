//! What was learned, frozen: scores requests and does not change.

use std::fmt;

use super::behaviour::client;
use super::calibration::{Histogram, Histograms, Scale, Shares};
use super::item::{Element, Elements, norm};
use super::kind::{Channel, Kind};
use super::model::{Bounds, Model};
use super::request::{Reader, Target};
use super::score::Strangest;
use super::watch::Watch;
use crate::base::fixed;
use crate::base::json::Limits;
use crate::base::keyed::Keyed;
use crate::model::{Identity, Request};

/// Requests that make an endpoint known.
const KNOWN: u64 = 16;

/// Counts, what is normal, and what scores mean.
#[derive(Clone)]
pub struct Baseline {
    pub(super) seed: u64,
    pub(super) keyed: Keyed,
    pub(super) service: u64,
    pub(super) limits: Limits,
    pub(super) model: Model,
    /// Scores of the channels.
    pub(super) histograms: Histograms,
    /// Evidence of whole requests.
    pub(super) evidence: Histogram,
    /// What clients do over time, where that was learned.
    pub(super) watch: Option<Box<Watch>>,
    scales: [Scale; Channel::ALL.len()],
    shares: Shares,
    /// Requests that score higher are not counted: of a recording, and while serving.
    fence: u32,
    fence_while_serving: u32,
    /// Of how many requests that are served one is an outlier.
    outliers_are_one_in: u64,
}

impl fmt::Debug for Baseline {
    /// Without the seed and what the tables tell of requests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Baseline").field("calibrated_on", &self.calibrated_on()).finish_non_exhaustive()
    }
}

/// What a baseline says of a request.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Share of normal requests that would score at least as high, an upper bound with 95 % confidence, 0..=1: `1 - risk`
    /// of a decision. 1 where too few requests were seen to say anything.
    pub share: f64,
    /// Nats of evidence of the channel with the most; larger is stranger.
    pub score: f64,
    /// Evidence by channel.
    pub channels: [(Channel, f64); Channel::ALL.len()],
    pub(super) strangest: Strangest,
}

/// The hashes of two baselines are keyed by different seeds: what they count cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("baselines of different seeds cannot be joined")]
pub struct OtherSeed;

impl Baseline {
    /// One that has seen nothing, whose hashes are keyed by this seed.
    pub fn new(seed: u64) -> Self {
        let keyed = Keyed::new(seed);
        let service = keyed.bytes(b"service");
        let histograms = Histograms::default();
        let evidence = Histogram::default();
        let scales = Channel::ALL.map(|channel| Scale::of(histograms.of(channel)));
        let shares = Shares::of(&evidence);
        let (limits, model) = (Limits::default(), Model::default());
        Self {
            seed,
            keyed,
            service,
            limits,
            model,
            histograms,
            evidence,
            watch: None,
            scales,
            shares,
            fence: u32::MAX,
            fence_while_serving: u32::MAX,
            outliers_are_one_in: u64::MAX,
        }
    }

    /// How unusual a request is. Time is linear in its bytes.
    pub fn score(&self, request: &Request<'_>, target: &Target<'_>) -> Scored {
        self.scored(self.strangest(request, target, false))
    }

    fn scored(&self, strangest: Strangest) -> Scored {
        self.scored_by(strangest, self.evidence(&strangest))
    }

    /// What evidence says.
    pub(super) fn scored_by(&self, strangest: Strangest, evidence: [u32; Channel::ALL.len()]) -> Scored {
        let nats = |evidence: u32| f64::from(evidence) / f64::from(fixed::ONE);
        let most = evidence.into_iter().max().unwrap_or_default();
        let mut each = evidence.into_iter();
        Scored {
            share: self.shares.of_evidence(most),
            score: nats(most),
            channels: Channel::ALL.map(|channel| (channel, each.next().map_or(0.0, nats))),
            strangest,
        }
    }

    /// Of each channel, in nats.
    pub(super) fn evidence(&self, strangest: &Strangest) -> [u32; Channel::ALL.len()] {
        let mut scales = self.scales.iter();
        Channel::ALL.map(|channel| scales.next().map_or(0, |scale| scale.evidence(strangest.of(channel))))
    }

    /// Whether a request is so strange that it is not counted: what it brings has to come from several clients first.
    pub(super) fn is_outlier(&self, strangest: &Strangest) -> bool {
        strangest.highest() > self.fence
    }

    /// The same of a request that is served.
    pub(super) fn is_outlier_while_serving(&self, strangest: &Strangest) -> bool {
        strangest.highest() > self.fence_while_serving
    }

    /// Of how many requests one is such an outlier.
    pub(super) const fn outliers_are_one_in(&self) -> u64 {
        self.outliers_are_one_in
    }

    /// Requests that were scored to say what scores mean.
    pub fn calibrated_on(&self) -> u64 {
        self.shares.total
    }

    /// Bytes that it takes.
    pub fn memory(&self) -> usize {
        let derived = self.scales.iter().map(Scale::memory).fold(self.shares.memory(), usize::saturating_add);
        let histograms = Histograms::MEMORY.saturating_add(Histogram::MEMORY);
        [size_of::<Self>(), derived, histograms].into_iter().fold(self.model.memory(), usize::saturating_add)
    }

    /// A hash of whose a request is, the same while learning and while serving: the identity, else the network of the address;
    /// none where neither is known.
    pub fn client(&self, request: &Request<'_>, identity: Option<&Identity>) -> Option<u64> {
        client(&self.keyed, request, identity)
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { keyed: &self.keyed, service: self.service, limits: &self.limits }
    }

    /// The strangest elements of a request, `counted` if it is among those that the counts are of.
    pub(super) fn strangest(&self, request: &Request<'_>, target: &Target<'_>, counted: bool) -> Strangest {
        self.strangest_beside(None, request, target, counted)
    }

    /// The same, but for the user agent of this hash, which is its client's own.
    pub(super) fn strangest_beside(
        &self,
        agent: Option<u64>,
        request: &Request<'_>,
        target: &Target<'_>,
        counted: bool,
    ) -> Strangest {
        let (mut strangest, mut events, mut number) = (Strangest::default(), Vec::new(), 0_u32);
        let reader = self.reader();
        let own = agent.map(|agent| reader.agent(agent));
        reader.read(request, target, &mut |found| {
            let elements = if counted {
                events.clear();
                reader.events(found, &mut |sight| events.push(sight.event(self.service)));
                self.model.elements_without(&events)
            } else {
                let mut elements = Elements::default();
                reader.events(found, &mut |sight| elements.see(sight, &self.model));
                elements
            };
            for element in elements.each().filter(|_| own != Some(found.id)) {
                strangest.add(element.kind, number, self.deviations(found.context, element));
            }
            number = number.saturating_add(1);
        });
        strangest
    }

    /// How far an element of an item is from its likes. An endpoint that is known is none, whatever its part of all requests
    /// becomes: what clients do more or less often, others say.
    pub(super) fn deviations(&self, context: u64, element: Element) -> u32 {
        let norm = norm(self.service, context, element.kind);
        match element.kind {
            Kind::Endpoint if self.model.norms.number(norm) >= KNOWN => 0,
            _ => self.model.norms.of(norm).deviations(element.surprise),
        }
    }

    /// Lets go what is too much, and works out what follows from the rest.
    pub(super) fn settle(&mut self, bounds: &Bounds) {
        self.model.bound(bounds);
        self.derive();
    }

    /// What it counts, without what scores mean.
    #[must_use]
    pub fn uncalibrated(&self) -> Self {
        let mut baseline = Self::new(self.seed);
        baseline.model.counts = self.model.counts.clone();
        baseline.model.accepted = self.model.accepted.clone();
        baseline.derive();
        baseline
    }

    /// Adds what another has learned: counts, and how surprising elements usually are, are added. What scores mean holds only
    /// for the counts that it was taken under: it stays where one of the two has counted nothing, else the joined baseline is
    /// not calibrated and its shares are 1 until it is calibrated anew.
    ///
    /// The order in which baselines are joined never matters; one that is joined twice counts twice.
    ///
    /// # Errors
    /// When their hashes are keyed by different seeds; nothing is joined then.
    pub fn join(&mut self, other: &Self) -> Result<(), OtherSeed> {
        if self.seed != other.seed {
            return Err(OtherSeed);
        }
        let both = !self.model.counts.is_empty() && !other.model.counts.is_empty();
        self.model.counts.join(&other.model.counts);
        self.model.norms.join(&other.model.norms);
        self.model.accepted.join(&other.model.accepted);
        if both {
            (self.histograms, self.evidence) = (Histograms::default(), Histogram::default());
        } else {
            self.histograms.join(&other.histograms);
            self.evidence.join(&other.evidence);
        }
        self.join_watch(other);
        self.derive();
        Ok(())
    }

    /// Adds what another has learned while serving, and how strange requests were to it.
    pub(super) fn join_serving(&mut self, other: &Self) {
        self.model.counts.join(&other.model.counts);
        self.model.norms.join(&other.model.norms);
        self.model.accepted.join(&other.model.accepted);
        self.histograms.join(&other.histograms);
        self.evidence.join(&other.evidence);
    }

    /// With what clients do over time.
    pub(super) fn with_watch(&self, watch: Watch) -> Self {
        Self { watch: Some(Box::new(watch)), ..self.clone() }
    }

    fn join_watch(&mut self, other: &Self) {
        match (&mut self.watch, &other.watch) {
            (Some(own), Some(other)) => own.join(other),
            (own @ None, Some(other)) => *own = Some(other.clone()),
            _ => {}
        }
    }

    /// What its hashes are keyed by: baselines of one seed can be joined.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Works out what follows from counts and histograms: once after they have changed.
    pub(super) fn derive(&mut self) {
        self.model.derive(self.service);
        self.scales = Channel::ALL.map(|channel| Scale::of(self.histograms.of(channel)));
        self.shares = Shares::of(&self.evidence);
        self.fence = self.histograms.highest().fence();
        self.fence_while_serving = self.histograms.highest().fence_while_serving();
        self.outliers_are_one_in = self.histograms.highest().one_in(self.fence_while_serving);
    }
}

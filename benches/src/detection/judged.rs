//! What a detector says of the requests of a split.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use zt_core::anomaly::{Baseline, Target};
use zt_core::learn::{Labels, Learner};

use super::data::{CONTAMINATED, Split, is_attack, label};
use super::metrics::{Estimate, Scores, share};

const SEED: u64 = 1;

/// One score for each request that was tested.
pub(super) struct Judged {
    pub(super) labels: Vec<String>,
    /// Higher is stranger.
    pub(super) scores: Vec<f64>,
    /// Shares of normal requests that would score at least as high; none of a peer.
    pub(super) shares: Vec<f64>,
    /// What was learned; nothing of a peer.
    pub(super) learned: Baseline,
    /// A request, microseconds.
    pub(super) learn_us: f64,
    pub(super) score_us: f64,
}

impl AsRef<Self> for Judged {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Judged {
    /// By zt, which learns in four passes.
    pub(super) fn by_zt(split: &Split) -> Self {
        eprintln!("{}: zt learns {} requests and scores {}", split.name, split.learned.len(), split.tested.len());
        let start = Instant::now();
        let baseline = learn(split);
        let learn_us = start.elapsed().as_secs_f64() * 1e6 / split.learned.len().max(1) as f64;
        let start = Instant::now();
        let scored: Vec<(f64, f64)> = split
            .tested
            .iter()
            .map(|event| {
                let scored = baseline.score(black_box(&event.request), &Target::Path);
                (scored.score, scored.share)
            })
            .collect();
        let score_us = start.elapsed().as_secs_f64() * 1e6 / split.tested.len().max(1) as f64;
        let (scores, shares) = scored.into_iter().unzip();
        let labels = split.tested.iter().map(|event| label(event).to_owned()).collect();
        Self { labels, scores, shares, learned: baseline, learn_us, score_us }
    }

    /// Of normal requests and of all attacks, or one family's.
    pub(super) fn scores(&self, family: Option<&str>) -> Scores {
        let judged = self.labels.iter().zip(&self.scores);
        let wanted = judged.filter(|(label, _)| !is_attack(label) || family.is_none_or(|family| family == *label));
        Scores::new(wanted.map(|(label, score)| (is_attack(label), *score)))
    }

    /// Of its attacks.
    pub(super) fn families(&self) -> Vec<&str> {
        let families: BTreeSet<&str> =
            self.labels.iter().map(String::as_str).filter(|label| is_attack(label)).collect();
        families.into_iter().collect()
    }

    /// Normal requests.
    pub(super) fn normal(&self) -> usize {
        self.labels.iter().filter(|label| !is_attack(label)).count()
    }

    /// What a budget of so many of a thousand calls unusual: of the normal requests, and of the attacks.
    pub(super) fn called_unusual(&self, per_mille: u64) -> (Option<Estimate>, Option<Estimate>) {
        let budget = per_mille as f64 / 1e3;
        let judged = || self.labels.iter().zip(&self.shares);
        let called =
            |wanted: fn(&str) -> bool| judged().filter(|(label, share)| wanted(label) && **share <= budget).count();
        let normal = self.normal();
        let attacks = share(called(is_attack), self.labels.len() - normal);
        (share(called(|label| !is_attack(label)), normal), attacks)
    }
}

/// As labelled, but where attacks among what is learned are the question.
fn learn(split: &Split) -> Baseline {
    let labels = if split.name == CONTAMINATED { Labels::Ignored } else { Labels::Believed };
    let learned = Learner::new(SEED).with_labels(labels).learn(|_, take| {
        split.learned.iter().for_each(take);
        Ok::<(), Infallible>(())
    });
    let Ok(learned) = learned;
    learned.baseline
}

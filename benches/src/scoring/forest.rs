//! krcf: random cut forests (Guha and others 2016).

use krcf::{RandomCutForest, RandomCutForestOptions};

use super::vector::{DIMENSIONS, Vector};
use super::{Detector, SEED};

pub(super) struct Forest(RandomCutForest);

impl Forest {
    /// As in `detection`.
    #[allow(clippy::panic, reason = "a benchmark without its subject is nothing")]
    pub(super) fn new() -> Self {
        let options = RandomCutForestOptions {
            dimensions: DIMENSIONS,
            shingle_size: 1,
            num_trees: Some(50),
            sample_size: Some(256),
            output_after: Some(1),
            random_seed: Some(SEED),
            parallel_execution_enabled: Some(false),
            ..RandomCutForestOptions::default()
        };
        Self(RandomCutForest::new(options).unwrap_or_else(|error| panic!("krcf: {error}")))
    }
}

fn narrow(point: &Vector) -> [f32; DIMENSIONS] {
    point.map(|x| x as f32)
}

impl Detector for Forest {
    fn score(&self, point: &Vector) -> f64 {
        self.0.score(&narrow(point)).unwrap_or(f64::NAN)
    }

    fn learn(&mut self, point: &Vector) {
        let learned = self.0.update(&narrow(point));
        debug_assert!(learned.is_ok(), "{learned:?}");
    }
}

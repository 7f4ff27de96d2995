//! LODA (Pevny 2016): histograms of random projections.

use super::random::Random;
use super::vector::{DIMENSIONS, Vector};
use super::{Detector, SEED};

const PROJECTIONS: usize = 100;
const BINS: usize = 64;
/// The square root of the dimensions.
const WEIGHTS: usize = 5;
/// Points that tell how wide a projection is.
const FIRST: usize = 500;

struct Projection {
    weights: [(usize, f64); WEIGHTS],
    low: f64,
    scale: f64,
    counts: [u32; BINS],
}

impl Projection {
    fn of(&self, point: &Vector) -> f64 {
        self.weights.iter().map(|(at, weight)| point.get(*at).copied().unwrap_or_default() * weight).sum()
    }

    fn bin(&self, point: &Vector) -> usize {
        (((self.of(point) - self.low) * self.scale).max(0.0) as usize).min(BINS - 1)
    }
}

pub(super) struct Loda {
    projections: Vec<Projection>,
    seen: u32,
}

impl Loda {
    /// For numbers such as these.
    pub(super) fn new(points: &[Vector]) -> Self {
        let mut random = Random(SEED);
        let projections = (0..PROJECTIONS).map(|_| {
            let weights = std::array::from_fn(|_| (random.below(DIMENSIONS), random.normal()));
            let mut projection = Projection { weights, low: 0.0, scale: 0.0, counts: [0; BINS] };
            let first = points.iter().take(FIRST).map(|point| projection.of(point));
            let (low, high) = first.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
            let margin = (high - low).max(1e-9) / 20.0;
            projection.low = low - margin;
            projection.scale = BINS as f64 / (high - low + 2.0 * margin);
            projection
        });
        Self { projections: projections.collect(), seen: 0 }
    }
}

impl Detector for Loda {
    fn score(&self, point: &Vector) -> f64 {
        let seen = f64::from(self.seen) + 1.0;
        let surprise = |projection: &Projection| {
            let count = projection.counts.get(projection.bin(point)).copied().unwrap_or_default();
            -((f64::from(count) + 0.1) / seen).ln()
        };
        self.projections.iter().map(surprise).sum::<f64>() / PROJECTIONS as f64
    }

    fn learn(&mut self, point: &Vector) {
        for projection in &mut self.projections {
            let bin = projection.bin(point);
            if let Some(count) = projection.counts.get_mut(bin) {
                *count += 1;
            }
        }
        self.seen += 1;
    }
}

//! Streaming half-space trees (Tan, Ting and Liu 2011), with the settings that river has by default.

use super::random::Random;
use super::vector::{DIMENSIONS, Vector};
use super::{Detector, SEED};

const TREES: usize = 25;
const HEIGHT: usize = 8;
const WINDOW: u32 = 250;
/// Nodes with no more are leaves: a tenth of the window.
const LEAF: u32 = WINDOW / 10;
const NODES: usize = (1 << (HEIGHT + 1)) - 1;

#[derive(Clone, Copy, Default)]
struct Node {
    dimension: u8,
    split: f64,
    /// Of the last window, and of this one.
    reference: u32,
    latest: u32,
}

pub(super) struct HalfSpaceTrees {
    trees: Vec<[Node; NODES]>,
    /// Least of each dimension, and how wide it is.
    ranges: [(f64, f64); DIMENSIONS],
    seen: u32,
}

impl HalfSpaceTrees {
    /// For numbers in the ranges of these.
    pub(super) fn new(points: &[Vector]) -> Self {
        let mut random = Random(SEED);
        let ranges = std::array::from_fn(|at| {
            let of = || points.iter().filter_map(|point| point.get(at));
            let (low, high) = of().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
            (low, if high > low { high - low } else { 1.0 })
        });
        let trees = (0..TREES).map(|_| {
            let mut tree = [Node::default(); NODES];
            let around: [(f64, f64); DIMENSIONS] = std::array::from_fn(|_| {
                let middle = random.unit();
                let half = 2.0 * middle.max(1.0 - middle);
                (middle - half, middle + half)
            });
            grow(&mut tree, 0, around, &mut random);
            tree
        });
        Self { trees: trees.collect(), ranges, seen: 0 }
    }

    /// Each from 0.1 to 0.9.
    fn scaled(&self, point: &Vector) -> Vector {
        let mut scaled = *point;
        scaled.iter_mut().zip(&self.ranges).for_each(|(x, (low, wide))| *x = 0.1 + 0.8 * (*x - low) / wide);
        scaled
    }
}

fn grow(tree: &mut [Node; NODES], at: usize, mut range: [(f64, f64); DIMENSIONS], random: &mut Random) {
    let dimension = random.below(DIMENSIONS);
    let (Some(node), Some(of)) = (tree.get_mut(at), range.get_mut(dimension)) else { return };
    let ((low, high), split) = (*of, f64::midpoint(of.0, of.1));
    *node = Node { dimension: dimension as u8, split, ..Node::default() };
    *of = (low, split);
    grow(tree, 2 * at + 1, range, random);
    if let Some(of) = range.get_mut(dimension) {
        *of = (split, high);
    }
    grow(tree, 2 * at + 2, range, random);
}

impl Node {
    fn child(&self, at: usize, point: &Vector) -> usize {
        let above = point.get(usize::from(self.dimension)).is_some_and(|x| *x >= self.split);
        2 * at + 1 + usize::from(above)
    }
}

impl Detector for HalfSpaceTrees {
    /// Larger is stranger.
    fn score(&self, point: &Vector) -> f64 {
        let point = self.scaled(point);
        let mass = self.trees.iter().map(|tree| {
            let (mut at, mut weight) = (0, 1.0);
            loop {
                let Some(node) = tree.get(at) else { return 0.0 };
                at = node.child(at, &point);
                if node.reference <= LEAF || at >= NODES {
                    return f64::from(node.reference) * weight;
                }
                weight *= 2.0;
            }
        });
        -mass.sum::<f64>()
    }

    fn learn(&mut self, point: &Vector) {
        let point = self.scaled(point);
        for tree in &mut self.trees {
            let mut at = 0;
            while let Some(node) = tree.get_mut(at) {
                node.latest += 1;
                at = node.child(at, &point);
            }
        }
        self.seen += 1;
        if self.seen == WINDOW {
            self.seen = 0;
            for node in self.trees.iter_mut().flatten() {
                (node.reference, node.latest) = (node.latest, 0);
            }
        }
    }
}

//! A peer: random cut forests of `rcf3`, 50 trees of 256 points each.

/// Time decay; by default it is 0.1 of 256 points, which learns an attack of 2,000 points while it lasts.
const FORGETS_NOTHING: f64 = 1e-6;

/// One that scores a point and then learns it.
pub(super) struct Forest(rcf3::Forest);

impl Forest {
    pub(super) const NAME: &str = "rcf3 0.5.2";

    /// Of single points of so many numbers, none forgotten: so it finds most of those that are measured.
    pub(super) fn of_points(numbers: usize) -> Self {
        Self::new(rcf3::Forest::builder(numbers).time_decay(FORGETS_NOTHING))
    }

    /// Of the last eight points of one number.
    pub(super) fn of_series() -> Self {
        Self::new(rcf3::Forest::builder(1).shingle_size(8).internal_shingling(true))
    }

    fn new(builder: rcf3::ForestBuilder) -> Self {
        Self(builder.num_trees(50).capacity(256).seed(1).build().expect("options of a forest"))
    }

    /// How unusual a point is; 0 as long as the forest does not know, and where it refuses the point.
    pub(super) fn push(&mut self, point: &[f64]) -> f64 {
        self.0.update_and_score(&single(point)).unwrap_or_default()
    }

    /// The same by how far it would displace others.
    pub(super) fn push_displacing(&mut self, point: &[f64]) -> f64 {
        let point = single(point);
        let score = self.0.displacement_score(&point);
        self.0.update(&point).and(score).unwrap_or_default()
    }
}

fn single(point: &[f64]) -> Vec<f32> {
    point.iter().map(|number| *number as f32).collect()
}

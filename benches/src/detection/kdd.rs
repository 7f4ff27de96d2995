//! Points of three numbers, scored and then learned one after the other: connections of KDD Cup 1999.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, Read as _};
use std::time::Instant;

use zip::ZipArchive;
use zt_benches::figure::Figure;
use zt_core::anomaly::Numbers;

use super::forest::Forest;
use super::metrics::{Scores, interval};
use super::{DIGITS, Measure};
use crate::verify::data;

/// Logarithms of a connection's duration and of its bytes either way.
const NUMBERS: usize = 3;
/// The files, and the AUC that is wanted of each.
const SETS: [(&str, f64); 2] = [("http", 0.99), ("smtp", 0.85)];

/// By its name, and how it scores and learns a point.
type Peer = (&'static str, fn(&mut Forest, &[f64]) -> f64);

const PEERS: [Peer; 2] = [(Forest::NAME, Forest::push), ("its displacement", Forest::push_displacing)];

struct Points {
    points: Vec<[f64; NUMBERS]>,
    attacks: Vec<bool>,
}

/// Scores, and microseconds for each.
struct Scored {
    scores: Scores,
    micros: f64,
}

/// The rows of points.
pub(super) fn figures() -> Vec<Figure> {
    SETS.into_iter()
        .flat_map(|(name, target)| match Points::load(name) {
            Ok(points) => of_set(name, target, &points),
            Err(reason) => vec![Figure::missing(format!("KDD99 {name}: AUC"), "share", reason)],
        })
        .collect()
}

fn of_set(name: &str, target: f64, points: &Points) -> Vec<Figure> {
    let mut numbers = Numbers::<NUMBERS>::new();
    let by_zt = points.scored(|point| {
        let score = numbers.nats(point);
        numbers.learn(point);
        score
    });
    let peers = PEERS.map(|(name, score)| {
        let mut forest = Forest::of_points(NUMBERS);
        (name, points.scored(|point| score(&mut forest, point)))
    });
    let measured = |measure: Measure| {
        let title = format!("KDD99 {name}: {}", measure.name());
        let zt = match measure.of(&by_zt.scores) {
            Ok(zt) => zt,
            Err(reason) => return Figure::missing(title, "share", reason),
        };
        let others = peers.iter().filter_map(|(name, peer)| {
            let peer = measure.of(&peer.scores).ok()?;
            Some(format!("{name}: {:.3}", peer.value))
        });
        let beside: Vec<String> = interval(zt).into_iter().chain(others).collect();
        Figure::new(title, zt.value, "share").to_digits(DIGITS).beside(beside.join("; "))
    };
    let times: Vec<String> = peers.iter().map(|(name, peer)| format!("{name}: {:.1}", peer.micros)).collect();
    let time = format!("KDD99 {name}: to score and learn a point");
    vec![
        measured(Measure::Auc).at_least(target),
        measured(Measure::Found(10)),
        Figure::new(time, by_zt.micros, "us").beside(times.join("; ")),
    ]
}

impl Points {
    fn scored(&self, mut score: impl FnMut(&[f64; NUMBERS]) -> f64) -> Scored {
        let start = Instant::now();
        let scores: Vec<f64> = self.points.iter().map(|point| score(black_box(point))).collect();
        let micros = start.elapsed().as_secs_f64() * 1e6 / self.points.len().max(1) as f64;
        Scored { scores: Scores::new(self.attacks.iter().copied().zip(scores)), micros }
    }

    /// # Errors
    /// Where they are not there or are none.
    fn load(name: &str) -> Result<Self, String> {
        let path = data().join(format!("series/{name}.npz"));
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = File::open(&path).map_err(|error| told(&error))?;
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| told(&error))?;
        let mut array = |name: &str, kind: &str| {
            let mut bytes = Vec::new();
            let mut entry = archive.by_name(name).map_err(|error| told(&error))?;
            entry.read_to_end(&mut bytes).map_err(|error| told(&error))?;
            elements(&bytes, kind).map(<[u8]>::to_vec).ok_or_else(|| told(&"no such array"))
        };
        let (numbers, labels) = (array("X.npy", "<f4")?, array("y.npy", "|u1")?);
        let (numbers, _) = numbers.as_chunks::<4>();
        let numbers: Vec<f64> = numbers.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect();
        let points = numbers.as_chunks::<NUMBERS>().0.to_vec();
        if points.len() != labels.len() {
            return Err(told(&format!("{} points and {} labels", points.len(), labels.len())));
        }
        Ok(Self { points, attacks: labels.iter().map(|label| *label != 0).collect() })
    }
}

/// What is behind the header of a NumPy array, version 1, of this kind and in the order of C (NEP 1).
fn elements<'b>(array: &'b [u8], kind: &str) -> Option<&'b [u8]> {
    let rest = array.strip_prefix(b"\x93NUMPY\x01\x00")?;
    let (length, rest) = rest.split_first_chunk()?;
    let (header, elements) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    let header = str::from_utf8(header).ok()?;
    let is = |part: &str| header.contains(part);
    (is(&format!("'descr': '{kind}'")) && is("'fortran_order': False")).then_some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_of_its_kind() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n";
        let mut array = b"\x93NUMPY\x01\x00".to_vec();
        array.extend((header.len() as u16).to_le_bytes());
        array.extend(header.bytes());
        array.extend(1.5_f32.to_le_bytes());
        assert_eq!(elements(&array, "<f4"), Some(&1.5_f32.to_le_bytes()[..]));
        assert_eq!((elements(&array, "|u1"), elements(&array[..30], "<f4")), (None, None));
        assert_eq!(elements(b"", "<f4"), None);
    }

    #[test]
    fn scored_in_order() {
        let points = Points { points: vec![[1.0; 3], [2.0; 3], [3.0; 3]], attacks: vec![false, false, true] };
        let scored = points.scored(|point| point[0]);
        assert_eq!(scored.scores.auc().map(|auc| auc.value), Some(1.0));
    }
}

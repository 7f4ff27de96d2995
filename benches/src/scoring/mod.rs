//! What it takes to say how unusual a request is, and to learn from it: zt, and other streaming detectors on the same
//! requests, each in this process and on one thread. Times are the bound of the lowest tenth of the rounds.

mod body;
mod forest;
mod hst;
mod loda;
mod merge;
mod random;
mod requests;
mod vector;
mod whole;

use std::hint::black_box;
use std::time::Instant;

use zt_benches::figure::Figure;
use zt_benches::measure::quietest_tenth;
use zt_core::anomaly::{Baseline, Pass, State, Target, Trainer};
use zt_core::model::Request;

use self::forest::Forest;
use self::hst::HalfSpaceTrees;
use self::loda::Loda;
use self::vector::{Vector, vector};

const ROUNDS: usize = 30;
const SEED: u64 = 1;
/// Vectors for what takes many microseconds each.
const FEW: usize = 300;
const MIB: f64 = (1 << 20) as f64;

/// A detector that is told numbers.
trait Detector {
    fn score(&self, vector: &Vector) -> f64;
    fn learn(&mut self, vector: &Vector);
}

/// The table of `scoring`.
pub(crate) fn figures() -> Vec<Figure> {
    let (learned, tested) = match requests::csic() {
        Ok(recorded) => recorded,
        Err(reason) => return vec![Figure::missing("score", "us", reason)],
    };
    let mut figures = of_requests("", &learned, &tested, true);
    let with_headers = |requests| requests::with_headers(requests);
    figures.extend(of_requests("8 headers, ", &with_headers(learned.clone()), &with_headers(tested), false));
    figures.extend(body::figures(&baseline(&learned)));
    figures.extend(merge::figures());
    figures.extend(whole::memory());
    figures
}

/// On the last of some requests, when the others were learned.
fn of_requests(what: &str, learned: &[Request<'_>], tested: &[Request<'_>], has_targets: bool) -> Vec<Figure> {
    let baseline = baseline(learned);
    let state = State::new(baseline.clone());
    let score = |state: &State| each(tested, |request| state.score(black_box(request), &Target::Path).0.score);
    let [score_us, frozen_us, learn_us] = by_turns([
        &mut || score(&state),
        &mut || each(tested, |request| baseline.score(black_box(request), &Target::Path).score),
        &mut || serve(State::new(baseline.clone()), tested),
    ]);
    let [anew_us] = by_turns([&mut || serve(State::new(Baseline::new(SEED)), learned)]);
    let bytes: usize = tested.iter().map(requests::bytes).sum();
    let bytes = format!("{:.0} bytes a request", bytes as f64 / tested.len() as f64);

    let peers = if has_targets { peers(learned, tested) } else { Peers::default() };
    let figure = |name: &str, value: f64| Figure::new(format!("{what}{name}"), value, "us").to_digits(3);
    let bound = |figure: Figure, most: f64| if has_targets { figure.at_most(most) } else { figure };
    let of_state = State::new(baseline.clone());
    serve_in(&of_state, tested);
    vec![
        bound(figure("score a request", score_us), 0.5).beside(if has_targets { peers.score } else { bytes }),
        bound(figure("score and learn", learn_us), 0.8).beside(peers.both),
        figure("score and learn, from nothing", anew_us),
        figure("score by a frozen baseline", frozen_us),
        figure("judge and conclude, with clients", whole::judged_us(&baseline, tested)),
        Figure::new(format!("{what}memory"), of_state.memory() as f64 / MIB, "MiB").at_most(8.0),
    ]
}

/// What was learned of requests, in all passes.
fn baseline(requests: &[Request<'_>]) -> Baseline {
    Pass::ALL.into_iter().fold(Baseline::new(SEED), |before, pass| {
        let mut trainer = Trainer::new(&before, pass);
        requests.iter().for_each(|request| trainer.add(request, &Target::Path, None));
        trainer.end()
    })
}

/// Microseconds of a request where each is scored and learned.
fn serve(state: State, requests: &[Request<'_>]) -> f64 {
    serve_in(&state, requests)
}

fn serve_in(state: &State, requests: &[Request<'_>]) -> f64 {
    let mut client = 0_u64;
    each(requests, |request| {
        client = client.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let (scored, trace) = state.score(black_box(request), &Target::Path);
        state.learn(&trace, Some(client));
        scored.score
    })
}

/// Microseconds of each.
fn each<T>(all: &[T], mut one: impl FnMut(&T) -> f64) -> f64 {
    let start = Instant::now();
    for item in all {
        black_box(one(item));
    }
    start.elapsed().as_secs_f64() * 1e6 / all.len().max(1) as f64
}

/// What noise has touched least of many rounds, where all meet the same.
fn by_turns<const N: usize>(mut subjects: [&mut dyn FnMut() -> f64; N]) -> [f64; N] {
    let mut samples: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (subject, samples) in subjects.iter_mut().zip(&mut samples) {
            samples.push(subject());
        }
    }
    samples.map(quietest_tenth)
}

/// What others take, for people.
#[derive(Default)]
struct Peers {
    score: String,
    both: String,
}

/// Others on the same requests as numbers; what it takes to make those is told apart.
fn peers(learned: &[Request<'_>], tested: &[Request<'_>]) -> Peers {
    let vectors = |requests: &[Request<'_>]| requests.iter().map(vector).collect::<Vec<Vector>>();
    let (learned, points) = (vectors(learned), vectors(tested));
    let [vector_us] = by_turns([&mut || each(tested, |request| vector(black_box(request)).iter().sum())]);
    let detectors: [(&str, Box<dyn Detector>, usize); 3] = [
        ("HST 25 x 8", Box::new(HalfSpaceTrees::new(&learned)), usize::MAX),
        ("LODA 100 x 64", Box::new(Loda::new(&learned)), usize::MAX),
        ("krcf 50 x 256", Box::new(Forest::new()), FEW),
    ];
    let mut told = Peers::default();
    for (name, mut detector, most) in detectors {
        let points = points.get(..most).unwrap_or(&points);
        let first = if most == FEW { learned.get(..2_000).unwrap_or(&learned) } else { &learned };
        first.iter().for_each(|point| detector.learn(point));
        let [score_us] = by_turns([&mut || each(points, |point| detector.score(black_box(point)))]);
        let [both_us] = by_turns([&mut || {
            each(points, |point| {
                let score = detector.score(black_box(point));
                detector.learn(point);
                score
            })
        }]);
        told.score += &format!("{name} {score_us:.2}, ");
        told.both += &format!("{name} {both_us:.2}, ");
    }
    for told in [&mut told.score, &mut told.both] {
        *told += &format!("and {vector_us:.2} to make the numbers");
    }
    told
}

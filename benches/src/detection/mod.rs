//! Accuracy of request anomaly detection: what is learned from normal requests, frozen, and asked of others, beside streaming
//! and batch detectors on the same splits of recorded traffic; of campaigns in traffic that is learned online; and of what is known of
//! numbers, in series and in points.

mod data;
mod forest;
mod judged;
mod kdd;
mod metrics;
mod nab;
mod peers;
mod served;
mod shop;

use zt_benches::figure::Figure;

use self::data::Split;
pub(crate) use self::data::normal;
use self::judged::Judged;
use self::metrics::{Estimate, Scores, interval};
use self::peers::Row;

const DIGITS: usize = 4;
/// Share of attacks that average precision is told for.
const PREVALENCE: f64 = 0.01;
/// False alarms that a threshold is made for, of a thousand normal requests.
const BUDGETS: [u64; 2] = [1, 10];

/// What is asked of the scores of every detector.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    /// Area under the ROC curve.
    Auc,
    /// Average precision where one request of a hundred is an attack.
    AveragePrecision,
    /// Share of attacks that is found where so many of a thousand normal requests are false alarms.
    Found(u64),
}

const MEASURES: [Measure; 4] = [Measure::Auc, Measure::AveragePrecision, Measure::Found(1), Measure::Found(10)];

const TARGETS: &[(&str, Measure, f64)] = &[
    (data::CSIC, Measure::Auc, 0.998),
    (data::CSIC, Measure::Found(1), 0.92),
    (data::CSIC, Measure::Found(10), 0.975),
    (data::ATRDF, Measure::Auc, 0.998),
    (data::ATRDF, Measure::Found(10), 0.99),
    (data::CONTAMINATED, Measure::Found(10), 0.92),
];

impl Measure {
    fn name(self) -> String {
        match self {
            Self::Auc => "AUC".to_owned(),
            Self::AveragePrecision => "AP at 1 % attacks".to_owned(),
            Self::Found(per_mille) => format!("TPR at {} FPR", percent(per_mille)),
        }
    }

    fn of(self, scores: &Scores) -> Result<Estimate, String> {
        let nothing = || "no attacks or no normal requests".to_owned();
        match self {
            Self::Auc => scores.auc().ok_or_else(nothing),
            Self::AveragePrecision => scores.average_precision(Some(PREVALENCE)).ok_or_else(nothing),
            Self::Found(per_mille) => {
                let found = scores.found(per_mille as f64 / 1e3).ok_or_else(nothing)?;
                let enough = found.allowed > 0;
                enough.then_some(found.found).ok_or_else(|| format!("{} normal requests are too few", scores.normal()))
            }
        }
    }
}

/// The table of `detection`.
pub(crate) fn figures() -> Vec<Figure> {
    let splits: Vec<(&str, Result<Split, String>)> = data::NAMES.map(|name| (name, Split::load(name))).into();
    let judged: Vec<(&str, Result<Judged, String>)> =
        splits.iter().map(|(name, split)| (*name, split.as_ref().map(Judged::by_zt).map_err(Clone::clone))).collect();
    let loaded: Vec<&Split> = splits.iter().filter_map(|(_, split)| split.as_ref().ok()).collect();
    let rows = if loaded.is_empty() { Ok(Vec::new()) } else { peers::run(&loaded) };
    let (rows, failed) = match rows {
        Ok(rows) => (rows, None),
        Err(reason) => (Vec::new(), Some(Figure::missing("peers", "share", reason))),
    };
    let served = splits.iter().zip(&judged).filter_map(|((_, split), (_, judged))| {
        let split = split.as_ref().ok().filter(|split| split.name != data::CONTAMINATED)?;
        Some(served::figures(split, &judged.as_ref().ok()?.learned))
    });
    let requests = judged.iter().flat_map(|(name, judged)| of_split(name, judged, &rows)).chain(failed);
    let requests = requests.chain(served.flatten());
    requests.chain(shop()).chain(series()).collect()
}

/// The table of `shop`: the rows of `detection` that are of campaigns.
pub(crate) fn shop() -> Vec<Figure> {
    shop::figures()
}

/// The table of `series`: the rows of `detection` that are of numbers.
pub(crate) fn series() -> Vec<Figure> {
    nab::figures().into_iter().chain(kdd::figures()).collect()
}

fn of_split(name: &str, judged: &Result<Judged, String>, rows: &[Row]) -> Vec<Figure> {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.split == name).collect();
    let mut figures: Vec<Figure> =
        MEASURES.iter().map(|measure| compared(name, *measure, None, judged, &rows)).collect();
    figures.extend(BUDGETS.map(|per_mille| budget(name, per_mille, judged)));
    if let Ok(judged) = judged {
        // One family is the whole.
        let families = Some(judged.families()).filter(|families| families.len() > 1);
        let of = |family: &str| compared(name, Measure::Found(10), Some(family), &Ok(judged), &rows);
        figures.extend(families.iter().flatten().map(|family| of(family)));
        if name == data::CSIC {
            figures.extend(times(name, judged, &rows));
        }
    }
    let absent = rows.iter().filter_map(|row| Some((row, row.judged.as_ref().err()?)));
    figures.extend(absent.map(|(row, reason)| Figure::missing(format!("{name}: {}", row.detector), "share", reason)));
    figures
}

/// A measure of zt beside the same of each peer, of all attacks or one family.
fn compared(
    name: &str,
    measure: Measure,
    family: Option<&str>,
    judged: &Result<impl AsRef<Judged>, String>,
    rows: &[&Row],
) -> Figure {
    let title = match family {
        None => format!("{name}: {}", measure.name()),
        Some(family) => format!("{name}: {family}, {}", measure.name()),
    };
    let of = |judged: &Judged| measure.of(&judged.scores(family));
    let figure = match judged.as_ref().map_err(Clone::clone).and_then(|judged| of(judged.as_ref())) {
        Err(reason) => return Figure::missing(title, "share", reason),
        Ok(estimate) => {
            let peers = rows.iter().filter_map(|row| {
                let peer = of(row.judged.as_ref().ok()?).ok()?;
                Some(format!("{}: {:.3}", row.detector, peer.value))
            });
            let beside: Vec<String> = interval(estimate).into_iter().chain(peers).collect();
            Figure::new(title, estimate.value, "share").to_digits(DIGITS).beside(beside.join("; "))
        }
    };
    let target = TARGETS.iter().find(|(split, of, _)| *split == name && *of == measure && family.is_none());
    match target {
        Some((_, _, bound)) => figure.at_least(*bound),
        None => figure,
    }
}

/// False alarms where so many were given: of zt alone, no peer has a budget.
fn budget(name: &str, per_mille: u64, judged: &Result<Judged, String>) -> Figure {
    let title = format!("{name}: FPR at a budget of {}", percent(per_mille));
    let judged = match judged {
        Ok(judged) => judged,
        Err(reason) => return Figure::missing(title, "share", reason),
    };
    let (alarms, found) = judged.called_unusual(per_mille);
    let Some(estimate) = alarms else {
        return Figure::missing(title, "share", "no normal requests");
    };
    let needed = 3_000 / per_mille;
    let found = found.map(|found| format!("it finds {:.4} of the attacks", found.value));
    let beside = interval(estimate).into_iter().chain(found);
    let mut beside = beside.collect::<Vec<_>>().join("; ");
    let enough = judged.learned.calibrated_on() >= needed;
    if !enough {
        beside = format!("{beside}; not calibrated: {} of {needed} requests", judged.learned.calibrated_on());
    }
    let figure = Figure::new(title, estimate.value, "share").to_digits(DIGITS).beside(beside);
    if enough { figure.at_most(per_mille as f64 / 1e3) } else { figure }
}

/// What a request took; the peers' without making its vector.
fn times(name: &str, judged: &Judged, rows: &[&Row]) -> [Figure; 2] {
    type Of = fn(&Judged) -> f64;
    let each: [(&str, Of); 2] = [("learn", |judged| judged.learn_us), ("score", |judged| judged.score_us)];
    each.map(|(what, of)| {
        let peers = rows.iter().filter_map(|row| Some((&row.detector, row.judged.as_ref().ok()?)));
        let peers = peers.map(|(detector, judged)| format!("{detector}: {:.1}", of(judged)));
        let beside = peers.collect::<Vec<_>>().join("; ");
        Figure::new(format!("{name}: to {what} a request"), of(judged), "us").beside(beside)
    })
}

fn percent(per_mille: u64) -> String {
    format!("{} %", per_mille as f64 / 10.0)
}

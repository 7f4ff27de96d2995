//! A split as it is served: from what was learned first zt goes on learning, request by request, and what is unusual is
//! flagged and let through.

use zt_benches::figure::Figure;
use zt_core::anomaly::{Baseline, Detector, Target};
use zt_core::model::{Identity, Outcome};

use super::data::{Split, is_attack, label};
use super::metrics::{Estimate, interval, share};
use super::{BUDGETS, DIGITS, percent};

/// Of a split, false alarms where so many were given.
pub(super) fn figures(split: &Split, learned: &Baseline) -> Vec<Figure> {
    let each = BUDGETS.into_iter().filter(|per_mille| learned.calibrated_on() >= 3_000 / per_mille);
    each.map(|per_mille| figure(split, learned, per_mille)).collect()
}

fn figure(split: &Split, learned: &Baseline, per_mille: u64) -> Figure {
    let budget = per_mille as f64 / 1e3;
    let title = format!("{}, served from a baseline: FPR at a budget of {}", split.name, percent(per_mille));
    let (alarms, found) = serve(split, learned, budget);
    let Some(alarms) = alarms else { return Figure::missing(title, "share", "no normal requests") };
    let found = found.map(|found| format!("it finds {:.4} of the attacks", found.value));
    let beside: Vec<String> = interval(alarms).into_iter().chain(found).collect();
    Figure::new(title, alarms.value, "share").to_digits(DIGITS).beside(beside.join("; ")).at_most(budget)
}

/// Shares of the normal requests, and of the attacks, that are flagged.
fn serve(split: &Split, learned: &Baseline, budget: f64) -> (Option<Estimate>, Option<Estimate>) {
    eprintln!("{}: zt serves {} requests at a budget of {budget}", split.name, split.tested.len());
    let detector = Detector::new(learned.clone(), budget);
    // By kind: flagged, and all.
    let (mut normal, mut attacks) = ((0, 0), (0, 0));
    for (number, event) in split.tested.iter().enumerate() {
        let who = event.subject.as_deref().map(Identity::asserted);
        let judged = detector.judge(&event.request, &Target::Path, who.as_ref(), event.time_ms);
        let outcome = if judged.unusual.is_empty() { Outcome::Allow } else { Outcome::Flag };
        let id = number.to_string();
        detector.concluded(&id, &judged, outcome, true);
        if let Some(response) = &event.response {
            detector.answered(&id, response, event.time_ms);
        }
        let (flagged, all) = if is_attack(label(event)) { &mut attacks } else { &mut normal };
        *all += 1;
        *flagged += usize::from(outcome == Outcome::Flag);
    }
    (share(normal.0, normal.1), share(attacks.0, attacks.1))
}

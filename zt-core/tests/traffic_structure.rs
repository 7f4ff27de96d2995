//! What the structural inspection says about recorded traffic. Run with `--nocapture` for the table.
//!
//! The data are not part of the project: `ZT_DATA`, or `../shared/data` seen from the project's root.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test reads files, the environment and a clock"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Instant;

use zt_core::inspect::{Config, Inspector};
use zt_core::model::{Event, Outcome};

/// A recording, and the largest share of its normal requests that may be refused.
const RECORDINGS: &[(&str, f64)] = &[
    ("traffic/blazehttp", 0.000_5),
    ("traffic/csic_dev_normal", 0.0),
    ("traffic/csic_dev_attack", 0.0),
    ("traffic/atrdf", 0.0),
    ("inspect/benign_generated", 0.0),
    ("inspect/crs_regression", 0.03),
    ("inspect/params_attack_benign", 0.001),
];

#[test]
fn real_requests_are_seldom_refused() {
    let data = std::env::var_os("ZT_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")), PathBuf::from);
    for (name, most) in RECORDINGS {
        let path = data.join(format!("{name}.jsonl.gz"));
        let Ok(file) = std::fs::File::open(&path) else {
            eprintln!("SKIPPED: no recording at {}", path.display());
            continue;
        };
        let tally = tally(BufReader::new(flate2::read::GzDecoder::new(file)));
        eprintln!("{name}\n{tally}");
        let refused = tally.share("normal", Outcome::Deny);
        assert!(refused <= *most, "{name}: {refused} of the normal requests are refused");
    }
}

#[derive(Default)]
struct Tally {
    requests: BTreeMap<&'static str, usize>,
    outcomes: BTreeMap<(&'static str, Outcome), usize>,
    codes: BTreeMap<String, usize>,
    nanos: u128,
}

fn tally(lines: impl BufRead) -> Tally {
    let inspector = Inspector::compile(&Config::default()).expect("the defaults compile");
    let mut tally = Tally::default();
    for line in lines.lines() {
        let event: Event = serde_json::from_str(&line.expect("readable data")).expect("an event a line");
        let label = if event.label.as_deref() == Some("normal") { "normal" } else { "attack" };
        let request = event.into_request();
        let start = Instant::now();
        let findings = inspector.inspect(&request);
        tally.nanos += start.elapsed().as_nanos();
        *tally.requests.entry(label).or_default() += 1;
        let worst = findings.iter().map(|finding| finding.outcome).max().unwrap_or_default();
        *tally.outcomes.entry((label, worst)).or_default() += 1;
        for finding in findings {
            let row = format!("{label} {} {} ({})", finding.outcome.as_str(), finding.code, finding.detail);
            *tally.codes.entry(row).or_default() += 1;
        }
    }
    tally
}

impl Tally {
    fn share(&self, label: &'static str, outcome: Outcome) -> f64 {
        let count = |map: Option<&usize>| map.copied().unwrap_or_default() as f64;
        count(self.outcomes.get(&(label, outcome))) / count(self.requests.get(label)).max(1.0)
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (label, count) in &self.requests {
            let share = |outcome| 100.0 * self.share(label, outcome);
            let (deny, flag) = (share(Outcome::Deny), share(Outcome::Flag));
            writeln!(f, "  {label}: {count} requests, {deny:.3} % refused, {flag:.3} % flagged")?;
        }
        for (row, count) in &self.codes {
            writeln!(f, "  {count:>6} {row}")?;
        }
        let requests: usize = self.requests.values().sum();
        write!(f, "  {} ns a request", self.nanos / requests.max(1) as u128)
    }
}

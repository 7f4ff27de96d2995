//! From samples to a limit.
//!
//! The limit is the smallest that, with 95 % confidence, touches no more than the budget of all days of clients: a binomial
//! bound on the share of those above it (an order statistic; Clopper and Pearson 1934). Days of one client are alike, so what
//! counts as a trial is a client and not a day, and the number of clients is taken a standard error low.

use super::super::baseline::Baseline;
use super::super::detector::Detector;
use super::table::Sampled;
use super::{Days, PERIODS, Rates, Row};
use crate::base::keyed::join;
use crate::base::math::{binomial_cdf, ln, upper_bound};
use crate::base::units::{Duration, Rate};
use crate::model::{ClientKind, Identity, LearnedLimit, LearnedLimits, RecommendedLimit};

/// Share of the days of clients that a limit may touch, where nobody says another.
pub const LIMIT_BUDGET: f64 = 0.01;
/// No limit is below: whoever repeats what failed is no attacker.
const LEAST: u32 = 5;
/// The standard error of the number of clients is one part in so many.
const ERROR: u64 = 15;

impl Baseline {
    /// Limits that follow from what was learned, for a share of the days of clients that they may touch. Nothing where what
    /// clients do was not learned.
    pub fn rates(&self, budget: f64) -> LearnedLimits {
        let limits = self.watch.as_ref().map(|watch| watch.rates.limits(budget)).unwrap_or_default();
        LearnedLimits { budget, limits }
    }

    /// The same of one identity alone, all endpoints together: a sample is a day. Nothing where it was never seen, or has
    /// made room for others.
    pub fn rates_of(&self, identity: &Identity, budget: f64) -> LearnedLimits {
        let text = |text: &str| self.keyed.bytes(text.as_bytes());
        let client = join(identity.issuer.as_deref().map_or(0, text), text(&identity.principal));
        let days = self.watch.as_ref().and_then(|watch| watch.rates.identities.get(client));
        let number = days.map_or(0, Sampled::samples);
        let own = days.into_iter().flat_map(|days| limits(days, None, ClientKind::Identity, (1, number), budget));
        LearnedLimits { budget, limits: own.collect() }
    }
}

impl Detector {
    /// Limits that follow from what was learned up to yesterday, for a share of the days of clients that they may touch.
    pub fn rates(&self, budget: f64) -> LearnedLimits {
        LearnedLimits { budget, limits: self.watch().rates.limits(budget) }
    }
}

impl Rates {
    pub(super) fn limits(&self, budget: f64) -> Vec<LearnedLimit> {
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_unstable_by(|a, b| (&a.name, a.of_addresses).cmp(&(&b.name, b.of_addresses)));
        rows.into_iter().flat_map(|row| row.limits(budget)).collect()
    }
}

impl Row {
    fn limits(&self, budget: f64) -> impl Iterator<Item = LearnedLimit> {
        let kind = if self.of_addresses { ClientKind::Address } else { ClientKind::Identity };
        let name = Some(&self.name).filter(|name| !name.is_empty()).map(|name| name.to_string());
        let clients = self.clients.number().min(self.samples());
        let trials = clients.saturating_sub(clients.div_ceil(ERROR + 1));
        limits(&self.days, name, kind, (clients, trials), budget)
    }
}

/// Of each period. So many clients there were, who count as so many independent trials.
fn limits(
    days: &Days,
    endpoint: Option<String>,
    client: ClientKind,
    (clients, trials): (u64, u64),
    budget: f64,
) -> impl Iterator<Item = LearnedLimit> {
    let missing = needed(budget).saturating_sub(trials);
    let missing = if clients > 1 { missing.saturating_mul(ERROR + 1).div_ceil(ERROR) } else { missing };
    days.0.iter().zip(PERIODS).map(move |(spread, period_s)| {
        let samples = spread.samples();
        let (mean, variance) = spread.moments();
        let mut ends = spread.ends().map(|(end, _)| end.max(LEAST));
        let limit =
            ends.find(|limit| upper_bound(trials_above(spread.above(*limit), samples, trials), trials) <= budget);
        let recommended = limit.filter(|_| missing == 0).map(|limit| {
            let above = spread.above(limit);
            RecommendedLimit {
                rate: Rate { count: limit, per: Duration::from_millis(i64::from(period_s) * 1_000) }.to_string(),
                limit,
                burst: limit,
                confidence: 1.0 - binomial_cdf(trials_above(above, samples, trials), trials, budget),
                effect: above as f64 / samples as f64,
            }
        });
        LearnedLimit {
            endpoint: endpoint.clone(),
            client,
            period_s,
            p50: spread.percentile(50),
            p90: spread.percentile(90),
            p99: spread.percentile(99),
            max: spread.max(),
            mean,
            variance,
            clients,
            client_days: samples,
            missing: if recommended.is_none() { missing.max(1) } else { 0 },
            recommended,
        }
    })
}

/// How many of the trials lie above, rounded up, where so many of the samples do.
fn trials_above(above: u64, samples: u64, trials: u64) -> u64 {
    let wide = u128::from(above).saturating_mul(trials.into()).div_ceil(u128::from(samples.max(1)));
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// Trials that it takes at least: none of so many is above a limit that the budget's share is above in 5 of 100 cases.
fn needed(budget: f64) -> u64 {
    // A budget that is no share, or next to none, needs more than there are.
    if !(1e-9..1.0).contains(&budget) {
        return u64::MAX;
    }
    let near = (ln(0.05) / ln(1.0 - budget)) as u64;
    (near.saturating_sub(1)..).find(|trials| upper_bound(0, *trials) <= budget).unwrap_or(u64::MAX)
}

//! The only file that takes logarithms and exponentials of floating-point numbers: from libm, the same on every target
//! (and sines, [`geo`](super::geo)).

use std::f64::consts::TAU;

/// 95 % of a normal distribution are below it.
const NORMAL_95: f64 = 1.644_853_626_951_472_2;
/// Half the logarithm of a turn, of Stirling's formula.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;
/// Terms of the continued fraction; it converges within a few dozen.
const MOST_TERMS: u32 = 500;

/// Natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Smallest `p` with `P(Binomial(n, p) <= m) <= 0.05`, within a millionth of it up to an `n` of 10^12: with 95 % confidence what
/// happened `m` times of `n` is at most so likely (Clopper and Pearson 1934). 1 where `m` is not less than `n`.
pub fn upper_bound(m: u64, n: u64) -> f64 {
    let level = 0.05;
    if m >= n {
        return 1.0;
    }
    // Wilson and Hilferty's approximation, by what happened or did not, whichever is less, is near; from there the steps of
    // Halley, each with three times the digits.
    let (a, b) = ((n - m) as f64, m as f64 + 1.0);
    let (mut low, mut high) = (m as f64 / n as f64, 1.0);
    let (less, normal) = if b <= a { (b, NORMAL_95) } else { (a, -NORMAL_95) };
    let cube = 1.0 - 1.0 / (9.0 * less) + normal / (3.0 * less.sqrt());
    let mean = less * cube * cube * cube;
    let part = mean / (n as f64 + (mean - (less - 1.0)) / 2.0);
    let mut p = if b <= a { part.min((low + high) / 2.0) } else { 1.0 - part };
    for _ in 0..60 {
        let (cdf, density) = incomplete_beta(a, b, 1.0 - p, p);
        let over = cdf - level;
        if over > 0.0 {
            low = p
        } else {
            high = p
        }
        let newton = over / density;
        let bent = (b - 1.0) / p - (a - 1.0) / (1.0 - p);
        let next = p + newton / (1.0 + newton * bent / 2.0).max(0.5);
        let step = (next - p).abs();
        // Where a step leaves what is known, halving does not.
        p = if next >= low && next <= high { next } else { (low + high) / 2.0 };
        if step <= p.min(1.0 - p) * 1e-5 || high - low <= high * 1e-12 {
            break;
        }
    }
    p
}

/// `P(Binomial(n, p) <= m)`.
pub fn binomial_cdf(m: u64, n: u64, p: f64) -> f64 {
    if m >= n {
        return 1.0;
    }
    incomplete_beta((n - m) as f64, m as f64 + 1.0, 1.0 - p, p).0
}

/// Regularised incomplete beta function at `x`, whose complement to 1 is `y`, and its slope there.
fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 0.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    // By how far they are from the mean: what is large is not taken from what is as large (Loader 2000).
    let beside = b - (a + b) * y;
    let log = a * libm::log1p((beside / a).max(-1.0)) + b * libm::log1p((-beside / b).max(-1.0));
    let front = libm::exp(log + stirling(a + b) - stirling(a) - stirling(b)) * (a / (a + b) * b / TAU).sqrt();
    let below = match x < (a + 1.0) / (a + b + 2.0) {
        true => front * fraction(a, b, x) / a,
        false => 1.0 - front * fraction(b, a, y) / b,
    };
    (below, front / (x * y))
}

/// Logarithm of the gamma function beside Stirling's formula (DLMF 5.11.1).
fn stirling(z: f64) -> f64 {
    if z < 16.0 {
        return libm::lgamma(z) - (z - 0.5) * libm::log(z) + z - HALF_LN_TAU;
    }
    let square = z * z;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / z
}

/// The continued fraction of it (Lentz's method; DLMF 8.17.22).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let keep = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for term in 1..=MOST_TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / keep(1.0 + even * d);
        c = keep(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / keep(1.0 + odd * d);
        c = keep(1.0 + odd / c);
        result *= d * c;
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest number of false alarms of `n` that keeps a budget.
    fn allowed(n: u64, budget: f64) -> Option<u64> {
        (0..n).take_while(|m| upper_bound(*m, n) <= budget).last()
    }

    #[test]
    fn false_alarms_that_keep_a_budget() {
        let expected = [(2_900, None), (3_000, Some(0)), (6_000, Some(1)), (10_000, Some(4)), (30_000, Some(20))];
        for (n, k) in expected {
            assert_eq!(allowed(n, 0.001), k, "{n}");
        }
        for (n, k) in [(1_000, 4), (3_000, 20), (6_000, 47), (30_000, 271)] {
            assert_eq!(allowed(n, 0.01), Some(k), "{n}");
        }
        let fits = |m, n, budget| upper_bound(m, n) <= budget && upper_bound(m + 1, n) > budget;
        assert!(fits(83, 100_000, 0.001) && fits(948, 100_000, 0.01));
    }

    #[test]
    fn the_bound_is_where_the_binomial_has_5_percent_left() {
        for n in [1_u64, 2, 7, 60, 1_000, 30_000, 4_000_000_000] {
            for m in [0, 1, 2, 3, 10, 59, 400, 999, 29_999, n / 3, n / 2, n - 1].into_iter().filter(|m| *m < n) {
                let p = upper_bound(m, n);
                let (below, above) = (p * (1.0 - 1e-6), (p * (1.0 + 1e-6)).min(1.0));
                assert!(binomial_cdf(m, n, below) >= 0.05 && binomial_cdf(m, n, above) <= 0.05, "{m} of {n}: {p}");
            }
        }
    }

    #[test]
    fn exact_bounds_where_much_happened_or_of_very_many() {
        let expected =
            [(163_119_u64, 163_746_u64, 0.996_418_476_066_280_6), (2, 2_539_607_129, 2.479_042_346_611_4e-9)];
        for (m, n, bound) in expected {
            let p = upper_bound(m, n);
            assert!((p - bound).abs() < 1e-7 * bound, "{m} of {n}: {p}");
        }
        for n in [1_000, 163_746, 10_000_000] {
            let bounds = (0..n).step_by((n / 1_000) as usize).flat_map(|m| [m, m + 1]).map(|m| upper_bound(m, n));
            assert!(bounds.is_sorted(), "{n}");
        }
    }

    #[test]
    fn sums_of_the_binomial() {
        for (n, p) in [(5_u64, 0.3), (20, 0.05), (40, 0.9)] {
            let mut sum = 0.0;
            let mut term = libm::pow(1.0 - p, n as f64);
            for m in 0..n {
                sum += term;
                assert!((binomial_cdf(m, n, p) - sum).abs() < 1e-12, "{m} {n} {p}");
                term *= (n - m) as f64 / (m + 1) as f64 * p / (1.0 - p);
            }
        }
        assert_eq!(binomial_cdf(3, 3, 0.5), 1.0);
        assert_eq!((upper_bound(5, 5), upper_bound(0, 0)), (1.0, 1.0));
        assert!((upper_bound(0, 1_000_000) - 2.995_7e-6).abs() < 1e-9);
    }
}

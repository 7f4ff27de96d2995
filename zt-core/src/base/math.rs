//! The only file that takes logarithms and exponentials of floating-point numbers: from libm, the same on every target
//! (and sines, [`geo`](super::geo)).

/// 95 % of a normal distribution are below it.
const NORMAL_95: f64 = 1.644_853_626_951_472_2;
/// Terms of the continued fraction; it converges within a few dozen.
const MOST_TERMS: u32 = 500;

/// Natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Smallest `p` with `P(Binomial(n, p) <= m) <= 0.05`, within a millionth of it: with 95 % confidence what happened `m` times of `n`
/// is at most so likely (Clopper and Pearson 1934). 1 where `m` is not less than `n`.
pub fn upper_bound(m: u64, n: u64) -> f64 {
    let level = 0.05;
    if m >= n {
        return 1.0;
    }
    // Wilson and Hilferty's approximation is within a percent; from there the steps of Halley, each with three times the digits.
    let (a, b) = ((n - m) as f64, m as f64 + 1.0);
    let cube = 1.0 - 1.0 / (9.0 * b) + NORMAL_95 / (3.0 * b.sqrt());
    let mean = b * cube * cube * cube;
    let (mut low, mut high) = (m as f64 / n as f64, 1.0);
    let mut p = (mean / (n as f64 + (mean - m as f64) / 2.0)).min((low + high) / 2.0);
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
    let log = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log(y);
    let front = libm::exp(log);
    let below = match x < (a + 1.0) / (a + b + 2.0) {
        true => front * fraction(a, b, x) / a,
        false => 1.0 - front * fraction(b, a, y) / b,
    };
    (below, front / (x * y))
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

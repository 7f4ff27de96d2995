//! Logarithms in fixed point: the same bits on every target, and no table that is not made here.

/// One nat.
pub const ONE: u32 = 1 << FRACTION;
/// Bits behind the point.
pub const FRACTION: u32 = 8;

/// Steps of the table between two powers of two.
const STEPS: usize = 256;
/// `2^16 log2(1 + i/256)`.
const LOG2: [u32; STEPS + 1] = table();
/// `2^16 2^(i/256)`.
const EXP2: [u32; STEPS + 1] = powers();
/// `2^32 ln 2`.
const LN2: u64 = 2_977_044_472;

/// `ln x` in nats, 16 bits behind the point; within 2^-14. Of 0 it is 0, as of 1.
pub fn ln(x: u64) -> u32 {
    let Some(power) = x.checked_ilog2() else { return 0 };
    // The number as 1.m, m in 32 bits.
    let mantissa = (x << (63_u32.saturating_sub(power))) << 1 >> 32;
    let (step, between) = ((mantissa >> 24) as usize, mantissa & 0xff_ffff);
    let at = |step: usize| u64::from(LOG2.get(step).copied().unwrap_or_default());
    let (low, high) = (at(step), at(step.saturating_add(1)));
    let fraction = low.saturating_add(high.saturating_sub(low).saturating_mul(between) >> 24);
    let log2 = (u64::from(power) << 16).saturating_add(fraction);
    u32::try_from(log2.saturating_mul(LN2) >> 32).unwrap_or(u32::MAX)
}

/// `-ln(part / whole)` in nats, [`FRACTION`] bits behind the point; 0 where the part is the larger one.
pub fn surprise(part: u64, whole: u64) -> u32 {
    ln(whole.max(1)).saturating_sub(ln(part.max(1))) >> (16 - FRACTION)
}

/// `2^(part / 2^16)`, 1 to 2, 16 bits behind the point; within 2^-14, and never falling.
pub fn exp2(part: u16) -> u32 {
    let (step, between) = (usize::from(part >> 8), u32::from(part & 0xff));
    let at = |step: usize| EXP2.get(step).copied().unwrap_or_default();
    let (low, high) = (at(step), at(step.saturating_add(1)));
    low.saturating_add(high.saturating_sub(low).saturating_mul(between) >> 8)
}

/// `2^16 2^(i/256)`: products of the roots of 2, each the square root of the one before.
#[expect(clippy::indexing_slicing, reason = "made by the compiler")]
const fn powers() -> [u32; STEPS + 1] {
    let mut table = [0; STEPS + 1];
    let mut step = 0;
    while step <= STEPS {
        // 30 bits behind the point.
        let (mut product, mut root, mut bit) = (1_u64 << 30, 2_u64 << 30, STEPS);
        while bit > 0 {
            if step & bit != 0 {
                product = (product * root) >> 30;
            }
            root = (root << 30).isqrt();
            bit /= 2;
        }
        table[step] = ((product + (1 << 13)) >> 14) as u32;
        step += 1;
    }
    table
}

/// Bit by bit: squaring doubles a logarithm.
#[expect(clippy::indexing_slicing, reason = "made by the compiler")]
const fn table() -> [u32; STEPS + 1] {
    let mut table = [0; STEPS + 1];
    let mut step = 1;
    while step <= STEPS {
        // 1 + step/256, 30 bits behind the point.
        let mut number = (1_u64 << 30) + ((step as u64) << 22);
        let (mut log, mut bit) = (0_u32, 0);
        if number >> 31 != 0 {
            number >>= 1;
            log = 1;
        }
        while bit < 17 {
            number = (number * number) >> 30;
            log <<= 1;
            if number >> 31 != 0 {
                number >>= 1;
                log |= 1;
            }
            bit += 1;
        }
        table[step] = (log + 1) >> 1;
        step += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn powers_and_ends() {
        assert_eq!((ln(0), ln(1)), (0, 0));
        for power in 0..64 {
            let expected = f64::from(power) * std::f64::consts::LN_2 * 65536.0;
            assert!((f64::from(ln(1 << power)) - expected).abs() <= 1.0, "2^{power}");
        }
        assert_eq!(surprise(1, 1), 0);
        assert_eq!(surprise(2, 1), 0);
        assert_eq!(surprise(0, 1000), surprise(1, 1000));
    }

    proptest! {
        #[test]
        fn within_what_it_says(x in 1_u64.., below in 0_u32..63) {
            let x = (x >> below).max(1);
            // As other code has it, in a test alone.
            let expected = libm::log(x as f64) * 65536.0;
            prop_assert!((f64::from(ln(x)) - expected).abs() <= 4.0, "{} {} {}", x, ln(x), expected);
        }

        #[test]
        fn powers_of_two(part in 0..u16::MAX) {
            let expected = libm::exp2(f64::from(part) / 65536.0) * 65536.0;
            prop_assert!((f64::from(exp2(part)) - expected).abs() <= 4.0, "{} {} {}", part, exp2(part), expected);
            prop_assert!(exp2(part) <= exp2(part + 1) && (65_536..131_072).contains(&exp2(part)));
        }

        #[test]
        fn never_falls(x in 1..u64::MAX) {
            prop_assert!(ln(x) <= ln(x + 1));
        }
    }
}

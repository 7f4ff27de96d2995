//! Which public points and signature numbers are admissible, told before any backend sees them.
//!
//! The backends of the targets disagree on what they look at and when, so the arithmetic here decides for all of
//! them. It runs once per key when a configuration is compiled, on public numbers: neither speed nor timing matters.

/// A number below 2^384, least significant limb first.
type Number = [u64; 6];

/// A short Weierstrass curve y² = x³ - 3x + b (FIPS 186-5).
pub(in crate::verify) struct Weierstrass {
    prime: Number,
    b: Number,
    order: Number,
}

/// P-256 (secp256r1).
pub(in crate::verify) const P256: Weierstrass = Weierstrass {
    prime: [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001, 0, 0],
    b: [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7, 0, 0],
    order: [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0, 0],
};

/// P-384 (secp384r1).
pub(in crate::verify) const P384: Weierstrass = Weierstrass {
    prime: [
        0x0000_0000_ffff_ffff,
        0xffff_ffff_0000_0000,
        0xffff_ffff_ffff_fffe,
        0xffff_ffff_ffff_ffff,
        0xffff_ffff_ffff_ffff,
        0xffff_ffff_ffff_ffff,
    ],
    b: [
        0x2a85_c8ed_d3ec_2aef,
        0xc656_398d_8a2e_d19d,
        0x0314_088f_5013_875a,
        0x181d_9c6e_fe81_4112,
        0x988e_056b_e3f8_2d19,
        0xb331_2fa7_e23e_e7e4,
    ],
    order: [
        0xecec_196a_ccc5_2973,
        0x581a_0db2_48b0_a77a,
        0xc763_4d81_f437_2ddf,
        0xffff_ffff_ffff_ffff,
        0xffff_ffff_ffff_ffff,
        0xffff_ffff_ffff_ffff,
    ],
};

/// 2^255 - 19.
const P25519: Number =
    [0xffff_ffff_ffff_ffed, 0xffff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff, 0, 0];
/// Order of the base point of edwards25519 (RFC 8032, section 5.1).
const L25519: Number = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000, 0, 0];
/// The constant d of edwards25519.
const D25519: Number =
    [0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73, 0, 0];
/// The y coordinates of the eight points of small order: 0, 1, -1 and the two of order eight.
const SMALL_ORDER_25519: [Number; 5] = [
    ZERO,
    ONE,
    [0xffff_ffff_ffff_ffec, 0xffff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff, 0, 0],
    [0xb027_b2c2_8f95_e826, 0xf098_eff2_89f4_c345, 0x3933_c6d3_05ac_dfd5, 0x05fc_536d_8802_38b1, 0, 0],
    [0x4fd8_4d3d_706a_17c7, 0x0f67_100d_760b_3cba, 0xc6cc_392c_fa53_202a, 0x7a03_ac92_77fd_c74e, 0, 0],
];
const ZERO: Number = [0; 6];
const ONE: Number = [1, 0, 0, 0, 0, 0];

/// What is wrong with an Ed25519 point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum BadPoint {
    NotCanonical,
    SmallOrder,
    NotOnCurve,
}

impl Weierstrass {
    /// Whether big-endian `x` and `y` are a point of the curve.
    pub(in crate::verify) fn has_point(&self, x: &[u8], y: &[u8]) -> bool {
        let p = &self.prime;
        let (x, y) = (from_be(x), from_be(y));
        if !less(&x, p) || !less(&y, p) {
            return false;
        }
        let three_x = add(&add(&x, &x, p), &x, p);
        let cube = mul(&mul(&x, &x, p), &x, p);
        mul(&y, &y, p) == add(&sub(&cube, &three_x, p), &self.b, p)
    }

    /// Whether a fixed-width signature (r, then s, RFC 7518 section 3.4) has both numbers in 1..order.
    pub(in crate::verify) fn admits_signature(&self, r: &[u8], s: &[u8]) -> bool {
        [from_be(r), from_be(s)].iter().all(|n| *n != ZERO && less(n, &self.order))
    }
}

/// Refuses an encoded Ed25519 public key that has a second encoding, is of small order, or is no point at all.
pub(in crate::verify) fn check_ed25519_key(encoded: &[u8; 32]) -> Result<(), BadPoint> {
    let y = check_ed25519_encoding(encoded)?;
    let p = &P25519;
    // x² = (y² - 1) / (d y² + 1) must be a square; u / v is one exactly when u v is.
    let y2 = mul(&y, &y, p);
    let u = sub(&y2, &ONE, p);
    let v = add(&mul(&D25519, &y2, p), &ONE, p);
    if is_square(&mul(&u, &v, p), p) { Ok(()) } else { Err(BadPoint::NotOnCurve) }
}

/// Whether an Ed25519 signature (R, then S) passes what strict verification asks beyond the equation: S below the
/// group order, R canonical and not of small order (RFC 8032, section 5.1.7; Chalkias et al. 2020, "Taming the many
/// EdDSAs").
pub(in crate::verify) fn admits_ed25519_signature(r: &[u8; 32], s: &[u8; 32]) -> bool {
    less(&from_le(s), &L25519) && check_ed25519_encoding(r).is_ok()
}

fn check_ed25519_encoding(encoded: &[u8; 32]) -> Result<Number, BadPoint> {
    let mut y = from_le(encoded);
    if let Some(top) = y.get_mut(3) {
        // The highest bit is the sign of x.
        *top &= u64::MAX >> 1;
    }
    if !less(&y, &P25519) {
        return Err(BadPoint::NotCanonical);
    }
    if SMALL_ORDER_25519.contains(&y) { Err(BadPoint::SmallOrder) } else { Ok(y) }
}

/// Reads big-endian bytes, at most 48.
fn from_be(bytes: &[u8]) -> Number {
    let mut number = ZERO;
    for (limb, chunk) in number.iter_mut().zip(bytes.rchunks(8)) {
        *limb = chunk.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
    }
    number
}

fn from_le(bytes: &[u8; 32]) -> Number {
    let mut number = ZERO;
    for (limb, chunk) in number.iter_mut().zip(bytes.chunks(8)) {
        *limb = chunk.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
    }
    number
}

fn less(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// The sum and what does not fit.
fn wide_add(a: &Number, b: &Number) -> (Number, bool) {
    let (mut sum, mut carry) = (ZERO, false);
    for ((out, a), b) in sum.iter_mut().zip(a).zip(b) {
        let (partial, first) = a.overflowing_add(*b);
        let (total, second) = partial.overflowing_add(u64::from(carry));
        (*out, carry) = (total, first || second);
    }
    (sum, carry)
}

fn wide_sub(a: &Number, b: &Number) -> Number {
    let (mut difference, mut borrow) = (ZERO, false);
    for ((out, a), b) in difference.iter_mut().zip(a).zip(b) {
        let (partial, first) = a.overflowing_sub(*b);
        let (total, second) = partial.overflowing_sub(u64::from(borrow));
        (*out, borrow) = (total, first || second);
    }
    difference
}

/// a + b modulo p, both below p.
fn add(a: &Number, b: &Number, p: &Number) -> Number {
    let (sum, carry) = wide_add(a, b);
    if carry || !less(&sum, p) { wide_sub(&sum, p) } else { sum }
}

/// a - b modulo p, both below p.
fn sub(a: &Number, b: &Number, p: &Number) -> Number {
    if less(a, b) { wide_sub(&wide_add(a, p).0, b) } else { wide_sub(a, b) }
}

/// a b modulo p, both below p: doubling and adding, from the highest bit.
fn mul(a: &Number, b: &Number, p: &Number) -> Number {
    let mut product = ZERO;
    for limb in b.iter().rev() {
        for bit in (0..64).rev() {
            product = add(&product, &product, p);
            if limb >> bit & 1 == 1 {
                product = add(&product, a, p);
            }
        }
    }
    product
}

/// Whether `a`, below the odd prime `p` and not zero, is a square modulo it: its Jacobi symbol, by the binary algorithm.
fn is_square(a: &Number, p: &Number) -> bool {
    let low = |n: &Number| n.first().copied().unwrap_or(0);
    let (mut a, mut n, mut square) = (*a, *p, true);
    while a != ZERO {
        while low(&a) & 1 == 0 {
            a = halve(&a);
            if matches!(low(&n) & 7, 3 | 5) {
                square = !square;
            }
        }
        if less(&a, &n) {
            std::mem::swap(&mut a, &mut n);
            if low(&a) & 3 == 3 && low(&n) & 3 == 3 {
                square = !square;
            }
        }
        a = wide_sub(&a, &n);
    }
    square && n == ONE
}

fn halve(a: &Number) -> Number {
    let (mut half, mut carry) = (ZERO, 0);
    for (out, limb) in half.iter_mut().rev().zip(a.iter().rev()) {
        *out = limb >> 1 | carry << 63;
        carry = limb & 1;
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn base_points_are_on_their_curves() {
        let x = bytes("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let y = bytes("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        assert!(P256.has_point(&x, &y));
        assert!(!P256.has_point(&y, &x) && !P256.has_point(&[0; 32], &[0; 32]));
        let x =
            bytes("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7");
        let y =
            bytes("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f");
        assert!(P384.has_point(&x, &y));
        assert!(!P384.has_point(&y, &x));
    }

    #[test]
    fn a_coordinate_has_one_form() {
        // The base point of P-256 with the prime added to y would need more than 32 bytes; p itself must not pass as 0.
        let p = bytes("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
        assert!(!P256.has_point(&p, &p));
    }

    #[test]
    fn ed25519_points() {
        let key = |hex: &str| check_ed25519_key(&bytes(hex).try_into().unwrap());
        // The base point and the first key of RFC 8032, section 7.1.
        assert_eq!(key("5866666666666666666666666666666666666666666666666666666666666666"), Ok(()));
        assert_eq!(key("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), Ok(()));
        for small in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        ] {
            assert_eq!(key(small), Err(BadPoint::SmallOrder), "{small}");
        }
        for large in [
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ] {
            assert_eq!(key(large), Err(BadPoint::NotCanonical), "{large}");
        }
        assert_eq!(key("0200000000000000000000000000000000000000000000000000000000000000"), Err(BadPoint::NotOnCurve));
    }

    #[test]
    fn s_and_the_order() {
        let r = bytes("5866666666666666666666666666666666666666666666666666666666666666").try_into().unwrap();
        let mut order: [u8; 32] =
            bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").try_into().unwrap();
        assert!(!admits_ed25519_signature(&r, &order));
        order[0] -= 1;
        assert!(admits_ed25519_signature(&r, &order));
        let n = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        assert!(!P256.admits_signature(&n, &n) && !P256.admits_signature(&[0; 32], &[1; 32]));
        assert!(P256.admits_signature(&[1; 32], &[0xfe; 32]));
    }

    proptest! {
        #[test]
        fn squares_are_squares(bytes in proptest::array::uniform32(1u8..)) {
            let mut n = from_le(&bytes);
            n[3] >>= 2;
            let square = mul(&n, &n, &P25519);
            prop_assert!(is_square(&square, &P25519));
            // 2 is not a square modulo 2^255 - 19.
            prop_assert!(!is_square(&add(&square, &square, &P25519), &P25519));
            prop_assert_eq!(sub(&add(&n, &square, &P25519), &square, &P25519), n);
        }
    }
}

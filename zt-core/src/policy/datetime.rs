//! Cedar's `datetime`, `duration` and `decimal` values: how their text is read (Cedar RFC 80, Cedar's decimal).

use crate::base::calendar::days;

const DAY_MS: i64 = 86_400_000;

/// Milliseconds since the epoch of `YYYY-MM-DD`, optionally with `THH:MM:SS[.mmm](Z|+hhmm|-hhmm)`.
pub(crate) fn parse_datetime(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    let year = digits(&mut rest, 4)?;
    byte(&mut rest, b'-')?;
    let month = digits(&mut rest, 2)?;
    byte(&mut rest, b'-')?;
    let day = digits(&mut rest, 2)?;
    let date_ms = days(year, month, day)?.checked_mul(DAY_MS)?;
    if rest.is_empty() {
        return Some(date_ms);
    }
    byte(&mut rest, b'T')?;
    let hour = digits(&mut rest, 2)?;
    byte(&mut rest, b':')?;
    let minute = digits(&mut rest, 2)?;
    byte(&mut rest, b':')?;
    let second = digits(&mut rest, 2)?;
    let millis = if byte(&mut rest, b'.').is_some() { digits(&mut rest, 3)? } else { 0 };
    let offset_minutes = match rest {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), tail @ ..] => {
            rest = tail;
            let (hours, minutes) = (digits(&mut rest, 2)?, digits(&mut rest, 2)?);
            if !rest.is_empty() || hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 60 + minutes;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let time_ms = ((hour * 60 + minute - offset_minutes) * 60 + second) * 1_000 + millis;
    date_ms.checked_add(time_ms)
}

/// Milliseconds of `[-][Nd][Nh][Nm][Ns][Nms]`, at least one part.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (-1, rest),
        rest => (1, rest),
    };
    if rest.is_empty() {
        return None;
    }
    let mut units: &[(&[u8], i64)] = &[(b"d", DAY_MS), (b"h", 3_600_000), (b"m", 60_000), (b"s", 1_000), (b"ms", 1)];
    // Cedar adds from the smallest unit up, so that a sum may pass the edge in one order and not in the other.
    let mut parts = [0_i64; 5];
    while !rest.is_empty() {
        let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (number, tail) = rest.split_at_checked(length)?;
        let number: u64 = std::str::from_utf8(number).ok()?.parse().ok()?;
        let suffix = tail.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let (unit, tail) = tail.split_at_checked(suffix)?;
        let at = units.iter().position(|(name, _)| *name == unit)?;
        let (_, scale) = units.get(at)?;
        let slot = 5_usize.checked_sub(units.len())?.checked_add(at)?;
        let signed = i64::try_from(i128::from(number).checked_mul(sign)?).ok();
        let value = if *scale == 1 { signed? } else { i64::try_from(number).ok()?.checked_mul(*scale)? };
        *parts.get_mut(slot)? = if *scale == 1 || sign == 1 { value } else { value.checked_neg()? };
        units = units.get(at.checked_add(1)?..)?;
        rest = tail;
    }
    parts.iter().rev().try_fold(0_i64, |sum, part| sum.checked_add(*part))
}

/// Ten-thousandths of `[-]digits.digits`, with one to four digits after the point.
pub(crate) fn parse_decimal(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.')?;
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    let numeric = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !numeric(unsigned) || !numeric(fraction) || fraction.len() > 4 {
        return None;
    }
    let missing = u32::try_from(fraction.len()).ok().and_then(|n| 4_u32.checked_sub(n))?;
    let fraction = fraction.parse::<i64>().ok()?.checked_mul(10_i64.checked_pow(missing)?)?;
    let whole_part = whole.parse::<i64>().ok()?.checked_mul(10_000)?;
    if whole.starts_with('-') { whole_part.checked_sub(fraction) } else { whole_part.checked_add(fraction) }
}

/// Midnight of that moment's day; nothing where that lies before the earliest moment.
pub(crate) fn date_of(millis: i64) -> Option<i64> {
    millis.checked_sub(millis.rem_euclid(DAY_MS))
}

/// Time since midnight.
pub(crate) const fn time_of(millis: i64) -> i64 {
    millis.rem_euclid(DAY_MS)
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (number, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    number.iter().try_fold(0_i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

fn byte(rest: &mut &[u8], expected: u8) -> Option<()> {
    let (first, tail) = rest.split_first()?;
    (*first == expected).then(|| *rest = tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetimes() {
        assert_eq!(parse_datetime("1970-01-01"), Some(0));
        assert_eq!(parse_datetime("2024-02-29T23:59:59.999Z"), Some(1_709_251_199_999));
        assert_eq!(parse_datetime("2024-10-15T11:38:02.101-1134"), Some(1_729_033_922_101));
        assert_eq!(parse_datetime("0000-01-01"), Some(-62_167_219_200_000));
        for bad in
            ["", "2024-1-01", "2023-02-29", "2024-01-01T00:00:00", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z"]
        {
            assert_eq!(parse_datetime(bad), None, "{bad}");
        }
        for bad in ["2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00+2400", "2024-01-01T00:00:00+0060", "2024-01-01Z"] {
            assert_eq!(parse_datetime(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1d2h3m4s5ms"), Some(93_784_005));
        assert_eq!(parse_duration("-10h"), Some(-36_000_000));
        assert_eq!(parse_duration("-9223372036854775808ms"), Some(i64::MIN));
        assert_eq!(parse_duration("0ms"), Some(0));
        for bad in ["", "-", "1", "d", "1s1m", "1d1d", "1d-1h", "+1h", "9223372036854775808ms", "106751991168d", "1x"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn decimals() {
        assert_eq!(parse_decimal("1.5"), Some(15_000));
        assert_eq!(parse_decimal("-0.0001"), Some(-1));
        assert_eq!(parse_decimal("-922337203685477.5808"), Some(i64::MIN));
        for bad in ["1", "1.", ".5", "1.23456", "922337203685477.5808", "+1.0", "1.0.0", "--1.0"] {
            assert_eq!(parse_decimal(bad), None, "{bad}");
        }
    }
}

//! Times as configurations and signatures write them, in UTC.

use crate::base::calendar::days;
use crate::model::Millis;

/// A UTC time of RFC 3339, or a date for its midnight.
pub(super) fn rfc3339(text: &str) -> Option<Millis> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, time.strip_suffix(['Z', 'z'])?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = parts(time, ':', [2, 2, 2])?;
    civil([number(year)?, number(month)?, number(day)?], [number(hour)?, number(minute)?, number(second)?])
}

/// `20150830T123600Z`: the basic format of ISO 8601, as AWS signatures write it.
pub(super) fn basic(text: &[u8]) -> Option<Millis> {
    let [y1, y2, y3, y4, m1, m2, d1, d2, b'T', h1, h2, n1, n2, s1, s2, b'Z'] = text else { return None };
    let two = |high: &u8, low: &u8| number(&[*high, *low]);
    let date = [number(&[*y1, *y2, *y3, *y4])?, two(m1, m2)?, two(d1, d2)?];
    civil(date, [two(h1, h2)?, two(n1, n2)?, two(s1, s2)?])
}

/// Milliseconds since the epoch of a date that the calendar has and a time; no leap seconds.
fn civil([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> Option<Millis> {
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((((days(year, month, day)? * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

/// Three parts of exactly so many bytes.
fn parts(text: &str, between: char, widths: [usize; 3]) -> Option<[&[u8]; 3]> {
    let mut rest = text.split(between);
    let mut parts = [&b""[..]; 3];
    for (part, width) in parts.iter_mut().zip(widths) {
        *part = rest.next().filter(|part| part.len() == width)?.as_bytes();
    }
    rest.next().is_none().then_some(parts)
}

/// A number of a few digits and nothing else.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value: i64, byte| {
        byte.is_ascii_digit().then(|| value.saturating_mul(10).saturating_add(i64::from(byte - b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        assert_eq!(rfc3339("1970-01-01"), Some(0));
        assert_eq!(rfc3339("2000-02-29T23:59:59Z"), Some(951_868_799_000));
        assert_eq!(rfc3339("2027-01-31T18:00:00Z"), Some(1_801_418_400_000));
        for bad in [
            "",
            "2027",
            "2027-13-01",
            "2027-02-29",
            "2027-01-31T24:00:00Z",
            "2027-01-31T18:00:00+01:00",
            "2027-1-31",
            "+027-01-01",
        ] {
            assert_eq!(rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_basic_format_is_strict() {
        assert_eq!(basic(b"20150830T123600Z"), Some(1_440_938_160_000));
        assert_eq!(basic(b"20150830T123600Z"), rfc3339("2015-08-30T12:36:00Z"));
        for bad in [
            "",
            "20150830T123600",
            "20150830t123600z",
            "20150830T123600.000Z",
            "2015-08-30T12:36:00Z",
            "20150230T123600Z",
            "20150830T243600Z",
            "+0150830T123600Z",
            "20150830T123600Z ",
        ] {
            assert_eq!(basic(bad.as_bytes()), None, "{bad}");
        }
    }
}

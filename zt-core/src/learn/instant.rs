//! Times as logs write them, as milliseconds since the Unix epoch.

use crate::base::calendar;
use crate::model::Millis;

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// `10/Oct/2000:13:55:36 -0700`, all of it.
pub(super) fn of_access_log(text: &[u8]) -> Option<Millis> {
    let mut left = Left(text);
    let day = left.number(2)?;
    let month = left.byte(b'/').and_then(|()| left.take(3))?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let year = left.byte(b'/').and_then(|()| left.number(4))?;
    let seconds = left.byte(b':').and_then(|()| left.time_of_day())?;
    let zone = left.byte(b' ').and_then(|()| left.zone())?;
    let days = calendar::days(year, i64::try_from(month).ok()? + 1, day)?;
    left.0.is_empty().then_some(((days * 86_400) + seconds - zone) * 1_000)
}

/// `2009-07-24T19:20:30.45+01:00` (RFC 3339), all of it; digits behind the third of a fraction are cut.
pub(super) fn of_har(text: &[u8]) -> Option<Millis> {
    let mut left = Left(text);
    let year = left.number(4)?;
    let month = left.byte(b'-').and_then(|()| left.number(2))?;
    let day = left.byte(b'-').and_then(|()| left.number(2))?;
    left.byte(b'T').or_else(|| left.byte(b't')).or_else(|| left.byte(b' '))?;
    let seconds = left.time_of_day()?;
    let millis = left.fraction()?;
    let zone = match left.byte(b'Z').or_else(|| left.byte(b'z')) {
        Some(()) => 0,
        None => left.zone()?,
    };
    let days = calendar::days(year, month, day)?;
    left.0.is_empty().then_some((days * 86_400 + seconds - zone) * 1_000 + millis)
}

/// What is still to be read.
struct Left<'t>(&'t [u8]);

impl<'t> Left<'t> {
    fn take(&mut self, bytes: usize) -> Option<&'t [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// So many digits, at most nine.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let digit = |number: i64, byte: &u8| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'));
        self.take(digits)?.iter().try_fold(0, digit)
    }

    /// `13:55:36`, in seconds; a leap second is the next one.
    fn time_of_day(&mut self) -> Option<i64> {
        let hours = self.number(2)?;
        let minutes = self.byte(b':').and_then(|()| self.number(2))?;
        let seconds = self.byte(b':').and_then(|()| self.number(2))?;
        (hours < 24 && minutes < 60 && seconds <= 60).then_some(hours * 3_600 + minutes * 60 + seconds)
    }

    /// `.45`, in milliseconds; 0 where there is none.
    fn fraction(&mut self) -> Option<i64> {
        if self.byte(b'.').is_none() {
            return Some(0);
        }
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let fraction = self.take(digits).filter(|fraction| !fraction.is_empty())?;
        let digit = |at: usize| fraction.get(at).map_or(0, |byte| i64::from(byte - b'0'));
        Some(digit(0) * 100 + digit(1) * 10 + digit(2))
    }

    /// `-0700` or `-07:00`, in seconds ahead of UTC.
    fn zone(&mut self) -> Option<i64> {
        let sign = match self.take(1)? {
            b"+" => 1,
            b"-" => -1,
            _ => return None,
        };
        let hours = self.number(2)?;
        let _ = self.byte(b':');
        let minutes = self.number(2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_is_in_its_zone() {
        assert_eq!(of_access_log(b"10/Oct/2000:13:55:36 -0700"), Some(971_211_336_000));
        assert_eq!(of_access_log(b"01/Jan/1970:01:00:00 +0100"), Some(0));
        assert_eq!(of_har(b"2009-07-24T19:20:30.45+01:00"), Some(1_248_459_630_450));
        assert_eq!(of_har(b"1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(of_har(b"1969-12-31T23:59:59.9999Z"), Some(-1));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for wrong in [
            "",
            "10/Oct/2000:13:55:36",
            "31/Feb/2000:13:55:36 +0000",
            "10/Okt/2000:13:55:36 +0000",
            "10/Oct/2000:24:00:00 +0000",
        ] {
            assert_eq!(of_access_log(wrong.as_bytes()), None, "{wrong}");
        }
        for wrong in [
            "2009-07-24",
            "2009-07-24T19:20:30",
            "2009-07-24T19:20:30.Z",
            "2009-13-24T19:20:30Z",
            "2009-07-24T19:20:30Zx",
        ] {
            assert_eq!(of_har(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_second_is_read_as_it_is_written(seconds in -62_135_596_800_i64..253_402_300_800, zone in -14_i64..=14) {
            let local = seconds + zone * 3_600;
            let (year, month, day) = calendar::date(local.div_euclid(86_400));
            let of_day = local.rem_euclid(86_400);
            prop_assume!((0..10_000).contains(&year));
            let (hours, minutes, of_minute) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
            let sign = if zone < 0 { '-' } else { '+' };
            let har = format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{of_minute:02}.25{sign}{:02}:00", zone.abs());
            prop_assert_eq!(of_har(har.as_bytes()), Some(seconds * 1_000 + 250));
            let name = std::str::from_utf8(MONTHS[usize::try_from(month).unwrap() - 1]).unwrap();
            let log = format!("{day:02}/{name}/{year:04}:{hours:02}:{minutes:02}:{of_minute:02} {sign}{:02}00", zone.abs());
            prop_assert_eq!(of_access_log(log.as_bytes()), Some(seconds * 1_000));
        }

        #[test]
        fn any_bytes_are_a_time_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (of_access_log(&bytes), of_har(&bytes));
        }
    }
}

//! Times for people, in UTC.

use zt_core::model::Millis;

const DAY: Millis = 86_400_000;

/// Such as `2026-03-27 18:00`.
pub(crate) fn text(time: Millis) -> String {
    let (year, month, day) = civil(time.div_euclid(DAY));
    let minutes = time.rem_euclid(DAY) / 60_000;
    format!("{year}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
}

/// Of days since 1 January 1970, in the Gregorian calendar, whose years are counted from March on as eras of 400.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(text(0), "1970-01-01 00:00");
        assert_eq!(text(951_782_400_000 + 61_000), "2000-02-29 00:01");
        assert_eq!(text(1_775_239_200_000), "2026-04-03 18:00");
        assert_eq!(text(-60_000), "1969-12-31 23:59");
    }
}

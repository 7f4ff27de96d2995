//! How fast and for how long.

use super::{LONGEST, LadderConfig, SUSPEND_FOR};
use crate::base::units::Duration;
use crate::model::Problem;
use crate::respond::ladder::Ladder;

/// No time that is kept lies further ahead of its request.
const FARTHEST: Duration = Duration::from_millis(366 * 24 * 3_600_000);

pub(super) fn spans(config: &LadderConfig, ladder: &Ladder, found: &mut Vec<Problem>) {
    for (key, rate) in [("decay", config.decay), ("throttled_rate", config.throttled_rate)] {
        if let Some(rate) = rate
            && rate.per.millis() < i64::from(rate.count)
        {
            let message = format!("`{rate}` is faster than one a millisecond");
            found.push(Problem::new(key, message).mend("use a lower number"));
        }
    }
    let farthest = FARTHEST.millis().unsigned_abs();
    if ladder.longest_memory() > farthest {
        let key = if config.decay.is_some() { "decay" } else { "" };
        found.push(
            Problem::new(key, "twice the highest threshold takes more than 366 days to forgive")
                .mend("forgive faster, or lower the thresholds"),
        );
    }
    if let Some(rate) = config.throttled_rate
        && rate.per > FARTHEST
    {
        found.push(Problem::new("throttled_rate", "the span is longer than 366 days").mend("shorten it"));
    }
    for (key, span) in [("suspend_for", config.suspend_for), ("longest", config.longest), ("forget", config.forget)] {
        let Some(span) = span else { continue };
        if span.millis() == 0 {
            found.push(Problem::new(key, "no time at all").mend("give it a length, or remove it"));
        }
        if span > FARTHEST {
            found.push(Problem::new(key, format!("`{span}` is longer than 366 days")).mend("shorten it"));
        }
    }
    let (first, longest) = (config.suspend_for.unwrap_or(SUSPEND_FOR), config.longest.unwrap_or(LONGEST));
    if config.suspend.is_some() && first > longest {
        let (key, mend) = match config.longest {
            Some(_) => ("longest", "lengthen it, or shorten `suspend_for`"),
            None => ("suspend_for", "shorten it, or add a greater `longest`"),
        };
        let message = format!("the first suspension, `{first}`, is longer than the longest, `{longest}`");
        found.push(Problem::new(key, message).mend(mend));
    }
}

//! `Retry-After` (RFC 9110, section 10.2.3) and the `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers).

use std::borrow::Cow;
use std::fmt::Write as _;

use smallvec::SmallVec;

use super::window::{Measure, Told, Window};

/// Where a request stands with one count of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'l> {
    /// Name of the limit; of one with several counts, followed by `/` and the span, `quota` or `concurrent`.
    pub limit: &'l str,
    /// Requests per window.
    pub quota: u32,
    /// Window, seconds (rounded up); 0 where requests under way are counted.
    pub window_s: u64,
    /// Requests that may come at once.
    pub burst: u32,
    /// Requests that could follow at once.
    pub remaining: u32,
    /// Seconds until all of the burst is there again; after a refusal, the same as `retry_after_s`.
    pub reset_s: u64,
    /// Refused: seconds until a request would pass, at least 1.
    pub retry_after_s: Option<u64>,
}

/// The response headers that tell a client where it stands with each of these counts. `Retry-After` is there after a
/// refusal only, and is the longest wait.
///
/// ```
/// use zt_core::limit::{Standing, headers};
/// let standing = Standing {
///     limit: "per-key", quota: 100, window_s: 60, burst: 20, remaining: 0, reset_s: 3, retry_after_s: Some(3),
/// };
/// let text: Vec<String> = headers(&[standing]).iter().map(|(name, value)| format!("{name}: {value}")).collect();
/// assert_eq!(text, ["Retry-After: 3", r#"RateLimit-Policy: "per-key";q=100;w=60"#, r#"RateLimit: "per-key";r=0;t=3"#]);
/// ```
pub fn headers(standings: &[Standing<'_>]) -> SmallVec<[(Cow<'static, str>, String); 3]> {
    let mut headers = SmallVec::new();
    if let Some(seconds) = standings.iter().filter_map(|standing| standing.retry_after_s).max() {
        headers.push((Cow::Borrowed("Retry-After"), seconds.to_string()));
    }
    let (mut policy, mut limit) = (String::new(), String::new());
    for Standing { limit: name, quota, window_s, remaining, reset_s, .. } in standings {
        let comma = if policy.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = match window_s {
            0 => write!(policy, "{comma}\"{name}\";q={quota};qu=\"concurrent-requests\""),
            _ => write!(policy, "{comma}\"{name}\";q={quota};w={window_s}"),
        };
        let _ = match window_s {
            0 => write!(limit, "{comma}\"{name}\";r={remaining}"),
            _ => write!(limit, "{comma}\"{name}\";r={remaining};t={reset_s}"),
        };
    }
    if !standings.is_empty() {
        headers.push((Cow::Borrowed("RateLimit-Policy"), policy));
        headers.push((Cow::Borrowed("RateLimit"), limit));
    }
    headers
}

impl<'l> Standing<'l> {
    pub(super) fn of(Window { label, told, .. }: &'l Window, measure: &Measure) -> Self {
        match measure {
            Measure::Passed { remaining, reset_ns, .. } => Self::within(label, *told, *remaining, *reset_ns),
            Measure::Refused { wait_ns } => {
                let seconds = wait_ns.div_ceil(1_000_000_000).max(1);
                Self { reset_s: seconds, retry_after_s: Some(seconds), ..Self::within(label, *told, 0, 0) }
            }
        }
    }

    /// Of a request that passes.
    pub(super) fn within(limit: &'l str, told: Told, remaining: u32, reset_ns: u64) -> Self {
        let (Told { quota, window_s, burst }, reset_s) = (told, reset_ns.div_ceil(1_000_000_000));
        Self { limit, quota, window_s, burst, remaining, reset_s, retry_after_s: None }
    }

    /// The tighter of two: a refusal before a pass, of refusals the longer wait, of passes the smaller share that
    /// remains; of equals this one.
    pub fn tighter(self, other: Self) -> Self {
        let share = |a: &Self, b: &Self| u64::from(a.remaining).saturating_mul(b.burst.into());
        let other_is_tighter = match (self.retry_after_s, other.retry_after_s) {
            (None, None) => share(&other, &self) < share(&self, &other),
            (mine, theirs) => theirs > mine,
        };
        if other_is_tighter { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(limit: &str, burst: u32, remaining: u32, retry_after_s: Option<u64>) -> Standing<'_> {
        Standing { limit, quota: burst, window_s: 1, burst, remaining, reset_s: 1, retry_after_s }
    }

    #[test]
    fn the_tightest_is_told() {
        let tighter = |a: Standing<'static>, b| a.tighter(b).limit;
        let (half, third) = (standing("half", 2, 1, None), standing("third", 3, 1, None));
        let (short, long) = (standing("short", 5, 0, Some(1)), standing("long", 5, 0, Some(9)));
        assert_eq!(tighter(half, third), "third");
        assert_eq!(tighter(third, half), "third");
        assert_eq!(tighter(third, short), "short");
        assert_eq!(tighter(long, short), "long");
        assert_eq!(tighter(short, long), "long");
        assert_eq!(tighter(half, standing("again", 4, 2, None)), "half");
    }

    #[test]
    fn a_pass_has_no_retry_after() {
        let names: Vec<_> = headers(&[standing("x", 2, 1, None)]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["RateLimit-Policy", "RateLimit"]);
    }

    #[test]
    fn every_count_is_listed_and_the_longest_wait_told() {
        let rate = Standing { window_s: 1, ..standing("a/1s", 20, 0, Some(1)) };
        let day = Standing { window_s: 86_400, reset_s: 3_600, ..standing("a/quota", 100, 0, Some(3_600)) };
        let slots = Standing { window_s: 0, ..standing("a/concurrent", 4, 3, None) };
        let headers = headers(&[rate, day, slots]);
        let text: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            text,
            [
                "Retry-After: 3600",
                r#"RateLimit-Policy: "a/1s";q=20;w=1, "a/quota";q=100;w=86400, "a/concurrent";q=4;qu="concurrent-requests""#,
                r#"RateLimit: "a/1s";r=0;t=1, "a/quota";r=0;t=3600, "a/concurrent";r=3"#
            ]
        );
        assert!(super::headers(&[]).is_empty());
    }
}

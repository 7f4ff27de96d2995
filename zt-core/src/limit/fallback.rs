//! What holds while a table is too small for its keys.
//!
//! A key that was displaced before its bucket was full again comes back with a fresh one. So from then on, until what was
//! lost would have been full again, a key of which the table knows nothing is counted in a coarser one too: the network
//! of a peer, the whole of everything else, at sixteen times the rate. If that table is too small as well, the limit as a
//! whole is counted, which has one entry and loses nothing. Keys that the table knows are counted as ever.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use super::KeyPart;
use super::calendar::Calendar;
use super::key::Parts;
use super::rate::Bucket;
use super::window::{Kind, Window};
use crate::base::units::Rate;

/// A coarser count, and the ones after it.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) key: Parts,
    pub(super) windows: Box<[Window]>,
}

/// How many times the rate of a key a coarser one has.
const TIMES: u32 = 16;

/// The key without its finest part, where the network of a peer comes before nothing of it; nothing where there is none.
pub(super) fn coarser(parts: &[KeyPart]) -> Option<Vec<KeyPart>> {
    let (finest, part) = parts.iter().enumerate().min_by_key(|(_, part)| fineness(part))?;
    let network = matches!(part, KeyPart::Peer) && !parts.contains(&KeyPart::PeerPrefix);
    let rest = parts.iter().enumerate().filter_map(|(at, part)| match (at == finest, network) {
        (false, _) => Some(part.clone()),
        (true, network) => network.then_some(KeyPart::PeerPrefix),
    });
    Some(rest.collect())
}

/// What an attacker can have most of comes first.
const fn fineness(part: &KeyPart) -> u8 {
    match part {
        KeyPart::Header(_) => 0,
        KeyPart::Claim(_) => 1,
        KeyPart::Identity => 2,
        KeyPart::Peer => 3,
        KeyPart::PeerPrefix => 4,
        KeyPart::Tenant => 5,
        KeyPart::Role => 6,
        KeyPart::Endpoint => 7,
        KeyPart::Segment => 8,
    }
}

/// Sixteen times as much in the same time.
pub(super) fn widened(kind: &Kind) -> Option<Kind> {
    match kind {
        Kind::Rate(bucket) => {
            let period = Duration::from_nanos(bucket.period_ns() / u64::from(TIMES)).max(Duration::from_nanos(1));
            let burst = NonZeroU32::new(bucket.capacity().saturating_mul(TIMES))?;
            let rate = Rate { count: bucket.rate.count.saturating_mul(TIMES), ..bucket.rate };
            let quota = Quota::with_period(period)?.allow_burst(burst);
            Some(Kind::Rate(Bucket::new(quota, rate, bucket.debts())))
        }
        Kind::Calendar(calendar) => {
            Some(Kind::Calendar(Calendar { count: calendar.count.saturating_mul(TIMES), ..*calendar }))
        }
        Kind::InFlight(_) => None,
    }
}

/// What the counts of a level are called: `x/fallback`, and `x/fallback/all` of all requests together; where there are
/// several, with what tells each apart, as in the limit itself.
pub(super) fn labels(name: &str, parts: &[KeyPart], kinds: &[Kind]) -> impl Iterator<Item = String> {
    let all = if parts.is_empty() { "/all" } else { "" };
    kinds.iter().map(move |kind| match kind {
        _ if kinds.len() == 1 => format!("{name}/fallback{all}"),
        Kind::Rate(bucket) => format!("{name}/fallback{all}/{}", bucket.rate.per),
        Kind::Calendar(_) => format!("{name}/fallback{all}/quota"),
        Kind::InFlight(_) => format!("{name}/fallback{all}/concurrent"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::Size;
    use crate::limit::{Limiter, State};

    #[test]
    fn a_key_gets_coarser_to_nothing() {
        let steps = |key: &[&str]| {
            let mut parts: Vec<KeyPart> = key.iter().map(|part| part.parse().unwrap()).collect();
            let mut steps = Vec::new();
            while let Some(next) = coarser(&parts) {
                steps.push(next.iter().map(KeyPart::to_string).collect::<Vec<_>>().join(" "));
                parts = next;
            }
            steps
        };
        assert_eq!(steps(&["peer"]), ["peer_prefix", ""]);
        assert_eq!(steps(&["peer", "peer_prefix"]), ["peer_prefix", ""]);
        assert_eq!(steps(&["endpoint", "peer"]), ["endpoint peer_prefix", "endpoint", ""]);
        assert_eq!(steps(&["tenant", "identity", "header:x"]), ["tenant identity", "tenant", ""]);
        assert!(steps(&[]).is_empty());
    }

    #[test]
    fn every_count_has_a_name_of_its_own() {
        let names = |json: &str| {
            let config = serde_json::from_str(&format!(r#"{{"name":"x",{json}}}"#)).unwrap();
            let limiter = Limiter::compile(&[config], Size::from_bytes(1 << 20)).unwrap();
            let state = State::new(&limiter, 1);
            state.usage().map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(r#""key":["peer"],"rate":"1/1s""#), ["x", "x/fallback", "x/fallback/all"]);
        assert_eq!(names(r#""key":["endpoint"],"rate":"1/1s""#), ["x", "x/fallback/all"]);
        assert_eq!(
            names(r#""key":["identity"],"rate":["1/1s","20/1m"],"fallback":{"key":[],"rate":"9/1s"}"#),
            ["x/1s", "x/1m", "x/fallback/all"]
        );
        assert_eq!(
            names(r#""key":["peer"],"rate":["1/1s","20/1m"],"quota":"50/1d","concurrent":2"#),
            [
                "x/1s",
                "x/1m",
                "x/quota",
                "x/concurrent",
                "x/fallback/1s",
                "x/fallback/1m",
                "x/fallback/quota",
                "x/fallback/all/1s",
                "x/fallback/all/1m",
                "x/fallback/all/quota"
            ]
        );
    }
}

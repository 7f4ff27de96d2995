//! `[[limit]] learned = true`: the rate that the baseline recommends, within the configured one.

use std::num::NonZeroU32;

use super::Config;
use crate::anomaly::{Baseline, LIMIT_BUDGET};
use crate::base::units::Rate;
use crate::limit::{self, KeyPart};
use crate::model::{ClientKind, LearnedLimit, RecommendedLimit};

/// A learned rate is at least this part of the configured one.
const FLOOR_PART: u32 = 10;

/// The limits as they hold, and a sentence on each rate that may be learned.
pub(super) fn learned(config: &Config, baseline: Option<&Baseline>) -> (Vec<limit::Config>, Vec<String>) {
    let (mut limits, mut notices) = (config.limit.clone(), Vec::new());
    let asks = |limit: &limit::Config| limit.learned && !limit.rate.is_empty();
    if !limits.iter().any(asks) {
        return (limits, notices);
    }
    let known = baseline.map(|baseline| baseline.rates(LIMIT_BUDGET).limits).unwrap_or_default();
    for limit in limits.iter_mut().filter(|limit| asks(limit)) {
        let like = limit.clone();
        for rate in &mut limit.rate.0 {
            let written = *rate;
            let told = match recommended(&like, written, &known) {
                Ok(count) => {
                    rate.count = count.clamp(written.count.div_ceil(FLOOR_PART), written.count.max(1));
                    match rate.count {
                        held if held == written.count => format!("`{written}` holds, `{count}` would do"),
                        held if held == count => format!("`{rate}` holds, as learned, in the place of `{written}`"),
                        _ => format!("`{rate}` holds, a tenth of `{written}`; `{count}` would do"),
                    }
                }
                Err(why) => format!("`{written}` holds, as configured: {why}"),
            };
            notices.push(format!("limit `{}`, `learned = true`: {told}", like.name));
        }
        // What is learned now stands in the rates; hosts that scale by other things do it by `learned` of the limiter alone.
        limit.learned = false;
    }
    (limits, notices)
}

/// How many requests a client is to have in the span of a rate of this limit; else why that is not known.
fn recommended(limit: &limit::Config, rate: Rate, known: &[LearnedLimit]) -> Result<u32, String> {
    let client = match () {
        () if limit.key.contains(&KeyPart::Identity) => ClientKind::Identity,
        () if limit.key.contains(&KeyPart::Peer) => ClientKind::Address,
        () => return Err("its key has neither `identity` nor `peer`, and rates are learned of clients".to_owned()),
    };
    if known.is_empty() {
        return Err("there is no `[anomaly]` baseline that learned of clients".to_owned());
    }
    if limit.cost.is_some() {
        return Err("it has a `cost`, and requests were learned of as one each".to_owned());
    }
    // What is worked out from the written rate is to hold for it: no baseline makes a configuration a mistake.
    if limit.reserve.is_some() || limit.burst.is_some() {
        return Err("it has a `reserve` or a `burst`, which are for the written rate".to_owned());
    }
    if !limit.segments.is_empty() {
        return Err("it is for segments, and rates are learned of endpoints".to_owned());
    }
    let of_period: Vec<&LearnedLimit> =
        known.iter().filter(|known| i64::from(known.period_s).saturating_mul(1_000) == rate.per.millis()).collect();
    if of_period.is_empty() {
        return Err(format!("of spans of {} nothing is learned, but of 1m, 10m and 1h", rate.per));
    }
    let one = |endpoint: Option<&str>| {
        let rows = of_period.iter().filter(|known| known.endpoint.as_deref() == endpoint);
        of_endpoint(rows.copied(), client).map_err(|why| match endpoint {
            Some(endpoint) => format!("endpoint `{endpoint}` {why}"),
            None => format!("the service {why}"),
        })
    };
    if limit.endpoints.is_empty() {
        return one(None);
    }
    let each: Vec<u32> = limit.endpoints.iter().map(|endpoint| one(Some(endpoint))).collect::<Result<_, _>>()?;
    // Counted apart, the busiest has to fit; counted together, all of them.
    match limit.key.contains(&KeyPart::Endpoint) {
        true => Ok(each.into_iter().max().unwrap_or(u32::MAX)),
        false => Ok(each.into_iter().fold(0, u32::saturating_add)),
    }
}

/// Of what was learned of one endpoint.
fn of_endpoint<'k>(rows: impl Iterator<Item = &'k LearnedLimit> + Clone, client: ClientKind) -> Result<u32, String> {
    // An address may be many people's, and what was learned of it are only requests without an identity.
    if client == ClientKind::Address && rows.clone().any(|known| known.client == ClientKind::Identity) {
        return Err("was asked by identities, too, and of their addresses nothing is learned".to_owned());
    }
    let Some(known) = rows.into_iter().find(|known| known.client == client) else {
        return Err("was not seen".to_owned());
    };
    match &known.recommended {
        Some(RecommendedLimit { limit, .. }) => Ok(NonZeroU32::new(*limit).map_or(1, NonZeroU32::get)),
        None => Err(format!("was seen of {} clients: {} more are needed", known.clients, known.missing)),
    }
}

#[cfg(feature = "compile")]
#[cfg(test)]
mod tests {
    use crate::anomaly::{Baseline, Follower, Target};
    use crate::model::{Identity, Outcome, Peer, Request};
    use crate::{Engine, State};

    const START: i64 = 1_772_409_600_000;
    const ENDPOINTS: &str = "[[endpoint]]\nmethod = \"GET\"\npath = \"/a\"\nid = \"a\"\nanonymous = true\n\
                             [[endpoint]]\nmethod = \"GET\"\npath = \"/b\"\nid = \"b\"\nanonymous = true\n";

    fn request(client: u32) -> Request<'static> {
        let peer = Peer { ip: Some(std::net::Ipv4Addr::from_bits(client).into()), ..Peer::default() };
        Request { method: "GET".into(), path: "/a".into(), peer, ..Request::default() }
    }

    /// Of so many addresses, each with 12 requests at endpoint `a`, and of an identity at `b`.
    fn learned(clients: u32) -> String {
        let before = Baseline::new(7);
        let mut follower = Follower::new(&before);
        let anna = Identity::asserted("anna");
        follower.add(&request(1), &Target::Endpoint { id: "b", variables: &[] }, Some(&anna), true, START);
        for number in 0..clients * 12 {
            let (client, now) = (number % clients, START + i64::from(number / clients) * 5_000);
            let target = Target::Endpoint { id: "a", variables: &[] };
            follower.add(&request(client), &target, None, true, now);
        }
        follower.end().to_text().replace('\n', "\\n")
    }

    fn engine(limit: &str, baseline: Option<&str>) -> Engine {
        let anomaly = baseline.map(|text| format!("[anomaly]\nbaseline = \"{text}\"\n")).unwrap_or_default();
        let text = format!(
            "version = 1\n{ENDPOINTS}{anomaly}[[limit]]\nname = \"x\"\nlearned = true\n{limit}[state]\nseed = 7\n"
        );
        Engine::from_toml(&text, &[]).unwrap()
    }

    fn told(limit: &str, baseline: Option<&str>) -> Vec<String> {
        let notices = engine(limit, baseline).notices().into_iter();
        notices.filter_map(|told| Some(told.strip_prefix("limit `x`, `learned = true`: ")?.to_owned())).collect()
    }

    #[test]
    fn the_learned_rate_holds_within_the_configured_one() {
        let baseline = learned(400);
        let a = |rate: &str| told(&format!("key = [\"peer\"]\nendpoints = [\"a\"]\nrate = {rate}\n"), Some(&baseline));
        assert_eq!(a("\"100/1m\""), ["`12/1m` holds, as learned, in the place of `100/1m`"]);
        assert_eq!(a("\"12/1m\""), ["`12/1m` holds, `12` would do"]);
        assert_eq!(a("\"7/1m\""), ["`7/1m` holds, `12` would do"]);
        assert_eq!(a("\"500/1m\""), ["`50/1m` holds, a tenth of `500/1m`; `12` would do"]);
        assert_eq!(a("[\"100/1m\", \"110/1h\"]").len(), 2);

        let limited = engine("key = [\"peer\"]\nendpoints = [\"a\"]\nrate = \"100/1m\"\n", Some(&baseline));
        let state = State::new(&limited);
        let now = START + 30 * 86_400_000;
        let outcomes = (0..13).map(|_| limited.decide(&state, &request(9), now).outcome == Outcome::Throttle);
        assert_eq!(outcomes.filter(|throttled| *throttled).count(), 1);
    }

    #[test]
    fn what_is_not_known_leaves_the_configured_rate_and_says_why() {
        let (baseline, few) = (learned(400), learned(20));
        for (limit, baseline, why) in [
            ("key = [\"peer\"]\nrate = \"9/1m\"\n", None, "no `[anomaly]` baseline"),
            ("key = [\"peer\"]\nendpoints = [\"a\"]\nrate = \"9/1m\"\n", Some(&few), "20 clients"),
            ("key = [\"peer\"]\nendpoints = [\"b\"]\nrate = \"9/1m\"\n", Some(&baseline), "asked by identities"),
            ("key = [\"peer\"]\nendpoints = [\"a\"]\nrate = \"9/1s\"\n", Some(&baseline), "spans of 1s"),
            ("key = [\"endpoint\"]\nrate = \"9/1m\"\n", Some(&baseline), "neither `identity` nor `peer`"),
            ("key = [\"identity\"]\nendpoints = [\"a\"]\nrate = \"9/1m\"\n", Some(&baseline), "was not seen"),
            ("key = [\"peer\"]\nburst = 2\nrate = \"9/1m\"\n", Some(&baseline), "`burst`"),
            ("key = [\"peer\"]\ncost = 2\nrate = \"9/1m\"\n", Some(&baseline), "`cost`"),
        ] {
            let told = told(limit, baseline.map(String::as_str));
            assert!(told.len() == 1 && told[0].starts_with("`9/1") && told[0].contains(why), "{limit} {told:?}");
        }
    }
}

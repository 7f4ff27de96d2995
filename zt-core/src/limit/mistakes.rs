//! What is impossible or contradicts itself in a `[[limit]]`, besides its rates.

use std::collections::BTreeSet;

use super::KeyPart;
use super::config::{Config, Fallback};
use super::written::Cost;
use crate::base::units::Rate;
use crate::model::Problem;

const LONGEST_NAME: usize = 64;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Everything that is wrong with one table besides its rates.
pub(super) fn mistakes(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    name_and_key(config, &mut found);
    windows(config, &mut found);
    cost(config, &mut found);
    people(config, &mut found);
    fallback(config, &mut found);
    found
}

fn add(found: &mut Vec<Problem>, key: impl Into<String>, message: impl Into<String>, mend: impl Into<String>) {
    found.push(Problem::new(key, message).mend(mend));
}

fn name_and_key(config: &Config, found: &mut Vec<Problem>) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    if config.name.is_empty() || config.name.len() > LONGEST_NAME || !config.name.bytes().all(allowed) {
        let message = "the name goes into a response header and must be short and plain";
        add(found, "name", message, "use 1 to 64 letters, digits, `-`, `_`, `.` or `:`");
    } else if config.name.contains('/') {
        let message = "what stands after a `/` is a count of a limit: `x/1m` is the rate by the minute of `x`";
        add(found, "name", message, "write `-`, `_`, `.` or `:` in its place");
    }
    let mut parts = BTreeSet::new();
    for (at, part) in config.key.iter().enumerate() {
        if !parts.insert(part) {
            add(found, format!("key[{at}]"), format!("`{part}` is there twice"), "remove one");
        }
    }
    let of_fallback = config.fallback.iter().filter_map(|fallback| fallback.key.as_ref()).flatten();
    let by_network = config.key.iter().chain(of_fallback).any(|part| *part == KeyPart::PeerPrefix);
    let prefixes = [("ipv4_prefix", config.ipv4_prefix, 8..=32), ("ipv6_prefix", config.ipv6_prefix, 16..=128)];
    for (key, prefix, range) in prefixes {
        let Some(prefix) = prefix else { continue };
        if !range.contains(&prefix) {
            let mend = format!("use {} to {}", range.start(), range.end());
            add(found, key, format!("{prefix} bits make no useful network"), mend);
        }
        if !by_network {
            add(found, key, "nothing uses it", "add `peer_prefix` to `key`, or remove it");
        }
    }
}

fn windows(config: &Config, found: &mut Vec<Problem>) {
    let rates = &config.rate.0;
    if rates.is_empty() && config.quota.is_none() && config.concurrent.is_none() {
        add(found, "", "the limit limits nothing", "add `rate`, `quota` or `concurrent`");
    }
    let mut spans = BTreeSet::new();
    for (at, rate) in rates.iter().enumerate() {
        if !spans.insert(rate.per) {
            let message = format!("there is a rate for {} already: only the lower one would matter", rate.per);
            add(found, format!("rate[{at}]"), message, "remove one");
        }
    }
    if config.burst.is_some() && rates.len() != 1 {
        let message = if rates.is_empty() {
            "there is no `rate` to burst"
        } else {
            "several rates, each with a burst of its own"
        };
        add(found, "burst", message, "write one `rate`, or remove it");
    }
    if let Some(quota) = config.quota
        && !(MINUTE_MS..=366 * DAY_MS).contains(&quota.per.millis())
    {
        let message = format!("`{quota}` is no span of the calendar: a minute at least, and 366 days at most");
        add(found, "quota", message, "write `rate` for shorter ones");
    }
    if let Some(hold) = config.hold {
        if config.concurrent.is_none() {
            add(found, "hold", "there is no `concurrent` that it is for", "add `concurrent`, or remove it");
        }
        if !(1_000..=DAY_MS).contains(&hold.millis()) {
            add(found, "hold", format!("`{hold}` is too short or too long for a request"), "use 1s to 1d");
        }
    }
}

fn cost(config: &Config, found: &mut Vec<Problem>) {
    let counted = !config.rate.is_empty() || config.quota.is_some();
    if config.learned && !counted {
        let message = "there is no `rate` and no `quota` in which a request could count for more";
        add(found, "learned", message, "add one, or remove it");
    }
    let Some(cost) = &config.cost else { return };
    if !counted {
        let message = "a request under way is one, whatever it costs, and there is no `rate` and no `quota`";
        add(found, "cost", message, "add one, or remove it");
    }
    if matches!(cost, Cost::Claim(_)) && !by_identity(config) {
        let message = "the limit is checked before the token is verified: there are no claims yet";
        add(found, "cost", message, "add `identity` or another fact of the token to `key`");
    }
    if let Cost::Fixed(cost) = cost {
        let most = |rate: &Rate| config.burst.map_or(rate.count, |burst| burst.get());
        let most = config.rate.0.iter().map(most).chain(config.quota.map(|quota| quota.count)).min();
        if let Some(most) = most.filter(|most| *most < cost.get()) {
            let message = format!("no request would pass: each costs {cost}, and {most} can pass at once");
            add(found, "cost", message, "lower it, or raise what can pass at once");
        }
    }
}

/// Whether the limit is checked when the caller is known.
fn by_identity(config: &Config) -> bool {
    let known =
        |part: &KeyPart| matches!(part, KeyPart::Identity | KeyPart::Tenant | KeyPart::Role | KeyPart::Claim(_));
    config.key.iter().any(known)
}

/// Exemptions and the reserve.
fn people(config: &Config, found: &mut Vec<Problem>) {
    const TOO_SOON: &str = "the limit is checked before anybody is known";
    const KNOWN: &str = "add `identity` or another fact of the caller to `key`";
    if let Some(except) = &config.except {
        let lists = [("identities", &except.identities), ("roles", &except.roles), ("scopes", &except.scopes)];
        for (name, _) in lists.iter().filter(|(_, list)| !list.is_empty() && !by_identity(config)) {
            add(found, format!("except.{name}"), TOO_SOON, KNOWN);
        }
        if except.peers.is_empty() && lists.iter().all(|(_, list)| list.is_empty()) {
            add(found, "except", "nobody is excepted", "name `peers`, `identities`, `roles` or `scopes`, or remove it");
        }
    }
    match (config.reserve, &config.reserved_for) {
        (None, None) => {}
        (Some(_), None) => add(found, "reserve", "nobody may use the reserve", "name them in `reserved_for`"),
        (None, Some(_)) => {
            add(
                found,
                "reserved_for",
                "there is no `reserve`",
                "say how many per cent are theirs, such as `reserve = 20`",
            );
        }
        (Some(per_cent), Some(reserved)) => {
            if !(1..=99).contains(&per_cent) {
                add(found, "reserve", format!("{per_cent} per cent are no share"), "use 1 to 99");
            }
            let lists = [("roles", &reserved.roles), ("scopes", &reserved.scopes)];
            for (name, _) in lists.iter().filter(|(_, list)| !list.is_empty() && !by_identity(config)) {
                add(found, format!("reserved_for.{name}"), TOO_SOON, KNOWN);
            }
            if reserved.endpoints.is_empty() && lists.iter().all(|(_, list)| list.is_empty()) {
                add(found, "reserved_for", "it is for nobody", "name `roles`, `scopes` or `endpoints`");
            }
        }
    }
}

fn fallback(config: &Config, found: &mut Vec<Problem>) {
    let Some(Fallback { key, .. }) = &config.fallback else { return };
    if config.rate.is_empty() && config.quota.is_none() {
        add(found, "fallback", "there is no `rate` and no `quota` to fall back from", "add one, or remove it");
    }
    if config.key.is_empty() {
        let message = "all requests are counted together already: nothing is coarser";
        return add(found, "fallback", message, "remove it");
    }
    let Some(key) = key else { return };
    let has = |part: &KeyPart| config.key.contains(part);
    let known = |part: &KeyPart| has(part) || (*part == KeyPart::PeerPrefix && has(&KeyPart::Peer));
    for (at, part) in key.iter().enumerate().filter(|(_, part)| !known(part)) {
        let message = format!("`{part}` is not in the limit's own key, of which this is to be a coarser one");
        add(found, format!("fallback.key[{at}]"), message, "remove it");
    }
    if config.key.iter().all(|part| key.contains(part)) {
        let message = "this is as fine as the limit's own key";
        add(found, "fallback.key", message, "leave a part out, or write `peer_prefix` for `peer`");
    }
}

#[cfg(test)]
mod tests {
    use crate::limit::Config;
    use crate::limit::compile::rules;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).unwrap()
    }

    /// Keys of what is wrong with one limit.
    fn wrong(json: &str) -> Vec<String> {
        let problems = rules(&[config(json)]).map(drop).unwrap_err();
        assert!(problems.iter().all(|problem| problem.mend.is_some()), "{problems:?}");
        problems.into_iter().map(|problem| problem.key.trim_start_matches("limit[0]").to_owned()).collect()
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let configs = [
            config(r#"{"name":"a\"b","key":["peer","peer"],"rate":"1/1s","ipv4_prefix":3}"#),
            config(r#"{"name":"x","key":[],"rate":"1/300d","burst":2}"#),
            config(r#"{"name":"x","key":[],"rate":"4000000000/1ms"}"#),
            config(r#"{"name":"y","key":["peer_prefix"],"rate":"1/400d","ipv6_prefix":129}"#),
        ];
        let problems = rules(&configs).unwrap_err();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "limit[0].name",
                "limit[0].key[1]",
                "limit[0].ipv4_prefix",
                "limit[0].ipv4_prefix",
                "limit[1].burst",
                "limit[2].name",
                "limit[2].rate",
                "limit[3].ipv6_prefix",
                "limit[3].rate"
            ]
        );
        assert!(problems.iter().all(|problem| problem.mend.is_some()));
    }

    #[test]
    fn what_is_impossible_or_contradicts_itself() {
        for (json, keys) in [
            (r#""key":[]"#, vec![""]),
            (r#""key":[],"rate":["1/1s","2/1s"]"#, vec![".rate[1]"]),
            (r#""key":[],"rate":["1/1s","1/400d"]"#, vec![".rate[1]"]),
            (r#""key":[],"rate":["1/1s","2/1m"],"burst":2"#, vec![".burst"]),
            (r#""key":[],"quota":"5/1d","burst":2"#, vec![".burst"]),
            (r#""key":[],"quota":"5/1s""#, vec![".quota"]),
            (r#""key":[],"quota":"5/400d""#, vec![".quota"]),
            (r#""key":[],"rate":"1/1s","hold":"5ms""#, vec![".hold", ".hold"]),
            (r#""key":[],"concurrent":2,"hold":"2d","cost":2,"learned":true"#, vec![".hold", ".learned", ".cost"]),
            (r#""key":[],"rate":"10/1s","burst":3,"cost":4"#, vec![".cost"]),
            (r#""key":["peer"],"rate":"10/1s","cost":"claim:units""#, vec![".cost"]),
            (
                r#""key":["peer"],"rate":"10/1s","except":{"peers":["10.0.0.1/8"],"roles":["ops"]}"#,
                vec![".except.roles", ".except.peers[0]"],
            ),
            (r#""key":["peer"],"rate":"10/1s","except":{}"#, vec![".except"]),
            (r#""key":["peer"],"rate":"10/1s","reserve":20"#, vec![".reserve"]),
            (r#""key":["peer"],"rate":"10/1s","reserved_for":{"endpoints":["a"]}"#, vec![".reserved_for"]),
            (
                r#""key":["peer"],"rate":"10/1s","reserve":20,"reserved_for":{"roles":["ops"]}"#,
                vec![".reserved_for.roles"],
            ),
            (
                r#""key":["peer"],"rate":"10/1s","concurrent":1,"reserve":50,"reserved_for":{"endpoints":["a"]}"#,
                vec![".reserve"],
            ),
            (r#""key":["peer"],"rate":"10/1s","reserve":120,"reserved_for":{"endpoints":["a"]}"#, vec![".reserve"]),
            (r#""key":["peer"],"rate":"10/1s","reserve":0,"reserved_for":{}"#, vec![".reserve", ".reserved_for"]),
            (r#""key":["peer"],"concurrent":1,"fallback":{}"#, vec![".fallback"]),
            (r#""key":[],"rate":"1/1s","fallback":{}"#, vec![".fallback"]),
            (r#""key":["peer_prefix"],"rate":"1/1s","fallback":{"key":["peer"]}"#, vec![".fallback.key[0]"]),
            (r#""key":["peer"],"rate":"1/1s","fallback":{"key":["peer"]}"#, vec![".fallback.key"]),
            (r#""key":["peer"],"rate":"1/1s","fallback":{"rate":"1/400d"}"#, vec![".fallback.rate"]),
        ] {
            assert_eq!(wrong(&format!(r#"{{"name":"x",{json}}}"#)), keys, "{json}");
        }
    }

    #[test]
    fn no_limit_is_called_as_a_count_of_another() {
        for name in ["x/1m", "x/quota", "x/fallback", "/", "a/b"] {
            assert_eq!(wrong(&format!(r#"{{"name":"{name}","key":[],"rate":"1/1s"}}"#)), [".name"], "{name}");
        }
        assert!(rules(&[config(r#"{"name":"x-1:m.a_B","key":[],"rate":"1/1s"}"#)]).is_ok());
    }

    #[test]
    fn everything_together_is_sound() {
        let all = r#"{"name":"x","key":["peer","identity"],"rate":["20/1s","1000/1h"],"quota":"5000/1d","concurrent":10,
            "hold":"30s","cost":"claim:units","reserve":20,"reserved_for":{"roles":["ops"],"scopes":["fast"],"endpoints":["a"]},
            "except":{"peers":["10.0.0.0/8","2001:db8::/32","192.0.2.1"],"identities":["p"],"roles":["r"],"scopes":["s"]},
            "fallback":{"key":["peer_prefix"],"rate":"500/1s"},"learned":true,"ipv4_prefix":16}"#;
        assert!(rules(&[config(all)]).is_ok());
        let read: Config = serde_json::from_str(&serde_json::to_string(&config(all)).unwrap()).unwrap();
        assert_eq!(read, config(all));
    }
}

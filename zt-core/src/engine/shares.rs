//! How the one number `[state] memory` is split.

use super::Config;
use crate::base::units::Size;
use crate::model::Problem;
use crate::{limit, verify};

/// Parts of 100. Five more are for what is small: the tables' locks, the state itself, allocators' rounding.
const LIMIT: u64 = 40;
const CACHE: u64 = 15;
const REVOCATIONS: u64 = 10;
const PROOFS: u64 = 10;
const RESPOND: u64 = 20;
const REST: u64 = 5;
/// More is a slip of the pen, and would end the process when it is allocated.
const MOST: u64 = 64 << 30;

/// What each module may take.
///
/// A module's own key (`verify.cache.memory`, `verify.revocation_memory`, `verify.replay_memory`) is taken off the whole
/// first; the others share what is left in the proportion of their parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) limit: Size,
    pub(super) verify: verify::Memory,
    /// For the strikes of graded response.
    pub(super) respond: Size,
}

impl Shares {
    pub(super) fn of(config: &Config, problems: &mut Vec<Problem>) -> Self {
        let (verify, whole) = (&config.verify, config.state.memory.bytes().min(MOST));
        let own = [
            ("verify.cache.memory", verify.cache.memory, CACHE),
            ("verify.revocation_memory", verify.revocation_memory, REVOCATIONS),
            ("verify.replay_memory", verify.replay_memory, PROOFS),
        ];
        let said = own.iter().filter_map(|(_, size, _)| *size).map(Size::bytes).fold(0, u64::saturating_add);
        let unsaid = own.iter().filter(|(_, size, _)| size.is_none()).map(|(.., parts)| *parts);
        let parts = unsaid.fold(LIMIT + RESPOND + REST, u64::saturating_add);
        let left = whole.saturating_sub(said);
        let share = |part: u64| {
            let bytes = u128::from(left).saturating_mul(part.into()) / u128::from(parts.max(1));
            u64::try_from(bytes).unwrap_or(u64::MAX)
        };
        let bytes = |part| usize::try_from(share(part)).unwrap_or(usize::MAX);
        let of_limits = config.limit.iter().map(limit::Config::least_memory).fold(0, u64::saturating_add);
        let of_ladders = config.respond.least_memory();
        let of_proofs = if verify.replay_memory.is_none() { verify::Memory::LEAST_PROOFS } else { 0 };
        let needs = [
            (LIMIT, of_limits, "limits (each `rate`, `quota` and `concurrent` takes 16KiB at least)"),
            (RESPOND, of_ladders, "ladders (each takes 16KiB at least, and one more for what persons suspend)"),
            (PROOFS, of_proofs, "used proofs"),
        ];

        if config.state.memory.bytes() > MOST {
            problems.push(Problem::new("state.memory", "more than 64 GiB").mend("write \"64MiB\" or so"));
        } else if said > whole {
            let keys = own.iter().filter(|(_, size, _)| size.is_some()).map(|(key, ..)| format!("`{key}`"));
            let keys = keys.collect::<Vec<_>>().join(", ");
            let problem = Problem::new(
                "state.memory",
                format!("{keys} ask for more than the {} of all", Size::from_bytes(whole)),
            );
            // The least size that leaves the others their shares of what was to be split.
            let all = said.saturating_add(whole).div_ceil(1 << 20);
            problems.push(problem.mend(format!("raise it to \"{all}MiB\", or lower those")));
        } else {
            let least = |(part, bytes, _): &(u64, u64, &str)| bytes.saturating_mul(parts).div_ceil(*part);
            let short = needs.iter().filter(|(part, bytes, _)| share(*part) < *bytes);
            if let Some(least) = short.clone().map(least).max() {
                let whom = short.map(|(part, _, whom)| format!("{} for {whom}", Size::from_bytes(share(*part))));
                let message = format!("too little: it leaves {}", whom.collect::<Vec<_>>().join(", "));
                let least = said.saturating_add(least).div_ceil(1 << 10);
                problems
                    .push(Problem::new("state.memory", message).mend(format!("raise it to \"{least}KiB\" at least")));
            }
        }
        // Who has too little was told so: the modules do not say it again in other words.
        let enough = |part, least: u64| Size::from_bytes(share(part).max(least));
        Self {
            limit: enough(LIMIT, of_limits),
            verify: verify::Memory { cache: bytes(CACHE), revocations: bytes(REVOCATIONS), proofs: bytes(PROOFS) },
            respond: enough(RESPOND, of_ladders),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;

    const MIB: u64 = 1 << 20;

    fn config(memory: &str, verify: &str) -> Config {
        let text = format!(r#"{{"version":1,"state":{{"memory":"{memory}"}},"verify":{verify}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    fn shares(memory: &str, verify: &str) -> (Shares, Vec<Problem>) {
        let mut problems = Vec::new();
        (Shares::of(&config(memory, verify), &mut problems), problems)
    }

    #[test]
    fn a_hundred_parts() {
        let (shares, problems) = shares("100MiB", "{}");
        assert_eq!(problems, []);
        assert_eq!((shares.limit.bytes(), shares.respond.bytes()), (40 * MIB, 20 * MIB));
        let verify = verify::Memory { cache: 15 << 20, revocations: 10 << 20, proofs: 10 << 20 };
        assert_eq!(shares.verify, verify);
        let (default, _) = self::shares("64MiB", "{}");
        assert_eq!(default.verify, verify::Memory::default(), "what is verified without an engine has the same");
    }

    #[test]
    fn what_a_module_says_is_taken_off_first() {
        let (shares, problems) = shares("100MiB", r#"{"cache":{"memory":"15MiB"},"replay_memory":"50MiB"}"#);
        assert_eq!(problems, []);
        // 35 MiB for 75 parts.
        assert_eq!(shares.limit.bytes(), 35 * MIB * 40 / 75);
        let (all, _) = self::shares("1MiB", r#"{"cache":{"memory":"0B"}}"#);
        assert_eq!(all.limit.bytes(), MIB * 40 / 85);
    }

    #[test]
    fn too_little_or_too_much_asked_is_told_with_what_would_do() {
        let verify = r#"{"cache":{"memory":"1MiB"},"revocation_memory":"512KiB"}"#;
        let problem = shares("1MiB", verify).1.remove(0);
        assert_eq!(problem.key, "state.memory");
        assert!(problem.message.contains("`verify.cache.memory`, `verify.revocation_memory`"), "{}", problem.message);
        assert_eq!(problem.mend.as_deref(), Some("raise it to \"3MiB\", or lower those"));
        assert_eq!(shares("3MiB", verify).1, []);
        let problem = shares("100KiB", "{}").1.remove(0);
        assert_eq!(problem.mend.as_deref(), Some("raise it to \"160KiB\" at least"));
        assert_eq!(shares("160KiB", "{}").1, []);
        assert!(Engine::new(&config("100KiB", "{}")).is_err());
    }

    #[test]
    fn too_little_for_limits_and_ladders_is_told_once_with_the_whole_that_would_do() {
        let limits: Vec<String> = (0..10)
            .map(|n| format!(r#"{{"name":"l{n}","key":["peer"],"rate":["1/1s","20/1m"],"quota":"50/1d"}}"#))
            .collect();
        let ladders: Vec<String> =
            (0..9).map(|n| format!(r#"{{"name":"r{n}","subject":"peer","codes":["limit.*"],"flag":3}}"#)).collect();
        let config = |memory: &str, replay: &str, limits: &[String], ladders: &[String]| -> Config {
            let (limits, ladders) = (limits.join(","), ladders.join(","));
            let text = format!(
                r#"{{"version":1,"state":{{"memory":"{memory}"}},"verify":{{{replay}}},"limit":[{limits}],"respond":{{"ladder":[{ladders}]}}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let own = r#""replay_memory":"300KiB""#;
        for (limits, ladders, replay, least) in [
            // 30 counts of 16 KiB are 40 of 100 parts; ten tables of 16 KiB are 20 of them.
            (&limits[..], &[][..], "", "1200KiB"),
            (&[][..], &ladders[..], "", "800KiB"),
            (&limits[..], &ladders[..], "", "1200KiB"),
            // 40 of 90 parts beside what is said.
            (&limits[..], &[][..], own, "1380KiB"),
        ] {
            for little in ["100KiB", "310KiB", "700KiB"] {
                let found = Engine::new(&config(little, replay, limits, ladders)).map(drop).unwrap_err().0;
                let [problem] = found.as_slice() else { panic!("{little} {replay}: {found:?}") };
                assert_eq!(problem.key, "state.memory");
                if replay.is_empty() || little != "100KiB" {
                    assert_eq!(problem.mend, Some(format!("raise it to \"{least}\" at least")), "{little} {replay}");
                }
            }
            assert!(Engine::new(&config(least, replay, limits, ladders)).is_ok(), "{least} {replay}");
        }
    }

    #[test]
    fn more_than_a_machine_has_is_told_before_it_is_asked_for() {
        for (memory, verify) in [
            ("65GiB", "{}"),
            ("150GiB", "{}"),
            ("9223372036854775807B", "{}"),
            ("9223372036854775807B", r#"{"replay_memory":"9223372036854775807B"}"#),
        ] {
            let found = Engine::new(&config(memory, verify)).map(drop).unwrap_err();
            let keys: Vec<_> = found.0.iter().map(|problem| problem.key.as_str()).collect();
            assert!(keys.contains(&"state.memory"), "{memory} {verify}: {keys:?}");
            assert_eq!(keys.iter().filter(|key| **key == "state.memory").count(), 1, "{memory} {verify}: said once");
        }
        assert_eq!(shares("64GiB", "{}").1, []);
    }

    #[test]
    fn any_sizes_are_survived() {
        for memory in ["0B", "1B", "16KiB", "9223372036854775807B"] {
            for verify in
                ["{}", r#"{"replay_memory":"9223372036854775807B","revocation_memory":"9223372036854775807B"}"#]
            {
                shares(memory, verify);
            }
        }
    }
}

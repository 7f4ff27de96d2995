//! What so many strikes call for, and whether anybody can come to it.

use super::LadderConfig;
use crate::model::{Code, Problem, Rung};
use crate::respond::ladder::Ladder;

const MOST_STRIKES: u32 = 1_000_000;

/// Thresholds: there are some, they ascend, and each can be met.
pub(super) fn rungs(config: &LadderConfig, found: &mut Vec<Problem>) {
    let mut below: Option<(Rung, u32)> = None;
    for rung in Rung::ALL {
        let Some(strikes) = config.threshold(rung) else { continue };
        if strikes > MOST_STRIKES {
            let message = format!("{strikes} strikes are never reached");
            found.push(Problem::new(rung.as_str(), message).mend(format!("use {MOST_STRIKES} at most")));
        }
        if let Some((lower, fewer)) = below
            && fewer >= strikes
        {
            let message = format!("`{}` comes at {fewer} already, and is milder", lower.as_str());
            found.push(Problem::new(rung.as_str(), message).mend("let the thresholds ascend"));
        }
        below = Some((rung, strikes));
    }
    if below.is_none() {
        found.push(
            Problem::new("", "the ladder has no rung").mend("give it one of `flag`, `step_up`, `throttle`, `suspend`"),
        );
    }
    if config.step_up.is_some() && config.subject.is_peer() {
        found.push(
            Problem::new("step_up", "an address has nobody who could authenticate again")
                .mend("use `throttle`, or another `subject`"),
        );
    }
    let unused = [
        ("throttled_rate", config.throttled_rate.is_some(), "throttle", config.throttle),
        ("suspend_for", config.suspend_for.is_some(), "suspend", config.suspend),
        ("escalate", config.escalate.is_some(), "suspend", config.suspend),
        ("longest", config.longest.is_some(), "suspend", config.suspend),
        ("forget", config.forget.is_some(), "suspend", config.suspend),
    ];
    for (key, there, rung, threshold) in unused {
        if there && threshold.is_none() {
            let message = format!("nothing uses it: there is no `{rung}`");
            found.push(Problem::new(key, message).mend(format!("add `{rung}`, or remove it")));
        }
    }
}

/// A ladder on which nobody can be struck is a mistake; and lock-out protection: a rung that behaviour alone can never reach.
pub(super) fn reach(config: &LadderConfig, ladder: &Ladder, found: &mut Vec<Problem>) {
    if config.subject.is_peer() || !Code::ALL.iter().any(|code| ladder.counts(*code)) {
        return;
    }
    if !Code::ALL.iter().any(|code| ladder.counts(*code) && code.is_of_the_known()) {
        let message =
            "nobody is known where these are found, a refused credential is nobody's: nothing would be counted";
        let mend = "add codes of known callers, such as `inspect.*` or `policy.*`, or write `subject = \"peer\"`";
        found.push(Problem::new("codes", message).mend(mend));
    } else if config.suspend.is_some() && !ladder.has_proof() {
        let message = "the codes tell of behaviour alone, which suspends no credential, session or identity";
        found.push(
            Problem::new("suspend", message).mend("add codes of what a request is, such as `inspect.*`, or remove it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::compile::tests::problems;

    #[test]
    fn what_nobody_is_known_for_strikes_only_addresses() {
        let ladder = |subject: &str, codes: &str, rung: &str| {
            let found = problems(&format!(r#"[{{"name":"x","subject":"{subject}","codes":{codes},"{rung}":3}}]"#));
            found.into_iter().map(|(key, _)| key.replace("respond.ladder[0].", "")).collect::<Vec<_>>()
        };
        for subject in ["credential", "session", "identity"] {
            // A refused credential is nobody's, and an unknown path is refused before anybody is asked.
            assert_eq!(ladder(subject, r#"["verify.*", "route.unknown_endpoint"]"#, "suspend"), ["codes"], "{subject}");
            assert_eq!(ladder(subject, r#"["verify.bad_signature"]"#, "flag"), ["codes"], "{subject}");
            assert_eq!(ladder(subject, r#"["verify.*", "limit.*"]"#, "suspend"), ["suspend"], "{subject}");
            assert!(ladder(subject, r#"["verify.*", "limit.*"]"#, "throttle").is_empty(), "{subject}");
            assert!(ladder(subject, r#"["verify.*", "policy.forbidden"]"#, "suspend").is_empty(), "{subject}");
            assert!(ladder(subject, r#"["verify.reauthenticate"]"#, "suspend").is_empty(), "{subject}");
        }
        assert!(ladder("peer", r#"["verify.*", "route.*"]"#, "suspend").is_empty());
    }

    #[test]
    fn behaviour_alone_suspends_an_address_and_nobody_else() {
        let ladder = |subject: &str, codes: &str| {
            problems(&format!(r#"[{{"name":"x","subject":"{subject}","codes":{codes},"suspend":3}}]"#))
        };
        for subject in ["credential", "session", "identity"] {
            assert_eq!(ladder(subject, r#"["limit.*"]"#)[0].0, "respond.ladder[0].suspend", "{subject}");
            assert!(ladder(subject, r#"["limit.*", "policy.forbidden"]"#).is_empty(), "{subject}");
        }
        for subject in ["peer", "peer_prefix"] {
            assert!(ladder(subject, r#"["limit.*"]"#).is_empty(), "{subject}");
        }
    }
}

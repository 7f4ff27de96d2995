//! `[[respond.ladder]]`: what is a strike, against whom, and what so many of them call for.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ladder::Ladder;
use super::state::LEAST_BYTES;
use crate::base::near::nearest;
use crate::base::units::{Duration, Rate};
use crate::model::{Code, Mode, Problem, Rung, SubjectKind};

/// `[respond]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Ladders; each is climbed by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<LadderConfig>,
}

impl Config {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.ladder.is_empty()
    }

    /// Bytes that its ladders need at least, and one table more for what persons have suspended.
    pub(crate) fn least_memory(&self) -> u64 {
        let tables = if self.ladder.is_empty() { 0 } else { self.ladder.len().saturating_add(1) };
        (tables as u64).saturating_mul(LEAST_BYTES)
    }
}

/// One `[[respond.ladder]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LadderConfig {
    /// Its name, in reasons and actions: letters, digits and `-_.:/`, at most 64.
    pub name: String,
    /// Whom strikes count against.
    pub subject: SubjectKind,
    /// Which findings are a strike: codes, or `family.*`, which leaves out the steps of well-meaning clients
    /// (`verify.no_credential`, `verify.nonce_required`, `verify.expired`, `verify.reauthenticate`) and what fails here
    /// (`policy.error`).
    pub codes: Vec<String>,
    /// Strikes from which its requests are flagged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<NonZeroU32>,
    /// Strikes from which the end user has to authenticate again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<NonZeroU32>,
    /// Strikes from which its requests are slowed down to `throttled_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<NonZeroU32>,
    /// Strikes at which it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<NonZeroU32>,
    /// How fast strikes are forgiven; `1/1m` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<Rate>,
    /// What passes on the throttle rung; `1/1s` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled_rate: Option<Rate>,
    /// How long the first suspension is; `5m` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend_for: Option<Duration>,
    /// Each later suspension is so many times longer; 4 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<NonZeroU32>,
    /// No suspension is longer; `24h` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<Duration>,
    /// So long after the last suspension the next is a first again; `7d` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget: Option<Duration>,
    /// Whether it acts or only reports.
    #[serde(default)]
    pub mode: Mode,
}

const LONGEST_NAME: usize = 64;
const MOST_STRIKES: u32 = 1_000_000;
/// No time that is kept lies further ahead of its request.
const FARTHEST: Duration = Duration::from_millis(366 * 24 * 3_600_000);

pub(super) fn compile(config: &Config) -> Result<Box<[Ladder]>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut ladders = Vec::with_capacity(config.ladder.len());
    for (at, config) in config.ladder.iter().enumerate() {
        let mut found = Vec::new();
        if !names.insert(config.name.as_str()) {
            let message = format!("a ladder named `{}` is there already", config.name);
            found.push(Problem::new("name", message).mend("name it differently"));
        }
        let codes = codes(&config.codes, &mut found);
        let ladder = Ladder::of(config, codes);
        name(config, &mut found);
        rungs(config, &mut found);
        reach(config, &ladder, &mut found);
        spans(config, &ladder, &mut found);
        ladders.push(ladder);
        problems.extend(found.into_iter().map(|problem| problem.under(&format!("respond.ladder[{at}]"))));
    }
    if problems.is_empty() { Ok(ladders.into()) } else { Err(problems) }
}

fn name(config: &LadderConfig, found: &mut Vec<Problem>) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    if config.name.is_empty() || config.name.len() > LONGEST_NAME || !config.name.bytes().all(allowed) {
        found.push(
            Problem::new("name", "the name goes into logs and must be short and plain")
                .mend("use 1 to 64 letters, digits, `-`, `_`, `.`, `:` or `/`"),
        );
    }
}

/// By code, whether it is a strike.
fn codes(patterns: &[String], found: &mut Vec<Problem>) -> Box<[bool]> {
    let mut strikes = vec![false; Code::ALL.len()];
    if patterns.is_empty() {
        found.push(
            Problem::new("codes", "nothing would be a strike").mend("name codes, or families such as `verify.*`"),
        );
    }
    for (at, pattern) in patterns.iter().enumerate() {
        let key = format!("codes[{at}]");
        let fits = |code: &Code| match pattern.strip_suffix(".*") {
            Some(family) => code.as_str().split_once('.').is_some_and(|(own, _)| own == family) && !code.is_ordinary(),
            None => code.as_str() == pattern,
        };
        if pattern.starts_with("respond.") {
            let message = format!("`{pattern}`: what a ladder does is not a strike, it would never end");
            found.push(Problem::new(key, message).mend("name what led to it"));
            continue;
        }
        if pattern.starts_with("internal.") {
            let message = format!("`{pattern}`: a failure of zt is nobody's strike, and nothing is counted after it");
            found.push(Problem::new(key, message).mend("remove it"));
            continue;
        }
        let mut known = false;
        for (strike, _) in strikes.iter_mut().zip(Code::ALL).filter(|(_, code)| fits(code)) {
            (*strike, known) = (true, true);
        }
        if !known {
            found.push(Problem::new(key, format!("there is no code `{pattern}`")).mend(meant(pattern)));
        }
    }
    strikes.into()
}

/// What to write in place of a code that there is not.
fn meant(pattern: &str) -> String {
    let struck = |code: &&str| !code.starts_with("respond.") && !code.starts_with("internal.");
    let codes: Vec<(&str, &str)> =
        Code::ALL.iter().map(|code| code.as_str()).filter(struck).filter_map(|code| code.split_once('.')).collect();
    let families: BTreeSet<&str> = codes.iter().map(|(family, _)| *family).collect();
    let known = pattern.split_once('.').filter(|(family, _)| families.contains(family));
    let near = match known {
        // Codes of one family are alike by its name already.
        Some((family, name)) => nearest(name, codes.iter().filter(|(of, _)| *of == family).map(|(_, name)| *name))
            .map(|name| format!("{family}.{name}")),
        None => {
            let all = codes.iter().map(|(family, name)| format!("{family}.{name}"));
            let all: Vec<String> = all.chain(families.iter().map(|family| format!("{family}.*"))).collect();
            nearest(pattern, all.iter().map(String::as_str)).map(str::to_owned)
        }
    };
    let families: Vec<String> = families.iter().map(|family| format!("`{family}.*`")).collect();
    near.map_or_else(
        || format!("name a code (`zt codes` lists them), or one of {}", families.join(", ")),
        |near| format!("did you mean `{near}`?"),
    )
}

/// Thresholds: there are some, they ascend, and each can be met.
fn rungs(config: &LadderConfig, found: &mut Vec<Problem>) {
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
fn reach(config: &LadderConfig, ladder: &Ladder, found: &mut Vec<Problem>) {
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

fn spans(config: &LadderConfig, ladder: &Ladder, found: &mut Vec<Problem>) {
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

pub(super) const DECAY: Rate = Rate { count: 1, per: Duration::from_millis(60_000) };
pub(super) const THROTTLED_RATE: Rate = Rate { count: 1, per: Duration::from_millis(1_000) };
pub(super) const SUSPEND_FOR: Duration = Duration::from_millis(5 * 60_000);
pub(super) const ESCALATE: u32 = 4;
pub(super) const LONGEST: Duration = Duration::from_millis(24 * 3_600_000);
pub(super) const FORGET: Duration = Duration::from_millis(7 * 24 * 3_600_000);

impl LadderConfig {
    /// Strikes from which a rung holds.
    pub(super) fn threshold(&self, rung: Rung) -> Option<u32> {
        match rung {
            Rung::Flag => self.flag,
            Rung::StepUp => self.step_up,
            Rung::Throttle => self.throttle,
            Rung::Suspend => self.suspend,
        }
        .map(NonZeroU32::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(ladders: &str) -> Vec<(String, String)> {
        let config: Config = serde_json::from_str(&format!(r#"{{"ladder":{ladders}}}"#)).unwrap();
        let problems = compile(&config).map(drop).err().unwrap_or_default();
        assert!(problems.iter().all(|problem| problem.mend.is_some()), "{problems:?}");
        problems.into_iter().map(|problem| (problem.key, problem.message)).collect()
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let found = problems(
            r#"[
            {"name":"a b","subject":"peer","codes":[],"flag":3,"step_up":2,"suspend":2,"decay":"5000/1s"},
            {"name":"x","subject":"identity","codes":["limit.*","respond.*","verify.nope"],"suspend":2000000,
             "suspend_for":"48h","throttled_rate":"1/1s","forget":"0s"},
            {"name":"x","subject":"session","codes":["inspect.*"],"escalate":2},
            {"name":"y","subject":"session","codes":["inspect.*"],"suspend":100000,"decay":"1/1h","longest":"400d"}
            ]"#,
        );
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "respond.ladder[0].codes",
                "respond.ladder[0].name",
                "respond.ladder[0].step_up",
                "respond.ladder[0].suspend",
                "respond.ladder[0].step_up",
                "respond.ladder[0].decay",
                "respond.ladder[1].codes[1]",
                "respond.ladder[1].codes[2]",
                "respond.ladder[1].suspend",
                "respond.ladder[1].throttled_rate",
                "respond.ladder[1].suspend",
                "respond.ladder[1]",
                "respond.ladder[1].forget",
                "respond.ladder[1].suspend_for",
                "respond.ladder[2].name",
                "respond.ladder[2]",
                "respond.ladder[2].escalate",
                "respond.ladder[3].decay",
                "respond.ladder[3].longest",
            ],
            "{found:?}"
        );
    }

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
    fn a_code_that_is_misspelt_is_told_with_the_one_that_was_meant() {
        let mend = |code: &str| {
            let text = format!(r#"{{"ladder":[{{"name":"x","subject":"peer","codes":["{code}"],"flag":1}}]}}"#);
            let config: Config = serde_json::from_str(&text).unwrap();
            let problems = compile(&config).map(drop).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems[0].mend.clone().unwrap()
        };
        for (code, meant) in [
            ("limit.exceded", "limit.exceeded"),
            ("inspct.*", "inspect.*"),
            ("inspect", "inspect.*"),
            ("inspect.bad_quer", "inspect.bad_query"),
            ("policy.notpermitted", "policy.not_permitted"),
            ("verfy.bad_signature", "verify.bad_signature"),
        ] {
            assert_eq!(mend(code), format!("did you mean `{meant}`?"), "{code}");
        }
        for code in ["verify.zzz", "weather", ""] {
            assert!(
                mend(code).starts_with("name a code (`zt codes` lists them), or one of `inspect.*`, `limit.*`"),
                "{code}"
            );
        }
    }

    #[test]
    fn a_failure_of_ours_is_nobodys_strike() {
        for codes in [r#"["internal.*", "verify.*"]"#, r#"["internal.panic", "verify.*"]"#] {
            let found = problems(&format!(r#"[{{"name":"x","subject":"peer","codes":{codes},"flag":1}}]"#));
            assert_eq!(found[0].0, "respond.ladder[0].codes[0]", "{codes}");
        }
    }

    #[test]
    fn families_leave_out_what_well_meaning_clients_go_through() {
        let config: Config = serde_json::from_str(
            r#"{"ladder":[{"name":"x","subject":"peer","codes":["verify.*","policy.*"],"flag":1},
                {"name":"y","subject":"peer","codes":["verify.expired","policy.error"],"flag":1}]}"#,
        )
        .unwrap();
        let ladders = compile(&config).unwrap();
        // A client that waits for the 401 before it fetches a new token; a policy that fails.
        for code in [Code::VerifyExpired, Code::PolicyError, Code::VerifyNoCredential] {
            assert!(!ladders[0].counts(code), "{code}");
        }
        assert!(ladders[1].counts(Code::VerifyExpired) && ladders[1].counts(Code::PolicyError));
        assert!(ladders[0].counts(Code::VerifyBadSignature) && ladders[0].counts(Code::PolicyForbidden));
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

//! Configuration -> ladders: every mistake at once.

use std::collections::BTreeSet;

use super::codes::codes;
use super::rungs::{reach, rungs};
use super::spans::spans;
use super::{Config, LadderConfig};
use crate::model::Problem;
use crate::respond::ladder::Ladder;

const LONGEST_NAME: usize = 64;

pub(in crate::respond) fn compile(config: &Config) -> Result<Box<[Ladder]>, Vec<Problem>> {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Key and message of each, in order.
    pub(in crate::respond::config) fn problems(ladders: &str) -> Vec<(String, String)> {
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
}

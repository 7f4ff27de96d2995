//! Which codes are a strike.

use std::collections::BTreeSet;

use crate::base::near::nearest;
use crate::model::{Code, Problem};

/// By code, whether it is a strike.
pub(super) fn codes(patterns: &[String], found: &mut Vec<Problem>) -> Box<[bool]> {
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

#[cfg(test)]
mod tests {
    use super::super::compile::tests::problems;
    use super::super::{Config, compile};
    use super::*;

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
                mend(code).starts_with("name a code (`zt codes` lists them), or one of `anomaly.*`, `inspect.*`"),
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
}

//! `zt key`: API keys, made and checked.

use std::io::Read as _;

use serde_json::json;
use zt_core::model::Problem;
use zt_core::verify::{ApiKeyConfig, Config, Secret, Verifier, api_key};

use crate::args::{Key, KeyCheck, KeyCommand, KeyNew, KeySigning};
use crate::configuration::text;
use crate::output::Output;
use crate::signing::PrivateKey;
use crate::{Ending, Failure, whole};

/// More than any key, so that a file given by mistake is not read whole.
const MOST_INPUT: u64 = 4_096;

pub(crate) fn run(arguments: &Key) -> Result<Ending, Failure> {
    match &arguments.command {
        KeyCommand::New(arguments) => new(arguments),
        KeyCommand::Signing(arguments) => signing(arguments),
        KeyCommand::Check(arguments) => check(arguments),
    }
}

/// A key, and the table that knows it.
fn new(arguments: &KeyNew) -> Result<Ending, Failure> {
    let prefix = format!("{}_{}", arguments.prefix, arguments.env);
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Failure(format!("the system gives no randomness: {error}")))?;
    let key = api_key::generate(&prefix, &random).map_err(|_| {
        Failure("`--prefix` and `--env` take lower-case letters and digits, and `_` between words".to_owned())
    })?;
    let pepper = match &arguments.pepper_file {
        Some(path) => Some(Secret::from_file(&text(path)?)),
        None => None,
    };
    let entry = ApiKeyConfig {
        id: arguments.id.clone(),
        sha256: pepper.is_none().then(|| api_key::sha256(&key)),
        hmac_sha256: pepper.as_ref().map(|pepper| api_key::hmac_sha256(pepper, &key)),
        roles: arguments.role.clone(),
        scopes: arguments.scope.clone(),
        networks: arguments.network.clone(),
        expires: arguments.expires.clone(),
    };
    let config = Config {
        api_key: vec![entry.clone()],
        api_key_prefix: Some(prefix.clone()),
        api_key_pepper: pepper,
        ..Config::default()
    };
    Verifier::compile(&config).map_err(|problems| Failure(lines(&problems)))?;

    let mut output = Output::new();
    if arguments.common.json {
        output.json(&json!({"key": key, "api_key_prefix": prefix, "api_key": entry}))?;
    } else {
        output.line("# The key, shown this once; hand it over in a safe way.")?;
        output.line(&key)?;
        output.line("")?;
        output.line(&format!(
            "# For `zt.toml`; write `api_key_prefix = \"{prefix}\"` once in `[verify]`, for all keys."
        ))?;
        table(&entry).iter().try_for_each(|line| output.line(line))?;
    }
    output.finish()?;
    Ok(Ending::Clean)
}

/// A key for bundles: the private half into a file, the public one out.
fn signing(arguments: &KeySigning) -> Result<Ending, Failure> {
    let (key, jwk) = PrivateKey::new()?;
    whole::write_secret(&arguments.out, jwk.as_bytes())?;
    let mut output = Output::new();
    output.line(&key.public())?;
    output.finish()?;
    Ok(Ending::Clean)
}

/// Whether a key has the form; the key itself is never written.
fn check(arguments: &KeyCheck) -> Result<Ending, Failure> {
    let key = match arguments.key.as_deref() {
        Some(key) if key != "-" => key.to_owned(),
        _ => {
            let mut key = String::new();
            let read = std::io::stdin().lock().take(MOST_INPUT).read_to_string(&mut key);
            read.map_err(|error| Failure(format!("cannot read standard input: {error}")))?;
            key.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    let checked = api_key::check(&key);
    let mut output = Output::new();
    match (&checked, arguments.common.json) {
        (Ok(prefix), true) => output.json(&json!({"ok": true, "prefix": prefix}))?,
        (Ok(prefix), false) => output.line(&format!("ok: a key of `{prefix}`; whose it is takes the configuration"))?,
        (Err(why), true) => output.json(&json!({"ok": false, "problem": why.to_string()}))?,
        (Err(why), false) => output.line(&format!("not a key: {why}"))?,
    }
    output.finish()?;
    Ok(if checked.is_ok() { Ending::Clean } else { Ending::Findings })
}

/// The entry as TOML; a JSON string is a TOML string, a JSON list of strings a TOML one.
fn table(entry: &ApiKeyConfig) -> Vec<String> {
    let mut lines = vec!["[[verify.api_key]]".to_owned()];
    lines.push(format!("id = {}", json!(entry.id)));
    let texts = [("sha256", &entry.sha256), ("hmac_sha256", &entry.hmac_sha256), ("expires", &entry.expires)];
    lines.extend(texts.iter().filter_map(|(key, text)| Some(format!("{key} = {}", json!(text.as_ref()?)))));
    let lists = [("roles", &entry.roles), ("scopes", &entry.scopes), ("networks", &entry.networks)];
    lines.extend(
        lists.iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| format!("{key} = {}", json!(list))),
    );
    lines
}

/// Mistakes by the key of the table that they would be in.
fn lines(problems: &[Problem]) -> String {
    let line = |problem: &Problem| {
        let key = problem.key.rsplit('.').next().unwrap_or_default();
        match &problem.mend {
            Some(mend) => format!("`{key}`: {}; {mend}", problem.message),
            None => format!("`{key}`: {}", problem.message),
        }
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

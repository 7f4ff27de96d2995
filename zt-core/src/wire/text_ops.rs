//! Operations on text that has to be compiled: configurations and policies.

#[cfg(feature = "compile")]
pub(super) use compiled::{check, compile, named_files, policy_analyse, policy_diff, policy_evaluate, policy_explain};
#[cfg(not(feature = "compile"))]
pub(super) use {
    refuse as check, refuse as compile, refuse as named_files, refuse as policy_analyse, refuse as policy_diff,
    refuse as policy_evaluate, refuse as policy_explain,
};

#[cfg(feature = "compile")]
mod compiled {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Serialize};

    use crate::engine::{Bundle, Config, Engine, File, Invalid, named_files as named_in};
    use crate::model::Problem;
    use crate::policy::{analysis, raw};
    use crate::wire::ops::input;
    use crate::wire::text;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Configuration {
        config: String,
        #[serde(default)]
        files: Vec<File>,
    }

    #[derive(Serialize)]
    struct Checked {
        ok: bool,
        problems: Vec<Problem>,
        notices: Vec<String>,
        warnings: Vec<analysis::Finding>,
    }

    #[derive(Serialize)]
    struct Compiled<'b> {
        bundle: String,
        version: &'b str,
    }

    /// `{"config": text, "files": [{"name", "text"}]}` -> `{"ok", "problems", "notices", "warnings"}`.
    pub(in crate::wire) fn check(document: &str) -> Result<String, String> {
        let Configuration { config, files } = input(document)?;
        let (problems, notices, warnings) = match Engine::from_toml(&config, &files) {
            Ok(engine) => (Vec::new(), engine.notices(), engine.policy_findings(&read(&config))),
            Err(invalid) => (invalid.0, Vec::new(), Vec::new()),
        };
        text(&Checked { ok: problems.is_empty(), problems, notices, warnings })
    }

    /// `{"config": text, "files": [{"name", "text"}]}` -> `{"bundle": base64, "version"}`.
    pub(in crate::wire) fn compile(document: &str) -> Result<String, String> {
        let Configuration { config, files } = input(document)?;
        let bundle = Bundle::from_toml(&config, &files).map_err(|invalid| invalid.to_string())?;
        text(&Compiled { bundle: STANDARD.encode(bundle.bytes()), version: bundle.version() })
    }

    /// `{"config": text}` -> the names of the files that it wants read.
    pub(in crate::wire) fn named_files(document: &str) -> Result<String, String> {
        let Configuration { config, .. } = input(document)?;
        text(&named_in(&config))
    }

    /// `{"config": text, "files": [...]}` -> `{"findings": [{"kind", "policy", "file", "line", "column", "message", "mend"}]}`.
    pub(in crate::wire) fn policy_analyse(document: &str) -> Result<String, String> {
        let configuration: Configuration = input(document)?;
        let findings = compiled(&configuration)?.policy_findings(&read(&configuration.config));
        text(&serde_json::json!({"findings": findings}))
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Two {
        old: Configuration,
        new: Configuration,
    }

    /// `{"old": {"config", "files"}, "new": {"config", "files"}}` -> `{"changes": [{"turn", "principal", "segments",
    /// "endpoints", "condition"}], "left_out", "redactions": [{"policy", "shown", "hidden"}], "anonymous": [{"endpoint",
    /// "turn"}]}`.
    pub(in crate::wire) fn policy_diff(document: &str) -> Result<String, String> {
        let Two { old, new } = input(document)?;
        let difference = compiled(&old)?.policy_difference(&compiled(&new)?);
        text(&difference.map_err(|invalid| invalid.to_string())?)
    }

    /// A configuration that has compiled can be read.
    fn read(text: &str) -> Config {
        Config::from_toml(text).unwrap_or_default()
    }

    fn compiled(configuration: &Configuration) -> Result<Engine, String> {
        Engine::from_toml(&configuration.config, &configuration.files).map_err(|invalid| invalid.to_string())
    }

    /// Raw Cedar requests, as in the contract.
    pub(in crate::wire) fn policy_evaluate(document: &str) -> Result<String, String> {
        let answers = raw::evaluate(&input(document)?);
        text(&answers.map_err(|problems| Invalid(problems).to_string())?)
    }

    /// The same document -> why each request is answered as it is, and what would have to change.
    pub(in crate::wire) fn policy_explain(document: &str) -> Result<String, String> {
        let explanations = raw::explain(&input(document)?);
        text(&explanations.map_err(|problems| Invalid(problems).to_string())?)
    }
}

/// What an edge build answers.
#[cfg(not(feature = "compile"))]
pub(super) fn refuse(_: &str) -> Result<String, String> {
    Err("this build has no compiler (feature `compile`)".to_owned())
}

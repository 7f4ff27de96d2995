//! Operations on text that has to be compiled: configurations and policies.

#[cfg(feature = "compile")]
pub(super) use compiled::{check, named_files, policy_evaluate, policy_explain};
#[cfg(not(feature = "compile"))]
pub(super) use {refuse as check, refuse as named_files, refuse as policy_evaluate, refuse as policy_explain};

#[cfg(feature = "compile")]
mod compiled {
    use serde::{Deserialize, Serialize};

    use crate::engine::{Engine, File, Invalid, named_files as named_in};
    use crate::model::Problem;
    use crate::policy::raw;
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
    }

    /// `{"config": text, "files": [{"name", "text"}]}` -> `{"ok", "problems", "notices"}`.
    pub(in crate::wire) fn check(document: &str) -> Result<String, String> {
        let Configuration { config, files } = input(document)?;
        let (problems, notices) = match Engine::from_toml(&config, &files) {
            Ok(engine) => (Vec::new(), engine.notices()),
            Err(invalid) => (invalid.0, Vec::new()),
        };
        text(&Checked { ok: problems.is_empty(), problems, notices })
    }

    /// `{"config": text}` -> the names of the files that it wants read.
    pub(in crate::wire) fn named_files(document: &str) -> Result<String, String> {
        let Configuration { config, .. } = input(document)?;
        text(&named_in(&config))
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

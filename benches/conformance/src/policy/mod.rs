//! Conformance of policy evaluation: Cedar's published corpus, random policies, and stacks that are too shallow for Cedar.

mod case;
mod corpus;
mod differential;
mod generate;
mod shallow;

use std::path::Path;

pub(crate) const USAGE: &str = "zt-conformance policy corpus DATA FOLDER | report FOLDER RUNTIME... | random [--seed N] \
                                [--requests N] [--threads N] | shallow";

/// `zt-conformance policy ...`.
///
/// # Errors
/// On any difference.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["corpus", data, folder] => corpus::run(Path::new(data), Path::new(folder)),
        ["report", folder, runtimes @ ..] => corpus::report(Path::new(folder), runtimes),
        ["random", options @ ..] => {
            let option = |name: &str, default: u64| match options.iter().position(|option| *option == name) {
                Some(at) => {
                    options.get(at + 1).and_then(|text| text.parse().ok()).ok_or(format!("{name} takes a number"))
                }
                None => Ok(default),
            };
            let threads = usize::try_from(option("--threads", 2)?).unwrap_or(2);
            differential::report(option("--seed", 20_260_101)?, option("--requests", 1_000_000)?, threads)
        }
        ["shallow"] => shallow::run(),
        _ => Err(USAGE.to_owned()),
    }
}

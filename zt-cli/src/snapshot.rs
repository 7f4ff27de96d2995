//! The state in a file.

use std::fs;
use std::io;
use std::path::Path;

use zt_core::State;

use crate::{Failure, whole};

/// Restores the state from a file; one that does not exist yet is an empty state.
pub(crate) fn restore(path: &Path, state: &State) -> Result<(), Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure(format!("cannot read `{}`: {error}", path.display()))),
    };
    state.restore(&bytes).map_err(|error| Failure(format!("`{}`: {error}", path.display())))
}

/// Saves the state: whole, or not at all.
pub(crate) fn save(path: &Path, state: &State) -> Result<(), Failure> {
    whole::write(path, &state.snapshot())
}

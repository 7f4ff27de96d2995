//! The state in a file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use zt_core::State;

use crate::Failure;

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
    let beside = beside(path);
    let written = write(&beside, &state.snapshot()).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        Failure(format!("cannot write `{}`: {error}", path.display()))
    })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// In the same directory, so that renaming replaces the old file in one step.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

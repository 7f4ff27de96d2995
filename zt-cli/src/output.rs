//! What goes to standard output and standard error.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;

use crate::Failure;

/// Standard output: whole lines, buffered.
pub(crate) struct Output(BufWriter<StdoutLock<'static>>);

impl Output {
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(64 << 10, io::stdout().lock()))
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.0, "{text}").map_err(unwritable)
    }

    /// One line of JSON.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.0, document).map_err(|error| unwritable(error.into()))?;
        self.0.write_all(b"\n").map_err(unwritable)
    }

    /// Everything is out.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.0.flush().map_err(unwritable)
    }
}

/// A message for people, on standard error.
pub(crate) fn tell(message: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "zt: {message}");
}

/// One JSON document on standard error.
pub(crate) fn tell_json(document: &impl Serialize) {
    let text = serde_json::to_string(document).unwrap_or_default();
    let _ = writeln!(io::stderr(), "{text}");
}

fn unwritable(error: io::Error) -> Failure {
    Failure(format!("cannot write standard output: {error}"))
}

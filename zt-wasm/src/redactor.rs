//! What hides members of a JSON response while it streams.

use wasm_bindgen::prelude::*;
use zt_core::respond::{self, STALE_HEADERS};

use crate::{Instance, checked};

/// Hides members of one JSON response, piece by piece.
#[wasm_bindgen]
pub struct Redactor(respond::Redactor);

#[wasm_bindgen]
impl Redactor {
    /// Takes the next piece; what is to be sent of it.
    ///
    /// # Errors
    /// When the body cannot be read.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, JsError> {
        let mut out = Vec::with_capacity(piece.len());
        self.0.push(piece, &mut out)?;
        Ok(out)
    }

    /// Ends the body.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn finish(&self) -> Result<(), JsError> {
        Ok(self.0.finish()?)
    }
}

#[wasm_bindgen]
impl Instance {
    /// What redacts the response with this head; nothing where there is nothing to redact.
    ///
    /// # Errors
    /// When it cannot be redacted, the lines are not `count`, or `decision` is not one.
    pub fn redactor(
        &self,
        decision: &str,
        status: u16,
        lines: &str,
        count: usize,
    ) -> Result<Option<Redactor>, JsError> {
        Ok(checked(self.0.redactor_fields(decision, status, lines, count))?.map(Redactor))
    }
}

/// Headers, in lower case, that no longer hold.
#[wasm_bindgen]
pub fn stale_headers() -> Vec<String> {
    STALE_HEADERS.iter().map(|name| (*name).to_owned()).collect()
}

//! What hides members of a JSON response while it streams.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use zt_core::respond::{self, STALE_HEADERS};

pyo3::create_exception!(
    zt._zt,
    Unredactable,
    PyValueError,
    "The response is to be redacted and cannot be: nothing more of it may be sent."
);

/// Hides members of one JSON response, piece by piece.
#[pyclass(module = "zt._zt")]
pub(crate) struct Redactor(pub(crate) Box<respond::Redactor>);

#[pymethods]
impl Redactor {
    /// Headers, in lower case, that no longer hold.
    #[classattr]
    fn stale_headers(py: Python<'_>) -> PyResult<Py<PyTuple>> {
        Ok(PyTuple::new(py, STALE_HEADERS.iter().map(|name| PyBytes::new(py, name.as_bytes())))?.unbind())
    }

    fn push<'py>(&mut self, py: Python<'py>, piece: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = Vec::with_capacity(piece.len());
        self.0.push(piece, &mut out).map_err(unredactable)?;
        Ok(PyBytes::new(py, &out))
    }

    fn finish(&self) -> PyResult<()> {
        self.0.finish().map_err(unredactable)
    }
}

pub(crate) fn unredactable(why: impl ToString) -> PyErr {
    Unredactable::new_err(why.to_string())
}

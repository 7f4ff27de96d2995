//! Tokens alone: for hosts that route and authorize on their own.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString, PyTuple};
use zt_core::model::{Identity, Millis};
use zt_core::verify;
use zt_core::wire::{self, Instance};

use crate::{clock, decision, instance};

/// Verifies tokens by the `[verify]` part of a configuration.
#[pyclass(frozen, subclass, module = "zt._zt")]
pub(crate) struct Verifier(Box<Instance>);

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(signature = (text, files = Vec::new(), seed = None))]
    fn new(py: Python<'_>, text: &str, files: Vec<(String, String)>, seed: Option<u64>) -> PyResult<Self> {
        instance(py, text, files, seed).map(Self)
    }

    /// Verifies one token; it takes less time than handing the interpreter to another thread and back.
    #[pyo3(signature = (token, now_ms = None))]
    fn verify_token(&self, token: &Bound<'_, PyAny>, now_ms: Option<Millis>) -> PyResult<Verified> {
        let bytes = match token.cast::<PyString>() {
            Ok(text) => text.to_str()?.as_bytes(),
            Err(_) => {
                token.cast::<PyBytes>().map_err(|_| PyTypeError::new_err("expected `str` or `bytes`"))?.as_bytes()
            }
        };
        let found = self.0.verify_token(bytes, now_ms.unwrap_or_else(clock));
        let challenge = self.0.token_challenge(&found);
        Ok(Verified { found, challenge, claims: PyOnceLock::new() })
    }

    /// Replaces the key set of one issuer; a bad set leaves the old in force.
    fn replace_keys(&self, py: Python<'_>, issuer: &str, jwks: &str) -> PyResult<()> {
        py.detach(|| self.0.replace_keys(issuer, jwks)).map_err(PyValueError::new_err)
    }

    /// Revokes what a document given as JSON text is about.
    #[pyo3(signature = (revocation, now_ms = None))]
    fn revoke_json(&self, py: Python<'_>, revocation: &str, now_ms: Option<Millis>) -> PyResult<()> {
        py.detach(|| self.0.revoke(revocation, now_ms.unwrap_or_else(clock))).map_err(PyValueError::new_err)
    }
}

/// What a token proves; what it says is made into Python objects only when it is asked for.
#[pyclass(frozen, module = "zt._zt")]
pub(crate) struct Verified {
    found: verify::Verified,
    challenge: Option<String>,
    claims: PyOnceLock<Py<PyAny>>,
}

#[pymethods]
impl Verified {
    fn __bool__(&self) -> bool {
        self.accepted().is_some()
    }

    #[getter]
    fn principal(&self) -> Option<&str> {
        self.accepted().map(|identity| &*identity.principal)
    }

    #[getter]
    fn roles<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.accepted().map(|identity| &*identity.roles).unwrap_or_default().iter().map(|r| &**r))
    }

    #[getter]
    fn identity<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.accepted().map(|identity| decision::document(py, identity)).transpose()
    }

    #[getter]
    fn claims<'py>(&self, py: Python<'py>) -> PyResult<Option<&Bound<'py, PyAny>>> {
        if self.accepted().is_none() {
            return Ok(None);
        }
        let text = PyBytes::new(py, self.found.claims.json());
        let read = || decision::loads(text.as_any()).map(Bound::unbind);
        self.claims.get_or_try_init(py, read).map(|claims| Some(claims.bind(py)))
    }

    #[getter]
    fn code(&self) -> Option<&'static str> {
        wire::refusal(&self.found).map(|code| code.as_str())
    }

    #[getter]
    fn refresh_wanted(&self) -> Option<&str> {
        self.found.refresh_wanted.as_deref()
    }

    #[getter]
    fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    fn __repr__(&self) -> String {
        format!("<zt.Verified {}>", self.code().unwrap_or("accepted"))
    }
}

impl Verified {
    fn accepted(&self) -> Option<&Identity> {
        wire::accepted(&self.found)
    }
}

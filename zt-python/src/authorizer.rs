//! Policies alone: for hosts that route and verify on their own.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PySequence, PyString, PyTuple};
use zt_core::model::{Identity, Millis};
use zt_core::wire::{self, Asked, Instance};

use crate::{clock, instance};

/// Authorizes by the `[policy]` part of a configuration.
#[pyclass(frozen, subclass, module = "zt._zt")]
pub(crate) struct Policy(Box<Instance>);

#[pymethods]
impl Policy {
    #[new]
    #[pyo3(signature = (text, files = Vec::new()))]
    fn new(py: Python<'_>, text: &str, files: Vec<(String, String)>) -> PyResult<Self> {
        instance(py, text, files, None).map(Self)
    }

    /// Asks whether somebody may use an endpoint.
    #[pyo3(signature = (endpoint, principal = None, roles = None, *, scopes = None, acr = None, issued_at_ms = None, risk = 0.0, now_ms = None))]
    #[expect(clippy::too_many_arguments, reason = "by name in Python")]
    fn authorize(
        &self,
        endpoint: &str,
        principal: Option<&str>,
        roles: Option<&Bound<'_, PyAny>>,
        scopes: Option<&Bound<'_, PyAny>>,
        acr: Option<&str>,
        issued_at_ms: Option<Millis>,
        risk: f64,
        now_ms: Option<Millis>,
    ) -> PyResult<Authorized> {
        let identity = principal.map(|principal| -> PyResult<Identity> {
            let mut identity = Identity::asserted(principal);
            identity.roles = names(roles)?;
            identity.scopes = names(scopes)?;
            identity.assurance.acr = acr.map(Arc::from);
            identity.assurance.issued_at_ms = issued_at_ms;
            Ok(identity)
        });
        let asked = Asked { identity: identity.transpose()?, risk };
        let answer = self.0.authorize(endpoint, &asked, now_ms.unwrap_or_else(clock));
        answer.map(Authorized).map_err(PyValueError::new_err)
    }
}

/// Names in a list or a tuple; a string is not a list of its letters.
fn names(given: Option<&Bound<'_, PyAny>>) -> PyResult<Arc<[Box<str>]>> {
    let name = |name: Bound<'_, PyAny>| name.extract::<&str>().map(Box::from);
    match given {
        None => Ok(Arc::new([])),
        Some(given) => match (given.cast::<PyList>(), given.cast::<PyTuple>()) {
            (Ok(list), _) => list.iter().map(name).collect(),
            (_, Ok(tuple)) => tuple.iter().map(name).collect(),
            _ if given.is_instance_of::<PyString>() => Err(PyTypeError::new_err("a string is not a list of names")),
            // Its own word for its length is not asked for: that could be any.
            _ => given.cast::<PySequence>()?.try_iter()?.map(|found| name(found?)).collect(),
        },
    }
}

/// What policies say.
#[pyclass(frozen, module = "zt._zt")]
pub(crate) struct Authorized(wire::Authorized);

#[pymethods]
impl Authorized {
    fn __bool__(&self) -> bool {
        self.0.allowed()
    }

    #[getter]
    fn allowed(&self) -> bool {
        self.0.allowed()
    }

    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.outcome.as_str()
    }

    #[getter]
    fn policies(&self) -> Vec<String> {
        self.0.policies()
    }

    #[getter]
    fn errors(&self) -> Vec<String> {
        self.0.errors()
    }

    #[getter]
    fn redact(&self) -> Vec<String> {
        self.0.redact()
    }

    fn __repr__(&self) -> String {
        format!("<Authorized {}>", self.0.outcome.as_str())
    }
}

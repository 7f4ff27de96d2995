//! A decision; what it says is made into Python objects only when it is asked for.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use serde::Serialize;
use zt_core::{model, wire};

/// What to do with a request.
#[pyclass(frozen, module = "zt._zt")]
pub(crate) struct Decision(pub(crate) model::Decision);

#[pymethods]
impl Decision {
    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.outcome.as_str()
    }

    #[getter]
    fn status(&self) -> u16 {
        self.0.status
    }

    #[getter]
    fn enforced(&self) -> bool {
        self.0.enforced
    }

    #[getter]
    fn passes(&self) -> bool {
        self.0.passes()
    }

    #[getter]
    fn redacts(&self) -> bool {
        let redact = |obligation: &model::Obligation| matches!(obligation, model::Obligation::Redact { .. });
        self.0.enforced && self.0.obligations.iter().any(redact)
    }

    #[getter]
    fn holds(&self) -> bool {
        !self.0.tickets.is_empty()
    }

    #[getter]
    fn time_ms(&self) -> model::Millis {
        self.0.time_ms
    }

    #[getter]
    fn principal(&self) -> Option<&str> {
        self.0.identity.as_ref().map(|identity| &*identity.principal)
    }

    #[getter]
    fn identity<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.identity.as_ref().map(|identity| document(py, identity)).transpose()
    }

    #[getter]
    fn endpoint<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document(py, &self.0.endpoint)
    }

    #[getter]
    fn risk(&self) -> f64 {
        self.0.risk
    }

    #[getter]
    fn score(&self) -> f64 {
        self.0.score
    }

    #[getter]
    fn scores(&self) -> BTreeMap<&str, f64> {
        self.0.scores.iter().map(|(name, score)| (&**name, *score)).collect()
    }

    #[getter]
    fn codes(&self) -> Vec<&'static str> {
        self.0.reasons.iter().map(|reason| reason.code.as_str()).collect()
    }

    #[getter]
    fn reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document(py, &self.0.reasons)
    }

    #[getter]
    fn obligations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document(py, &self.0.obligations)
    }

    #[getter]
    fn actions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document(py, &self.0.actions)
    }

    #[getter]
    fn response_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let pair = |(name, value): &(_, String)| -> PyResult<_> {
            let name: &std::borrow::Cow<'_, str> = name;
            PyTuple::new(py, [PyBytes::new(py, name.as_bytes()), PyBytes::new(py, value.as_bytes())])
        };
        PyList::new(py, self.0.response_headers.iter().map(pair).collect::<PyResult<Vec<_>>>()?)
    }

    #[getter]
    fn workload<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.workload.as_ref().map(|workload| document(py, workload)).transpose()
    }

    #[getter]
    fn refresh_wanted(&self) -> Vec<&str> {
        self.0.refresh_wanted.iter().map(|issuer| &**issuer).collect()
    }

    #[getter]
    fn policy_version(&self) -> &str {
        &self.0.policy_version
    }

    fn problem<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, wire::problem_document(&self.0).as_bytes())
    }

    fn to_json(&self) -> PyResult<String> {
        json(&self.0)
    }

    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let codes = self.codes().join(", ");
        format!("<zt.Decision {} {} [{codes}]>", self.outcome(), self.0.status)
    }
}

/// A document of the contract as JSON text.
pub(crate) fn json(document: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(document).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A document of the contract as dictionaries and lists.
pub(crate) fn document<'py>(py: Python<'py>, document: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    loads(PyString::new(py, &json(document)?).as_any())
}

/// JSON text, `str` or `bytes`, as dictionaries and lists.
pub(crate) fn loads<'py>(text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(text.py(), "json", "loads")?.call1((text,))
}

//! zt for Python. The hot call reads the host's own objects; everything else is JSON text in, JSON text out, and
//! becomes dictionaries in `zt/__init__.py`.

mod authorizer;
mod convert;
mod decision;
mod redactor;
mod verifier;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use zt_core::engine::File;
use zt_core::model::{Millis, Response, Verdict};
use zt_core::respond::Redaction;
use zt_core::wire::{self, Instance};
use zt_core::{Engine as Core, State};

use authorizer::{Authorized, Policy};
use convert::{Incoming, ip, octets, request_body, scope_request};
use decision::Decision;
use redactor::{Redactor, Unredactable, unredactable};
use verifier::{Verified, Verifier};

/// From this body length on, reading it takes longer than handing the interpreter to another thread and back.
const DETACH_FROM: usize = 8 << 10;

#[pymodule]
fn _zt(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()?;
    module.add_class::<Decision>()?;
    module.add_class::<Redactor>()?;
    module.add("Unredactable", module.py().get_type::<Unredactable>())?;
    module.add_class::<Policy>()?;
    module.add_class::<Authorized>()?;
    module.add_class::<Verifier>()?;
    module.add_class::<Verified>()?;
    module.add_function(wrap_pyfunction!(op_json, module)?)?;
    module.add("OPS", PyTuple::new(module.py(), wire::OPS)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}

/// Runs an operation on a JSON document.
#[pyfunction]
fn op_json(py: Python<'_>, name: &str, document: &str) -> PyResult<String> {
    py.detach(|| wire::op(name, document)).map_err(PyValueError::new_err)
}

/// The interpreter aligns its objects to two words at the most: what asks for more, as a state does, stands in a box.
const fn fits<T>() -> bool {
    align_of::<T>() <= 2 * size_of::<usize>()
}
const _: () = assert!(fits::<Engine>() && fits::<Decision>() && fits::<Redactor>());
const _: () = assert!(fits::<Policy>() && fits::<Authorized>() && fits::<Verifier>() && fits::<Verified>());

/// A compiled configuration and a state.
#[pyclass(frozen, subclass, module = "zt._zt")]
struct Engine(Box<Instance>);

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (text, files = Vec::new(), seed = None, *, bundle = None, key = None))]
    fn new(
        py: Python<'_>,
        text: &str,
        files: Vec<(String, String)>,
        seed: Option<u64>,
        bundle: Option<&[u8]>,
        key: Option<&str>,
    ) -> PyResult<Self> {
        let Some(bundle) = bundle else { return instance(py, text, files, seed).map(Self) };
        let loaded = py.detach(|| Instance::from_bundle(bundle, key, seed.unwrap_or_default()));
        loaded.map(Box::new).map(Self).map_err(PyValueError::new_err)
    }

    /// Puts a bundle in force in place of the engine; the state stays.
    #[pyo3(signature = (bundle, key = None))]
    fn replace_bundle(&self, py: Python<'_>, bundle: &[u8], key: Option<&str>) -> PyResult<()> {
        py.detach(|| self.0.replace_bundle(bundle, key)).map_err(PyValueError::new_err)
    }

    /// Puts a configuration in force in place of the engine; the state stays.
    fn replace_text(&self, py: Python<'_>, text: &str, files: Vec<(String, String)>) -> PyResult<()> {
        py.detach(|| self.0.replace_toml(text, &named(files))).map_err(PyValueError::new_err)
    }

    /// Decides one request given as its parts.
    #[pyo3(signature = (method, raw_target, headers, body = None, peer = None, *, now = None, id = None, scheme = None,
                        host = None, http_version = None, body_len = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn decide<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyAny>,
        raw_target: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        body: Option<Bound<'py, PyBytes>>,
        peer: Option<&str>,
        now: Option<Millis>,
        id: Option<String>,
        scheme: Option<&Bound<'py, PyAny>>,
        host: Option<&Bound<'py, PyAny>>,
        http_version: Option<&Bound<'py, PyAny>>,
        body_len: Option<u64>,
    ) -> PyResult<Decision> {
        let (path, query) = convert::target(raw_target)?;
        let incoming = Incoming {
            id,
            method: octets(method)?,
            path,
            query,
            scheme: scheme.map(octets).transpose()?,
            host: host.map(octets).transpose()?,
            http_version: http_version.map(octets).transpose()?,
            headers: convert::headers(headers)?,
            body,
            body_len,
            ip: peer.map(ip).transpose()?,
        };
        self.run(py, &incoming, now)
    }

    /// Decides the request of an ASGI connection scope.
    #[pyo3(signature = (scope, body = None, now = None, *, body_len = None))]
    fn decide_asgi<'py>(
        &self,
        py: Python<'py>,
        scope: &Bound<'py, PyDict>,
        body: Option<Bound<'py, PyBytes>>,
        now: Option<Millis>,
        body_len: Option<u64>,
    ) -> PyResult<Decision> {
        self.run(py, &scope_request(scope, body, body_len)?, now)
    }

    /// Observes the response to a request that was decided; a response decision as JSON text.
    #[pyo3(signature = (decision, status, headers = None, body = None, now = None, *, body_len = None, latency_ms = None, cost = None, verdict = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn observe_json<'py>(
        &self,
        decision: &Decision,
        status: u16,
        headers: Option<&Bound<'py, PyAny>>,
        body: Option<Bound<'py, PyBytes>>,
        now: Option<Millis>,
        body_len: Option<u64>,
        latency_ms: Option<f64>,
        cost: Option<u32>,
        verdict: Option<&str>,
    ) -> PyResult<String> {
        let headers = headers.map(convert::headers).transpose()?.unwrap_or_default();
        let headers = headers.iter().map(|(name, value)| (name.text(), value.text())).collect();
        let (body, body_len) = request_body(body.as_ref(), body_len);
        let verdict = verdict.map(Verdict::of_name).transpose().map_err(PyValueError::new_err)?;
        let response = Response { status, headers, body, body_len, latency_ms, cost, verdict };
        let observed = self.0.engine().observe(self.0.state(), &decision.0, &response, now.unwrap_or_else(clock));
        decision::json(&observed)
    }

    /// What redacts the response with this head; `None` where there is nothing to redact.
    #[pyo3(signature = (decision, status, headers = None))]
    fn redactor(
        &self,
        decision: &Decision,
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<Redactor>> {
        let headers = headers.map(convert::headers).transpose()?.unwrap_or_default();
        let headers = headers.iter().map(|(name, value)| (name.text(), value.text())).collect();
        match self.0.engine().redactor(&decision.0, &Response { status, headers, ..Response::default() }) {
            Redaction::None => Ok(None),
            Redaction::Stream(redactor) => Ok(Some(Redactor(redactor))),
            Redaction::Refuse(why) => Err(unredactable(why)),
        }
    }

    /// Decides an event given as JSON text.
    fn decide_event_json(&self, py: Python<'_>, event: &str) -> PyResult<String> {
        py.detach(|| self.0.decide_event(event)).map_err(PyValueError::new_err)
    }

    /// Explains the decision about an event given as JSON text.
    fn explain_event_json(&self, py: Python<'_>, event: &str) -> PyResult<String> {
        py.detach(|| self.0.explain_event(event)).map_err(PyValueError::new_err)
    }

    /// Observes the response of an event given as JSON text, with its decision.
    fn observe_event_json(&self, py: Python<'_>, event: &str, decision: &str) -> PyResult<String> {
        py.detach(|| self.0.observe_event(event, decision)).map_err(PyValueError::new_err)
    }

    /// Starts the decision log as a document given as JSON text says.
    fn log_start_json(&self, py: Python<'_>, options: &str) -> PyResult<()> {
        py.detach(|| self.0.log_start(options)).map_err(PyValueError::new_err)
    }

    /// The line of the log for an event and its decision, given as JSON text.
    fn log_record_json(&self, py: Python<'_>, event: &str, decision: &str) -> PyResult<String> {
        py.detach(|| self.0.log_record(event, decision)).map_err(PyValueError::new_err)
    }

    /// Decides an event given as JSON text: the decision and its line of the log, as JSON text.
    #[pyo3(signature = (event, *, timings = false))]
    fn decide_logged_json(&self, py: Python<'_>, event: &str, timings: bool) -> PyResult<String> {
        let started = Instant::now();
        let clock = || u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        py.detach(|| self.0.decide_logged(event, timings.then_some(clock))).map_err(PyValueError::new_err)
    }

    /// The state as versioned, checksummed bytes.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.0.snapshot()))
    }

    /// Replaces the state by a snapshot.
    fn restore(&self, py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
        py.detach(|| self.0.restore(snapshot)).map_err(PyValueError::new_err)
    }

    /// What has changed since an epoch that an earlier delta gave, and the epoch to ask since next.
    #[pyo3(signature = (epoch = 0))]
    fn delta_since<'py>(&self, py: Python<'py>, epoch: u64) -> (Bound<'py, PyBytes>, u64) {
        let delta = py.detach(|| self.0.delta_since(epoch));
        (PyBytes::new(py, &delta.bytes), delta.epoch)
    }

    /// What the state holds and had to give up, as JSON text.
    fn state_report_json(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.0.state_report()).map_err(PyValueError::new_err)
    }

    /// Joins a snapshot or a delta with the state.
    fn merge(&self, py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
        py.detach(|| self.0.merge(snapshot)).map_err(PyValueError::new_err)
    }

    /// Revokes what a document given as JSON text is about.
    #[pyo3(signature = (revocation, now = None))]
    fn revoke_json(&self, py: Python<'_>, revocation: &str, now: Option<Millis>) -> PyResult<()> {
        py.detach(|| self.0.revoke(revocation, now.unwrap_or_else(clock))).map_err(PyValueError::new_err)
    }

    /// Suspends whom a document given as JSON text names.
    #[pyo3(signature = (suspension, now = None))]
    fn suspend_json(&self, py: Python<'_>, suspension: &str, now: Option<Millis>) -> PyResult<String> {
        py.detach(|| self.0.suspend(suspension, now.unwrap_or_else(clock))).map_err(PyValueError::new_err)
    }

    /// Frees whom a document given as JSON text names.
    #[pyo3(signature = (suspension, now = None))]
    fn unsuspend_json(&self, py: Python<'_>, suspension: &str, now: Option<Millis>) -> PyResult<String> {
        py.detach(|| self.0.unsuspend(suspension, now.unwrap_or_else(clock))).map_err(PyValueError::new_err)
    }

    /// Receives a Security Event Token; the answer as JSON text.
    #[pyo3(signature = (token, now = None))]
    fn receive_json(&self, py: Python<'_>, token: &[u8], now: Option<Millis>) -> PyResult<String> {
        py.detach(|| self.0.receive(token, now.unwrap_or_else(clock))).map_err(PyValueError::new_err)
    }

    /// Replaces the key set of one issuer; a bad set leaves the old in force.
    fn replace_keys(&self, py: Python<'_>, issuer: &str, jwks: &str) -> PyResult<()> {
        py.detach(|| self.0.replace_keys(issuer, jwks)).map_err(PyValueError::new_err)
    }

    /// The longest body, in bytes, that the host has to read.
    #[getter]
    fn body_limit(&self) -> usize {
        self.0.engine().body_limit()
    }

    /// Prefix of the configuration's SHA-256.
    #[getter]
    fn version(&self) -> String {
        self.0.engine().version().to_owned()
    }

    /// What is worth knowing about the configuration.
    #[getter]
    fn notices(&self) -> Vec<String> {
        self.0.engine().notices()
    }
}

impl Engine {
    fn run(&self, py: Python<'_>, incoming: &Incoming<'_>, now: Option<Millis>) -> PyResult<Decision> {
        let request = incoming.request();
        let now = now.unwrap_or_else(clock);
        let long = request.body.as_ref().is_some_and(|body| body.bytes().len() >= DETACH_FROM);
        let decide = || wire::decide_or_refuse(&self.0.engine(), self.0.state(), &request, now);
        Ok(Decision(if long { py.detach(decide) } else { decide() }))
    }
}

/// Compiles a configuration and the files it names.
fn instance(py: Python<'_>, text: &str, files: Vec<(String, String)>, seed: Option<u64>) -> PyResult<Box<Instance>> {
    py.detach(|| {
        let core =
            Core::from_toml(text, &named(files)).map_err(|invalid| PyValueError::new_err(invalid.to_string()))?;
        let state = seed.map_or_else(|| State::new(&core), |seed| State::with_seed(&core, seed));
        Ok(Box::new(Instance::new(Arc::new(core), state)))
    })
}

fn named(files: Vec<(String, String)>) -> Vec<File> {
    files.into_iter().map(|(name, text)| File { name, text }).collect()
}

fn clock() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

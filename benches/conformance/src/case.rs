//! One case.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What must be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expect {
    Accept,
    Reject,
    Either,
    /// Whatever Rust answers; written down as that.
    #[serde(skip)]
    AsRust,
}

/// An operation on a document, and what must be answered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Case {
    pub(crate) suite: String,
    pub(crate) id: String,
    pub(crate) op: &'static str,
    pub(crate) document: Value,
    pub(crate) expect: Expect,
    /// Why it is refused although its suite calls it valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliberate: Option<&'static str>,
}

impl Case {
    pub(crate) fn new(suite: &str, id: impl ToString, op: &'static str, document: Value, expect: Expect) -> Self {
        let id = id.to_string();
        let deliberate = crate::deliberate::reason(suite, &id).filter(|_| expect == Expect::Accept);
        let expect = if deliberate.is_some() { Expect::Reject } else { expect };
        Self { suite: suite.to_owned(), id, op, document, expect, deliberate }
    }
}

/// The document of a request with this bearer token.
pub(crate) fn bearer(token: &str, config: &Value, time_ms: i64) -> Value {
    let headers = [["Authorization", &format!("Bearer {token}")]];
    json!({"request": {"method": "GET", "path": "/", "headers": headers}, "time_ms": time_ms, "config": config})
}

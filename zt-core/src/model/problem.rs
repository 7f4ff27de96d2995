//! What is wrong with a configuration, and how to mend it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One mistake in a configuration or in a document it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The key, as in `verify.issuer[0].jwks`; empty when the text itself cannot be read.
    pub key: String,
    /// The document, when it is not `zt.toml` itself (a policy file, an OpenAPI document).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in that document, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in that line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Problem {
    /// A mistake under this key.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), file: None, line: None, column: None, message: message.into(), mend: None }
    }

    /// With what to write instead.
    pub fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// In another document, at this line and column (from 1) when known.
    pub fn at(mut self, file: Option<String>, line: Option<u32>, column: Option<u32>) -> Self {
        (self.file, self.line, self.column) = (file, line, column);
        self
    }

    /// The same mistake seen from an enclosing table.
    pub fn under(mut self, table: &str) -> Self {
        self.key = match self.key.as_str() {
            "" => table.to_owned(),
            key => format!("{table}.{key}"),
        };
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file.as_deref().unwrap_or("zt.toml"))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        match self.key.as_str() {
            "" => write!(f, ": {}", self.message)?,
            key => write!(f, ": `{key}`: {}", self.message)?,
        }
        match &self.mend {
            Some(mend) => write!(f, "; {mend}"),
            None => Ok(()),
        }
    }
}

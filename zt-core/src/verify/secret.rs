//! Secrets of the configuration.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The shortest secret that is accepted, bytes: 128 bits, if they are random.
pub(super) const LEAST_SECRET_BYTES: usize = 16;

/// A secret in the configuration. Its [`Debug`](fmt::Debug) form does not show it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text of a file that holds a secret on one line: without the line break at its end.
    pub fn from_file(text: &str) -> Self {
        let line = text.strip_suffix('\n').unwrap_or(text);
        Self(line.strip_suffix('\r').unwrap_or(line).to_owned())
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "Secret(..)");
        assert_eq!(Secret::from_file("hunter2\r\n").expose(), "hunter2");
        assert_eq!(Secret::from_file("hunter2 \n\n").expose(), "hunter2 \n");
    }
}

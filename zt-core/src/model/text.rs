//! Bytes that JSON carries as strings.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a header, path or query.
///
/// In JSON: when every character is at most U+00FF each one is a byte (latin-1, as HTTP sends them), else the
/// string is UTF-8. Writing picks the form that reads back to the same bytes.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text<'a>(Cow<'a, [u8]>);

impl<'a> Text<'a> {
    /// Borrows the bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }

    /// The bytes as received.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as a string, when they are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The same bytes, owned.
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the contract's string form.
    pub fn from_json_str(string: &str) -> Text<'static> {
        if string.is_ascii() {
            return Text(Cow::Owned(string.as_bytes().to_vec()));
        }
        let latin1: Result<Vec<u8>, _> = string.chars().map(|c| u8::try_from(u32::from(c))).collect();
        Text(Cow::Owned(latin1.unwrap_or_else(|_| string.as_bytes().to_vec())))
    }

    /// The contract's string form.
    pub fn to_json_str(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.0) {
            Ok(s) if s.is_ascii() || s.chars().any(|c| u32::from(c) > 0xff) => Cow::Borrowed(s),
            _ => Cow::Owned(self.0.iter().map(|&b| char::from(b)).collect()),
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(s: &'a str) -> Self {
        Self(Cow::Borrowed(s.as_bytes()))
    }
}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Text<'static> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Cow::Owned(bytes))
    }
}

impl From<String> for Text<'static> {
    fn from(s: String) -> Self {
        Self(Cow::Owned(s.into_bytes()))
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_json_str(), f)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_json_str())
    }
}

impl<'de> Deserialize<'de> for Text<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let s = Cow::<str>::deserialize(deserializer)?;
        Ok(Text::from_json_str(&s))
    }
}

impl JsonSchema for Text<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Bytes: latin-1 when every character is at most U+00FF, else UTF-8."
        })
    }
}

/// Bytes of a body: a JSON string when they are UTF-8, else `{"base64": "..."}`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body<'a>(Cow<'a, [u8]>);

impl<'a> Body<'a> {
    /// Borrows the bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }

    /// The bytes as received (possibly cut by the host; see `body_len`).
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same bytes, owned.
    pub fn into_owned(self) -> Body<'static> {
        Body(Cow::Owned(self.0.into_owned()))
    }
}

impl From<Vec<u8>> for Body<'static> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Cow::Owned(bytes))
    }
}

impl fmt::Debug for Body<'_> {
    /// Length only: a body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(s) => serializer.serialize_str(s),
            Err(_) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &STANDARD.encode(&self.0))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Body<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a string or {\"base64\": \"...\"}")]
        enum Form {
            Text(String),
            Base64 { base64: String },
        }
        Ok(Body(Cow::Owned(match Form::deserialize(deserializer)? {
            Form::Text(s) => s.into_bytes(),
            Form::Base64 { base64 } => {
                STANDARD.decode(base64).map_err(|e| D::Error::custom(format_args!("body base64: {e}")))?
            }
        })))
    }
}

impl JsonSchema for Body<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Body".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A string when the bytes are UTF-8, else base64.",
            "oneOf": [
                {"type": "string"},
                {"type": "object", "required": ["base64"], "properties": {"base64": {"type": "string"}}, "additionalProperties": false}
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips_any_bytes(bytes: Vec<u8>) {
            let text = Text::from(bytes.clone());
            let json = serde_json::to_string(&text).unwrap();
            let back: Text = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.bytes(), &bytes[..]);
        }

        #[test]
        fn body_round_trips_any_bytes(bytes: Vec<u8>) {
            let json = serde_json::to_string(&Body::from(bytes.clone())).unwrap();
            let back: Body = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.bytes(), &bytes[..]);
        }
    }

    #[test]
    fn a_character_above_latin1_means_utf8() {
        assert_eq!(Text::from_json_str("é").bytes(), [0xe9]);
        assert_eq!(Text::from_json_str("é→").bytes(), "é→".as_bytes());
    }
}

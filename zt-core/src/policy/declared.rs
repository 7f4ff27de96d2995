//! Attributes of the request context that the configuration declares beside the fixed ones.
//!
//! Where a policy mentions one, its value is read from the request before policies are asked. A value that is not there,
//! is there twice, is too long, or is not of the declared type is *absent*: `context has name` is then false.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::{Set, Value};

/// Longest text of one value, bytes; a longer one is absent.
const TEXT_MAX: usize = 4_096;

/// An attribute of the request context: `[[policy.context]]`. It comes from exactly one of `claim`, `variable`, `header`
/// and `query`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributeConfig {
    /// Its name: `context.<name>`.
    pub name: String,
    /// A top-level claim of the caller's verified token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// A variable of the endpoint's path template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// A header, which must stand once. It is the client's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// A parameter of the query, which must stand once. It is the client's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Its type; anything else is absent.
    #[serde(rename = "type")]
    pub ty: AttributeType,
}

/// Type of a declared attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AttributeType {
    /// Text of at most 4 KiB.
    #[default]
    String,
    /// A whole number of 64 bits: `-?(0|[1-9][0-9]*)`.
    Long,
    /// `true` or `false`.
    Bool,
    /// A set of strings; of a claim only.
    Strings,
}

/// Where the value of an attribute is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeSource {
    /// A claim of the verified token.
    Claim(Box<str>),
    /// A variable of the path template.
    Variable(Box<str>),
    /// A header, in lower case.
    Header(Box<str>),
    /// A parameter of the query.
    Query(Box<str>),
}

/// What policies mention and so must be read before they are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// One for each declared attribute, in order; nothing for one that no policy mentions.
    pub declared: Vec<Option<(AttributeSource, AttributeType)>>,
    /// `context.tenant`.
    pub tenant: bool,
    /// `context.client_id`.
    pub client_id: bool,
}

/// The value of a declared attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// Text.
    String(Cow<'a, str>),
    /// A whole number.
    Long(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A set of strings.
    Strings(Box<[Box<str>]>),
}

impl AttributeType {
    /// The value that a text stands for, if it is one of this type.
    ///
    /// ```
    /// use zt_core::policy::{Attribute, AttributeType};
    ///
    /// assert_eq!(AttributeType::Long.read("42".into()), Some(Attribute::Long(42)));
    /// assert_eq!(AttributeType::Long.read("042".into()), None);
    /// ```
    pub fn read(self, text: Cow<'_, str>) -> Option<Attribute<'_>> {
        match self {
            Self::String => (text.len() <= TEXT_MAX).then_some(Attribute::String(text)),
            Self::Long => whole(&text).map(Attribute::Long),
            Self::Bool => text.parse().ok().map(Attribute::Bool),
            Self::Strings => None,
        }
    }
}

impl Attribute<'_> {
    pub(crate) fn borrow(&self) -> Value<'_> {
        match self {
            Self::String(text) => Value::Str(text),
            Self::Long(n) => Value::Long(*n),
            Self::Bool(b) => Value::Bool(*b),
            Self::Strings(members) => Value::Set(Set::Strings(members)),
        }
    }
}

/// One text for each number: what another reader may take for a number in another way is none.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain && text != "-0" { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_of_another_type_is_absent() {
        for text in ["", "-", "-0", "00", "01", "+1", "1.0", "1e3", " 1", "1 ", "0x1", "\u{661}", "9223372036854775808"]
        {
            assert_eq!(AttributeType::Long.read(text.into()), None, "{text}");
        }
        assert_eq!(AttributeType::Long.read("-9223372036854775808".into()), Some(Attribute::Long(i64::MIN)));
        for text in ["", "True", "1", "yes", " true"] {
            assert_eq!(AttributeType::Bool.read(text.into()), None, "{text}");
        }
        assert_eq!(AttributeType::Bool.read("false".into()), Some(Attribute::Bool(false)));
        assert_eq!(AttributeType::Strings.read("a".into()), None);
        let long = "x".repeat(TEXT_MAX);
        assert!(AttributeType::String.read((&*long).into()).is_some());
        assert_eq!(AttributeType::String.read(format!("{long}x").into()), None);
    }

    proptest! {
        #[test]
        fn numbers_read_as_they_are_written(n: i64, text in "[-+0-9]{0,4}") {
            prop_assert_eq!(AttributeType::Long.read(n.to_string().into()), Some(Attribute::Long(n)));
            if let Some(Attribute::Long(read)) = AttributeType::Long.read((&*text).into()) {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}

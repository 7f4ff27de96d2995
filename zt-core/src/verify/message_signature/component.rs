//! What a signature may cover (RFC 9421, section 2).

use sfv::BareItemFromInput;

use super::structured::Named;
use super::{Refusal, malformed};

/// A component of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Component {
    Method,
    TargetUri,
    Authority,
    Scheme,
    RequestTarget,
    Path,
    Query,
    /// One query parameter, by its encoded name.
    QueryParam(Box<str>),
    /// A header field.
    Field(Box<str>, Form),
}

/// In which form a field's value is covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Its lines combined (section 2.1).
    Combined,
    /// As a structured field in canonical form (`sf`, section 2.1.1).
    Canonical,
    /// One member of a dictionary (`key`, section 2.1.2).
    Member(Box<str>),
    /// Each line as a byte sequence (`bs`, section 2.1.3).
    Wrapped,
}

impl Component {
    /// Reads a component identifier. Those of responses, of the request behind a response (`req`) and of trailers (`tr`)
    /// have no place here.
    pub(super) fn read(named: &Named<'_>) -> Result<Self, Refusal> {
        let name = named.name();
        let derived = match name {
            "@method" => Self::Method,
            "@target-uri" => Self::TargetUri,
            "@authority" => Self::Authority,
            "@scheme" => Self::Scheme,
            "@request-target" => Self::RequestTarget,
            "@path" => Self::Path,
            "@query" => Self::Query,
            "@query-param" => return Self::query_param(named),
            _ if is_field_name(name) => return Self::field(named),
            _ => return Err(malformed("covers a component that requests do not have")),
        };
        match named.parameters.iter().next() {
            None => Ok(derived),
            Some(_) => Err(malformed("a component has a parameter that is not for it")),
        }
    }

    fn query_param(named: &Named<'_>) -> Result<Self, Refusal> {
        let mut parameters = named.parameters.iter();
        match (parameters.next(), parameters.next()) {
            (Some(("name", BareItemFromInput::String(name))), None) => Ok(Self::QueryParam(name.as_str().into())),
            _ => Err(malformed("`@query-param` asks for a `name` and nothing else")),
        }
    }

    fn field(named: &Named<'_>) -> Result<Self, Refusal> {
        let (mut strict, mut wrapped, mut member) = (false, false, None);
        for (key, value) in named.parameters.iter() {
            match (key, value) {
                ("sf", BareItemFromInput::Boolean(true)) => strict = true,
                ("bs", BareItemFromInput::Boolean(true)) => wrapped = true,
                ("key", BareItemFromInput::String(key)) => member = Some(key.as_str()),
                _ => return Err(malformed("a component has a parameter that is not for it")),
            }
        }
        let form = match (wrapped, strict, member) {
            (false, false, None) => Form::Combined,
            (false, true, None) => Form::Canonical,
            // A member is in canonical form anyway.
            (false, _, Some(key)) => Form::Member(key.into()),
            (true, false, None) => Form::Wrapped,
            (true, ..) => return Err(malformed("`bs` contradicts `sf` and `key`")),
        };
        Ok(Self::Field(named.name().into(), form))
    }

    /// Whether whoever covers this covers the other too: a whole field counts in any form.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field(name, Form::Canonical | Form::Wrapped), Self::Field(wanted, Form::Combined)) => name == wanted,
            _ => self == other,
        }
    }

    /// Whether it is this field, or a part of it.
    pub(super) fn is_of_field(&self, name: &str) -> bool {
        matches!(self, Self::Field(field, _) if **field == *name)
    }
}

/// A field name in lower case (RFC 9110, section 5.1).
fn is_field_name(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token)
}

//! The leaves of a request: every value that the client chose, with where it stands and its name, decoded once.
//!
//! Nothing is built and nothing refused: a leaf is handed to a visitor as it is found, whatever else is wrong with the
//! text around it. What is broken JSON is read as far as it goes, and behind that [tolerantly](loose).

mod cookie;
mod form;
mod json;
mod loose;
mod multipart;

pub use cookie::cookies;
pub use form::form;
pub use json::json;
pub use loose::loose;
pub use multipart::multipart;

use super::json::Limits;
use super::media_type::{Kind, MediaType};

/// Where a leaf stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A variable of the path.
    Path,
    /// The query.
    Query,
    /// A form in the body.
    Form,
    /// A JSON text in the body; named by its path, as in `$.items[].qty`.
    Json,
    /// A part of a multipart body.
    Part,
    /// A body that is one text.
    Text,
    /// A cookie.
    Cookie,
    /// A header line; named in lower case.
    Header,
}

impl Place {
    /// For people: "query parameter".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path variable",
            Self::Query => "query parameter",
            Self::Form => "form field",
            Self::Json => "json value",
            Self::Part => "multipart field",
            Self::Text => "body",
            Self::Cookie => "cookie",
            Self::Header => "header",
        }
    }
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<'l> {
    /// Where it stands.
    pub place: Place,
    /// Its name, decoded.
    pub name: &'l [u8],
    /// The value, decoded once: percent-encoding of a query or form, escapes of a JSON string.
    pub value: &'l [u8],
}

/// The leaves of a body, by its `Content-Type`; none where it is compressed, or of a type that holds no text.
pub fn body(content_type: Option<&[u8]>, bytes: &[u8], limits: &Limits, visit: &mut impl FnMut(Leaf<'_>)) {
    let media_type = content_type.and_then(MediaType::parse);
    let (kind, boundary) = media_type.map_or((Kind::Other, None), |found| (found.kind, found.boundary));
    match kind {
        Kind::Json => json(bytes, limits, visit),
        Kind::JsonLines => bytes.split(|byte| *byte == b'\n').for_each(|line| json(line, limits, visit)),
        Kind::JsonSequence => bytes.split(|byte| *byte == 0x1E).for_each(|text| json(text, limits, visit)),
        Kind::Multipart => multipart(boundary.unwrap_or_default(), bytes, visit),
        Kind::Form => form(Place::Form, bytes, visit),
        // Some servers read it as JSON whatever its type says.
        Kind::PlainText | Kind::Other if matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) => {
            json(bytes, limits, visit);
        }
        Kind::PlainText | Kind::Other if std::str::from_utf8(bytes).is_ok() && !bytes.is_empty() => {
            visit(Leaf { place: Place::Text, name: b"", value: bytes });
        }
        Kind::PlainText | Kind::Other => {}
    }
}

#[cfg(test)]
mod tests;

//! A document that a configuration names or holds.

/// Text that a configuration names or holds: an OpenAPI document, Cedar policies.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Its key, as in `openapi[0]` or `policy.text`.
    pub key: String,
    /// The file's name, when it is one.
    pub name: Option<&'a str>,
    /// The text.
    pub text: &'a str,
}

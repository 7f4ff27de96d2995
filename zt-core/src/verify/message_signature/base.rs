//! The signature base: what is signed (RFC 9421, section 2.5).

use super::component::Component;
use super::structured::Labelled;
use super::{Refusal, derived, field, malformed};
use crate::model::Request;

/// The longest base.
const MAX_BYTES: usize = 64 << 10;

/// Writes the signature base for these components of a request, which were read from this input.
pub(super) fn base(input: &Labelled<'_>, components: &[Component], request: &Request<'_>) -> Result<String, Refusal> {
    let mut base = String::with_capacity(512);
    let mut parameters = String::with_capacity(256);
    parameters.push('(');
    for (named, component) in input.items.iter().zip(components) {
        let from = base.len();
        named.write(&mut base);
        if parameters.len() > 1 {
            parameters.push(' ');
        }
        parameters.push_str(base.get(from..).unwrap_or_default());
        base.push_str(": ");
        match component {
            Component::Field(name, form) => field::write(&mut base, name, form, request)?,
            derived => derived::write(&mut base, derived, request)?,
        }
        base.push('\n');
        if base.len() > MAX_BYTES {
            return Err(malformed("what is covered is longer than 64 KiB"));
        }
    }
    parameters.push(')');
    input.parameters.write(&mut parameters);
    base.push_str("\"@signature-params\": ");
    base.push_str(&parameters);
    Ok(base)
}

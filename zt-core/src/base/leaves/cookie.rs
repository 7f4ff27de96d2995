//! The `Cookie` header (RFC 6265, section 5.4).

use super::{Leaf, Place};

/// Each `name=value`; one without `=` is a value without a name.
pub fn cookies(header: &[u8], visit: &mut impl FnMut(Leaf<'_>)) {
    for pair in header.split(|byte| *byte == b';') {
        let pair = pair.trim_ascii();
        let (name, value) = match memchr::memchr(b'=', pair) {
            Some(at) => (pair.get(..at), pair.get(at.saturating_add(1)..)),
            None => (None, Some(pair)),
        };
        let (name, value) = (name.unwrap_or_default().trim_ascii(), value.unwrap_or_default().trim_ascii());
        if !pair.is_empty() {
            visit(Leaf { place: Place::Cookie, name, value });
        }
    }
}

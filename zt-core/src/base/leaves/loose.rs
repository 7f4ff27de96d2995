//! What was meant to be JSON and is not: a missing quote, a `;` for a `,`.

use super::{Leaf, Place};

/// Each value under the last name with a `~` in front. A name is a text in quotes that no colon comes before; since a quote
/// may be missing, what is between two quotes is a text wherever it does not begin with a delimiter. Everything but
/// delimiters and names is visited, in one pass.
pub fn loose(text: &[u8], visit: &mut impl FnMut(Leaf<'_>)) {
    let mut name = b"~".to_vec();
    let mut awaits_value = false;
    let mut left = text;
    while !left.is_empty() {
        let end = quote(left);
        let piece = left.get(..end).unwrap_or_default();
        left = left.get(end.saturating_add(1)..).unwrap_or_default();
        if piece.trim_ascii_start().first().is_none_or(is_delimiter) {
            for bare in piece.split(|byte| is_delimiter(byte) && *byte != b':') {
                let bare = bare.trim_ascii();
                awaits_value = bare.ends_with(b":");
                let value = bare.strip_prefix(b":").unwrap_or(bare).trim_ascii();
                if !value.is_empty() {
                    visit(Leaf { place: Place::Json, name: &name, value });
                }
            }
        } else if awaits_value {
            visit(Leaf { place: Place::Json, name: &name, value: piece });
            awaits_value = false;
        } else {
            name.truncate(1);
            name.extend_from_slice(piece);
            // Another text right behind it, without a colon, is its value.
            awaits_value = true;
        }
    }
}

fn is_delimiter(byte: &u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b';' | b':')
}

/// Where the next quote without a backslash is, or the end.
fn quote(text: &[u8]) -> usize {
    let mut at = 0_usize;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at = at.saturating_add(found);
        if text.get(at) == Some(&b'"') {
            return at;
        }
        at = at.saturating_add(2);
    }
    text.len()
}

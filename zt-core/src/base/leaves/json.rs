//! The values of a JSON text, each by its path.

use super::{Leaf, Place, loose};
use crate::base::json::{Limits, Scanner, Token};

/// Each string, number, `true`, `false` and `null`, named by its path: `$` for the text itself, `.name` for a member, `[]`
/// for any element of an array. Behind the first mistake the rest is read [tolerantly](loose).
pub fn json(bytes: &[u8], limits: &Limits, visit: &mut impl FnMut(Leaf<'_>)) {
    if bytes.trim_ascii_start().is_empty() {
        return;
    }
    let mut scanner = Scanner::new(bytes, limits);
    let mut path = Path::default();
    loop {
        let started = scanner.offset();
        match scanner.next() {
            Ok(Some(token)) => path.step(token, visit),
            Ok(None) => return,
            Err(_) => return loose(bytes.get(started..).unwrap_or_default(), visit),
        }
    }
}

/// Where the scanner stands.
struct Path {
    text: Vec<u8>,
    /// Of each open container: where its own name ends.
    open: smallvec::SmallVec<[usize; 8]>,
}

impl Default for Path {
    fn default() -> Self {
        Self { text: b"$".to_vec(), open: smallvec::SmallVec::new() }
    }
}

impl Path {
    fn step(&mut self, token: Token<'_>, visit: &mut impl FnMut(Leaf<'_>)) {
        match token {
            Token::BeginObject => self.open.push(self.text.len()),
            Token::BeginArray => {
                self.open.push(self.text.len());
                self.text.extend_from_slice(b"[]");
            }
            Token::EndObject | Token::EndArray => {
                let end = self.open.pop().unwrap_or_default();
                self.text.truncate(end);
            }
            Token::Key(name) => {
                self.text.truncate(self.open.last().copied().unwrap_or_default());
                self.text.push(b'.');
                self.text.extend_from_slice(name.unescape().as_bytes());
            }
            Token::String(text) => self.leaf(text.unescape().as_bytes(), visit),
            Token::Number(text) => self.leaf(text.as_bytes(), visit),
            Token::Bool(true) => self.leaf(b"true", visit),
            Token::Bool(false) => self.leaf(b"false", visit),
            Token::Null => self.leaf(b"null", visit),
        }
    }

    fn leaf(&self, value: &[u8], visit: &mut impl FnMut(Leaf<'_>)) {
        visit(Leaf { place: Place::Json, name: &self.text, value });
    }
}

//! The claims of a verified token, as others read them.

use std::borrow::Cow;
use std::sync::Arc;

use super::jose::claims::LIMITS;
use crate::base::json::{Scanner, Token};

/// Most members of a claim that is a list.
const STRINGS_MAX: usize = 256;

/// A claim that is a plain value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A string.
    String(Cow<'a, str>),
    /// A number, as written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
}

/// The claims of a verified token.
#[derive(Clone, Default)]
pub struct Claims {
    /// The token, where it is kept, and the claims: one piece of memory for who repeats the one and who reads the other.
    block: Arc<[u8]>,
    from: usize,
}

impl PartialEq for Claims {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Eq for Claims {}

impl std::fmt::Debug for Claims {
    /// Length only: claims are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claims({} bytes)", self.json().len())
    }
}

impl Claims {
    /// Room for claims of this length behind these bytes; nobody else has it yet.
    pub(super) fn with_room(before: &[u8], len: usize) -> Self {
        let mut block: Arc<[u8]> = std::iter::repeat_n(0, before.len().saturating_add(len)).collect();
        if let Some((start, _)) = Arc::get_mut(&mut block).and_then(|block| block.split_at_mut_checked(before.len())) {
            start.copy_from_slice(before);
        }
        Self { block, from: before.len() }
    }

    /// That room; none once it is shared.
    pub(super) fn room(&mut self) -> &mut [u8] {
        Arc::get_mut(&mut self.block).and_then(|block| block.get_mut(self.from..)).unwrap_or_default()
    }

    /// What stands before the claims.
    pub(super) fn before(&self) -> &[u8] {
        self.block.get(..self.from).unwrap_or_default()
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.block.len()
    }

    /// Whether somebody else has them too, as the memory of tokens that were verified.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.block) > 1
    }

    /// The claims as JSON text, checked: one object, no duplicate members. Empty when there was no token.
    pub fn json(&self) -> &[u8] {
        self.block.get(self.from..).unwrap_or_default()
    }

    /// The top-level claim of this name, when it is a string, a number or a boolean.
    pub fn scalar(&self, name: &str) -> Option<Scalar<'_>> {
        self.scalars().find(|(claim, _)| claim == name).map(|(_, value)| value)
    }

    /// The text of that claim: a string's own, else its JSON.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.scalar(name).map(|value| match value {
            Scalar::String(text) => text,
            Scalar::Number(text) => Cow::Borrowed(text),
            Scalar::Bool(true) => Cow::Borrowed("true"),
            Scalar::Bool(false) => Cow::Borrowed("false"),
        })
    }

    /// The top-level claim of this name, when it is a list of at most 256 strings.
    pub fn strings(&self, name: &str) -> Option<Box<[Box<str>]>> {
        let mut scanner = Scanner::new(self.json(), &LIMITS);
        loop {
            match scanner.next().ok().flatten()? {
                Token::Key(key) if scanner.depth() == 1 && key.unescape() == name => break,
                _ => {}
            }
        }
        let Token::BeginArray = scanner.next().ok().flatten()? else { return None };
        let mut members = Vec::new();
        loop {
            match scanner.next().ok().flatten()? {
                Token::String(text) if members.len() < STRINGS_MAX => members.push(text.unescape().into()),
                Token::EndArray => return Some(members.into()),
                _ => return None,
            }
        }
    }

    /// Every top-level claim that is a string, a number or a boolean, in order.
    pub fn scalars(&self) -> impl Iterator<Item = (Cow<'_, str>, Scalar<'_>)> {
        let mut scanner = Scanner::new(self.json(), &LIMITS);
        let mut name = None;
        std::iter::from_fn(move || {
            loop {
                let token = scanner.next().ok().flatten()?;
                let value = match token {
                    Token::Key(key) => {
                        name = (scanner.depth() == 1).then_some(key);
                        continue;
                    }
                    Token::String(text) => Scalar::String(text.unescape()),
                    Token::Number(text) => Scalar::Number(text),
                    Token::Bool(truth) => Scalar::Bool(truth),
                    _ => {
                        name = None;
                        continue;
                    }
                };
                if let Some(key) = name.take() {
                    return Some((key.unescape(), value));
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_top_level_only() {
        let json = br#"{"a":{"t":"no"},"l":["no"],"t\u0031":"x","n":1.50,"b":true,"z":null,"t":"y"}"#;
        let mut claims = Claims::with_room(b"token", json.len());
        claims.room().copy_from_slice(json);
        assert_eq!(claims.scalar("t1"), Some(Scalar::String("x".into())));
        assert_eq!(claims.scalar("t"), Some(Scalar::String("y".into())));
        assert_eq!(claims.scalar("n"), Some(Scalar::Number("1.50")));
        assert_eq!(claims.scalar("b"), Some(Scalar::Bool(true)));
        assert_eq!((claims.scalar("a"), claims.scalar("l"), claims.scalar("z")), (None, None, None));
        assert_eq!(claims.scalars().count(), 4);
        assert_eq!(Claims::default().scalar("a"), None);
        assert!(!claims.is_shared());
        let other = claims.clone();
        assert!(claims.is_shared() && other.is_shared());
    }

    #[test]
    fn lists_are_of_strings_alone() {
        let many = vec!["\"x\""; STRINGS_MAX + 1].join(",");
        let json = format!(
            r#"{{"a":{{"l":["no"]}},"l":["x","\u0079"],"e":[],"n":["x",1],"d":[["x"]],"s":"x","many":[{many}]}}"#
        );
        let mut claims = Claims::with_room(b"", json.len());
        claims.room().copy_from_slice(json.as_bytes());
        let strings = |name: &str| claims.strings(name).map(|members| members.join(" "));
        assert_eq!((strings("l"), strings("e")), (Some("x y".to_owned()), Some(String::new())));
        for absent in ["a", "n", "d", "s", "many", "nope"] {
            assert_eq!(strings(absent), None, "{absent}");
        }
    }
}

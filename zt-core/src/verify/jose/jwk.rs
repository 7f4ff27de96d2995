//! The text of JWK sets (RFC 7517), read strictly.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::base::json::{self, Limits, Scanner, Token};

/// Most keys in a set.
const MAX_KEYS: usize = 128;

const LIMITS: Limits =
    Limits { bytes: 1 << 20, depth: 8, values: 8_192, members: 64, elements: 256, number_digits: 32, key_bytes: 128 };

/// What is wrong with a set, and the byte of its text where that is known.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::verify) struct BadSet {
    pub(in crate::verify) message: String,
    pub(in crate::verify) offset: Option<usize>,
}

/// A member of a JWK, as far as admission looks at it.
#[derive(Debug)]
pub(in crate::verify) enum Member<'a> {
    Text(Cow<'a, str>),
    Texts(Vec<Cow<'a, str>>),
    Other,
}

/// A JWK's members by name.
pub(in crate::verify) type Members<'a> = BTreeMap<Cow<'a, str>, Member<'a>>;

/// The members of each key of a set.
pub(in crate::verify) fn members_of_keys(text: &str) -> Result<Vec<Members<'_>>, BadSet> {
    let shape = |message: &str| BadSet { message: message.to_owned(), offset: None };
    let mut scanner = Scanner::new(text.as_bytes(), &LIMITS);
    if scanner.next()? != Some(Token::BeginObject) {
        return Err(shape("not a JWK set: not an object"));
    }
    let mut keys = None;
    while let Some(token) = scanner.next()? {
        let Token::Key(name) = token else { continue };
        if name != *"keys" {
            skip_value(&mut scanner)?;
            continue;
        }
        if scanner.next()? != Some(Token::BeginArray) {
            return Err(shape("not a JWK set: `keys` is not an array"));
        }
        let mut list = Vec::new();
        loop {
            match scanner.next()? {
                Some(Token::BeginObject) if list.len() < MAX_KEYS => list.push(members_of_key(&mut scanner)?),
                Some(Token::BeginObject) => return Err(shape("more than 128 keys")),
                Some(Token::EndArray) => break,
                _ => return Err(shape("not a JWK set: `keys` holds something that is not an object")),
            }
        }
        keys = Some(list);
    }
    keys.ok_or_else(|| shape("not a JWK set: `keys` is missing"))
}

/// Reads a key from behind its opening brace to its closing one.
pub(in crate::verify) fn members_of_key<'a>(scanner: &mut Scanner<'a>) -> Result<Members<'a>, BadSet> {
    let mut members = Members::new();
    while let Some(Token::Key(name)) = scanner.next()? {
        let member = match scanner.next()? {
            Some(Token::String(text)) => Member::Text(text.unescape()),
            Some(Token::BeginArray) => texts(scanner)?,
            Some(Token::BeginObject) => {
                skip_open(scanner)?;
                Member::Other
            }
            _ => Member::Other,
        };
        members.insert(name.unescape(), member);
    }
    Ok(members)
}

fn texts<'a>(scanner: &mut Scanner<'a>) -> Result<Member<'a>, BadSet> {
    let mut texts = Vec::new();
    loop {
        match scanner.next()? {
            Some(Token::String(text)) => texts.push(text.unescape()),
            Some(Token::EndArray) | None => return Ok(Member::Texts(texts)),
            Some(Token::BeginObject | Token::BeginArray) => {
                skip_open(scanner)?;
                break;
            }
            Some(_) => break,
        }
    }
    skip_open(scanner)?;
    Ok(Member::Other)
}

fn skip_value(scanner: &mut Scanner<'_>) -> Result<(), BadSet> {
    match scanner.next()? {
        Some(Token::BeginObject | Token::BeginArray) => skip_open(scanner),
        _ => Ok(()),
    }
}

/// Reads to the end of the innermost open container.
fn skip_open(scanner: &mut Scanner<'_>) -> Result<(), BadSet> {
    let outside = scanner.depth().saturating_sub(1);
    while scanner.depth() > outside && scanner.next()?.is_some() {}
    Ok(())
}

impl From<json::Error> for BadSet {
    fn from(error: json::Error) -> Self {
        Self { message: format!("not strict JSON: {}", error.kind), offset: Some(error.offset) }
    }
}

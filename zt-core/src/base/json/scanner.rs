//! The scanner: one token after the other.

use std::ops::Range;

use super::members::{Container, Open};
use super::{Error, ErrorKind, Limits, Str, number, string};

/// One piece of a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// `{`
    BeginObject,
    /// `}`
    EndObject,
    /// `[`
    BeginArray,
    /// `]`
    EndArray,
    /// A member's name, its colon already read.
    Key(Str<'a>),
    /// A string.
    String(Str<'a>),
    /// A number as written: any that the grammar allows, also those beyond `f64`.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

/// What kind of token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{`
    BeginObject,
    /// `}`
    EndObject,
    /// `[`
    BeginArray,
    /// `]`
    EndArray,
    /// A member's name.
    Key,
    /// A string.
    String,
    /// A number.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// The text has ended well.
    End,
}

/// The text is refused; [`Scanner::next`] says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// Scans one JSON text. What it handed out is valid only once it has said `Ok(None)`: the text may still turn out
/// to be broken further on.
#[derive(Debug)]
pub struct Scanner<'a> {
    /// What is UTF-8 at the start of the text.
    text: &'a str,
    /// What is wrong behind `text`.
    behind: Option<Error>,
    at: usize,
    next: Next,
    open: Open<'a>,
    values: u32,
    limits: Limits,
    failed: Option<Error>,
    /// Where the last name, string or number stands, without quotes.
    token: Range<usize>,
    token_escaped: bool,
}

/// What may stand next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of a text.
    pub fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        let too_large = (bytes.len() > limits.bytes).then(|| ErrorKind::TooLarge.at(limits.bytes));
        let marked = bytes.starts_with(b"\xEF\xBB\xBF").then(|| ErrorKind::ByteOrderMark.at(0));
        let failed = too_large.or(marked);
        let (text, behind) = match failed {
            Some(_) => ("", failed),
            None => utf8_prefix(bytes),
        };
        Self {
            text,
            behind,
            at: 0,
            next: Next::Value,
            open: Open::default(),
            values: 0,
            limits: *limits,
            failed,
            token: 0..0,
            token_escaped: false,
        }
    }

    /// The next token; nothing once the text has ended well. An error stays.
    ///
    /// # Errors
    /// What is wrong with the text at this point.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator invites `flatten`, which would hide the error that ends it"
    )]
    pub fn next(&mut self) -> Result<Option<Token<'a>>, Error> {
        Ok(Some(match self.step() {
            Ok(Kind::BeginObject) => Token::BeginObject,
            Ok(Kind::EndObject) => Token::EndObject,
            Ok(Kind::BeginArray) => Token::BeginArray,
            Ok(Kind::EndArray) => Token::EndArray,
            Ok(Kind::Key) => Token::Key(self.string()),
            Ok(Kind::String) => Token::String(self.string()),
            Ok(Kind::Number) => Token::Number(self.raw()),
            Ok(Kind::True) => Token::Bool(true),
            Ok(Kind::False) => Token::Bool(false),
            Ok(Kind::Null) => Token::Null,
            Ok(Kind::End) => return Ok(None),
            Err(Refused) => return self.failed.map_or(Ok(None), Err),
        }))
    }

    /// The next token's kind, which fits into a register: for where every nanosecond counts. The rest of it is asked
    /// for.
    ///
    /// # Errors
    /// The text is refused, now or before.
    pub fn step(&mut self) -> Result<Kind, Refused> {
        if self.failed.is_some() {
            return Err(Refused);
        }
        self.scan().map_err(|error| self.fail(error))
    }

    /// The last name or string.
    #[inline]
    pub fn string(&self) -> Str<'a> {
        Str::new(self.raw(), self.token_escaped)
    }

    /// The last name, string or number as written, without quotes.
    #[inline]
    pub fn raw(&self) -> &'a str {
        self.text.get(self.token.clone()).unwrap_or_default()
    }

    #[cold]
    fn fail(&mut self, error: Error) -> Refused {
        // Where the readable part ends early, that is the reason.
        let error = if error.kind == ErrorKind::UnexpectedEnd { self.behind.unwrap_or(error) } else { error };
        self.failed = Some(error);
        Refused
    }

    /// Bytes read so far.
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// Containers that are open.
    pub fn depth(&self) -> usize {
        self.open.depth()
    }

    #[inline]
    fn scan(&mut self) -> Result<Kind, Error> {
        let mut byte = self.skip_space();
        if self.next == Next::CommaOrEnd {
            let Some(container) = self.open.innermost() else {
                return match (byte, self.behind) {
                    (None, None) => Ok(Kind::End),
                    (None, Some(error)) => Err(error),
                    (Some(_), _) => Err(self.error(ErrorKind::TrailingData)),
                };
            };
            if byte == Some(b',') {
                self.advance(1);
                self.next = if container == Container::Object { Next::Key } else { Next::Value };
                byte = self.skip_space();
            } else {
                return self.close(byte);
            }
        }
        match (self.next, byte) {
            (_, None) => Err(self.error(ErrorKind::UnexpectedEnd)),
            (Next::KeyOrEnd, Some(b'}')) | (Next::ValueOrEnd, Some(b']')) => self.close(byte),
            (Next::Key | Next::KeyOrEnd, Some(b'"')) => self.key(),
            (Next::Value | Next::ValueOrEnd, Some(byte)) => self.value(byte),
            (Next::Key | Next::KeyOrEnd | Next::CommaOrEnd, Some(_)) => Err(self.error(ErrorKind::Malformed)),
        }
    }

    #[inline]
    fn value(&mut self, byte: u8) -> Result<Kind, Error> {
        if self.open.innermost() == Some(Container::Array) {
            self.open.element(&self.limits).map_err(|kind| self.error(kind))?;
        }
        if self.values >= self.limits.values {
            return Err(self.error(ErrorKind::TooManyValues));
        }
        self.values = self.values.saturating_add(1);
        let kind = match byte {
            b'{' => return self.begin(Container::Object, Next::KeyOrEnd, Kind::BeginObject),
            b'[' => return self.begin(Container::Array, Next::ValueOrEnd, Kind::BeginArray),
            b'"' => {
                self.quoted()?;
                Kind::String
            }
            b'-' | b'0'..=b'9' => {
                let from = self.at;
                self.at = number::scan(self.text.as_bytes(), from, self.limits.number_digits)?;
                self.token = from..self.at;
                Kind::Number
            }
            b't' => self.word("true", Kind::True)?,
            b'f' => self.word("false", Kind::False)?,
            b'n' => self.word("null", Kind::Null)?,
            _ => return Err(self.error(ErrorKind::Malformed)),
        };
        self.next = Next::CommaOrEnd;
        Ok(kind)
    }

    /// Steps over a string.
    #[inline(always)]
    fn quoted(&mut self) -> Result<(), Error> {
        let from = self.at.saturating_add(1);
        let (to, escaped) = string::scan(self.text.as_bytes(), from)?;
        (self.token, self.token_escaped) = (from..to, escaped);
        self.at = to.saturating_add(1);
        Ok(())
    }

    #[inline(always)]
    fn key(&mut self) -> Result<Kind, Error> {
        let from = self.at;
        self.quoted()?;
        let name = self.string();
        self.open.member(name, &self.limits).map_err(|kind| kind.at(from))?;
        match self.skip_space() {
            Some(b':') => self.advance(1),
            Some(_) => return Err(self.error(ErrorKind::Malformed)),
            None => return Err(self.error(ErrorKind::UnexpectedEnd)),
        }
        self.next = Next::Value;
        Ok(Kind::Key)
    }

    fn begin(&mut self, container: Container, next: Next, kind: Kind) -> Result<Kind, Error> {
        self.open.begin(container, &self.limits).map_err(|kind| self.error(kind))?;
        self.advance(1);
        self.next = next;
        Ok(kind)
    }

    fn close(&mut self, byte: Option<u8>) -> Result<Kind, Error> {
        let (container, kind) = match byte {
            Some(b'}') => (Container::Object, Kind::EndObject),
            Some(b']') => (Container::Array, Kind::EndArray),
            Some(_) => return Err(self.error(ErrorKind::Malformed)),
            None => return Err(self.error(ErrorKind::UnexpectedEnd)),
        };
        self.open.end(container).map_err(|kind| self.error(kind))?;
        self.advance(1);
        self.next = Next::CommaOrEnd;
        Ok(kind)
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, Error> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.advance(word.len());
            return Ok(kind);
        }
        let cut = word.as_bytes().starts_with(rest);
        Err(if cut { ErrorKind::UnexpectedEnd.at(self.text.len()) } else { self.error(ErrorKind::Malformed) })
    }

    /// Steps over white space; gives the byte that follows.
    #[inline]
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.advance(1),
                other => return other.copied(),
            }
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn error(&self, kind: ErrorKind) -> Error {
        kind.at(self.at)
    }
}

/// What of it is UTF-8, and what is wrong behind that. An incomplete last character is a cut text, not a wrong one.
fn utf8_prefix(bytes: &[u8]) -> (&str, Option<Error>) {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return (text, None),
        Err(error) => error,
    };
    let valid =
        bytes.get(..error.valid_up_to()).and_then(|prefix| std::str::from_utf8(prefix).ok()).unwrap_or_default();
    let behind = match error.error_len() {
        Some(_) => ErrorKind::InvalidUtf8.at(valid.len()),
        None => ErrorKind::UnexpectedEnd.at(bytes.len()),
    };
    (valid, Some(behind))
}

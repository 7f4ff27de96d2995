//! Hides members of JSON responses while they stream by.
//!
//! A [`Redactor`] is fed a JSON text in pieces, cut anywhere, and gives it back with `"[redacted]"` in the place of every
//! value that a [path](crate::base::member_path) leads to, whatever it was. It holds the path to where it is and at
//! most one member name, never a value; its time is linear.
//!
//! Names are compared as they are meant (`"s\u0073n"` is `ssn`), with regard to case; of members that stand twice, all
//! are hidden. The text has to be JSON (RFC 8259) in UTF-8 and no deeper than 128 levels: what cannot be read cannot be
//! redacted, and from there on nothing more is given. What was given before never holds a hidden value.

mod fields;
mod head;
mod number;
mod reader;
mod text;

#[cfg(test)]
mod tests;

use crate::base::member_path::MemberPath;

use fields::Fields;
use reader::{Event, Reader};

pub(crate) use head::SWITCHING_PROTOCOLS;
pub use head::{Redaction, STALE_HEADERS, redaction};

/// What stands in the place of a hidden value.
const REPLACEMENT: &[u8] = br#""[redacted]""#;

/// Why a body cannot be redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// Not the grammar of RFC 8259, or not UTF-8.
    #[error("the body is not JSON")]
    Malformed,
    /// More than 128 levels.
    #[error("the JSON body is nested too deep")]
    TooDeep,
    /// It ends inside a value.
    #[error("the JSON body is cut")]
    Cut,
    /// Something follows the value, or stands where nothing was announced.
    #[error("something follows the JSON body")]
    Trailing,
}

/// Hides members of a JSON text, piece by piece.
///
/// ```
/// use zt_core::base::member_path::MemberPath;
/// use zt_core::respond::Redactor;
///
/// let mut redactor = Redactor::new(&[MemberPath::parse("customer.ssn")?]);
/// let mut out = Vec::new();
/// redactor.push(br#"{"customer":{"name":"Anna","ssn":"07"#, &mut out)?;
/// redactor.push(br#"8-05-1120"}}"#, &mut out)?;
/// redactor.finish()?;
/// assert_eq!(out, br#"{"customer":{"name":"Anna","ssn":"[redacted]"}}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redactor {
    reader: Reader,
    fields: Fields,
    /// Nodes of `fields` that the path to here fits, level by level; the root first.
    fitting: Vec<u32>,
    /// The open containers that are not hidden.
    levels: Vec<Level>,
    /// The member name that is being read, up to the longest that is looked for.
    name: Vec<u8>,
    name_fits: NameFits,
    /// Whether the value to come is to be hidden.
    due: bool,
    /// Open containers around the value that is being hidden.
    hidden: Option<u32>,
    failed: Option<Unreadable>,
    dropping: bool,
}

/// An open container: which of `fitting` are about its members or elements.
#[derive(Clone, Copy, Debug)]
struct Level {
    start: usize,
    end: usize,
    array: bool,
}

/// Whether the member name that is being read can be in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameFits {
    /// No path leads through here.
    Nothing,
    /// It may be one of those that are looked for.
    Perhaps,
    /// It is longer than all of them.
    AnyOnly,
}

impl Redactor {
    /// For one JSON text, or none at all.
    pub fn new(fields: &[MemberPath]) -> Self {
        Self::of(reader::Form::Document, fields)
    }

    /// For a sequence of JSON texts: JSON lines, or RFC 7464. Each has the root of its own.
    pub fn of_sequence(fields: &[MemberPath]) -> Self {
        Self::of(reader::Form::Sequence, fields)
    }

    /// For a body that is announced as empty, and has to be.
    pub fn of_nothing() -> Self {
        Self::of(reader::Form::Empty, &[])
    }

    /// For the body of a response that must have none: whatever it is, nothing of it is given.
    pub fn dropping() -> Self {
        Self { dropping: true, ..Self::of_nothing() }
    }

    /// Whether it gives nothing of a body.
    #[cfg(feature = "tower")]
    pub(crate) fn drops(&self) -> bool {
        self.dropping
    }

    fn of(form: reader::Form, fields: &[MemberPath]) -> Self {
        Self {
            reader: Reader::new(form),
            fields: Fields::new(fields),
            fitting: vec![0],
            levels: Vec::new(),
            name: Vec::new(),
            name_fits: NameFits::Nothing,
            due: false,
            hidden: None,
            failed: None,
            dropping: false,
        }
    }

    /// Takes the next piece; appends what is to be sent.
    ///
    /// # Errors
    /// When the text cannot be read, from its first wrong byte on and ever after. Nothing more may be sent then, and the
    /// client has to see that the body broke off; what was appended holds no hidden value.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        if self.dropping {
            return Ok(());
        }
        // Bytes before `at` are read, bytes before `sent` sent or hidden.
        let (mut at, mut sent) = (0_usize, 0_usize);
        let between = |from: usize, to: usize| piece.get(from..to).unwrap_or_default();
        while at < piece.len() {
            let rest = piece.get(at..).unwrap_or_default();
            let (read, event) = match self.reader.read(rest) {
                Ok(read) => read,
                Err(failed) => {
                    if self.hidden.is_none() {
                        out.extend_from_slice(between(sent, at));
                    }
                    self.failed = Some(failed);
                    return Err(failed);
                }
            };
            let before = at;
            at = at.saturating_add(read);
            match event {
                Event::None => {}
                Event::Open | Event::Begin if self.hidden.is_none() => {
                    if std::mem::take(&mut self.due) {
                        out.extend_from_slice(between(sent, at.saturating_sub(1)));
                        out.extend_from_slice(REPLACEMENT);
                        self.hidden = Some(self.reader.depth().saturating_sub(u32::from(event == Event::Open)));
                    } else if event == Event::Open {
                        self.open();
                    }
                }
                Event::End | Event::Close if self.hidden == Some(self.reader.depth()) => {
                    self.hidden = None;
                    sent = at;
                }
                _ if self.hidden.is_some() => {}
                Event::Close => {
                    self.levels.pop();
                }
                Event::Name => self.name(),
                Event::Part => self.part(between(before, at)),
                Event::Character(c) => self.part(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Event::Named => self.named(),
                Event::Open | Event::Begin | Event::End => {}
            }
        }
        if self.hidden.is_none() {
            out.extend_from_slice(between(sent, at));
        }
        Ok(())
    }

    /// Whether the text is whole. There is nothing left to be sent in any case.
    ///
    /// # Errors
    /// When it is not: the client has to see that the body broke off.
    pub fn finish(&self) -> Result<(), Unreadable> {
        match self.failed {
            Some(failed) => Err(failed),
            None => self.reader.finish(),
        }
    }

    /// Which nodes are about the value to come.
    fn next(&self) -> (usize, usize) {
        match self.levels.last() {
            None => (0, 1),
            // An element is where its array is.
            Some(level) if level.array => (level.start, level.end),
            Some(level) => (level.end, self.fitting.len()),
        }
    }

    fn open(&mut self) {
        let (start, end) = self.next();
        self.levels.push(Level { start, end, array: !self.reader.in_object() });
    }

    fn name(&mut self) {
        let Some(level) = self.levels.last() else { return };
        self.fitting.truncate(level.end);
        self.name.clear();
        self.name_fits = if level.start < level.end { NameFits::Perhaps } else { NameFits::Nothing };
    }

    fn part(&mut self, bytes: &[u8]) {
        if self.name_fits != NameFits::Perhaps {
            return;
        }
        if self.name.len().saturating_add(bytes.len()) > self.fields.longest() {
            self.name_fits = NameFits::AnyOnly;
            return;
        }
        self.name.extend_from_slice(bytes);
    }

    fn named(&mut self) {
        let Some(level) = self.levels.last().copied() else { return };
        let name = match self.name_fits {
            NameFits::Nothing => return,
            NameFits::Perhaps => Some(self.name.as_slice()),
            NameFits::AnyOnly => None,
        };
        for at in level.start..level.end {
            let Some(node) = self.fitting.get(at).copied() else { break };
            self.due |= self.fields.follow(node, name, &mut self.fitting);
        }
    }
}

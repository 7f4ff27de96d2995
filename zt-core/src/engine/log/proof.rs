//! Whether a log is whole: every line follows from the one before.

use std::fmt;
use std::str::FromStr;

use super::seal::{Key, Seal, same};

/// What stands between the content of a line and its digest.
pub(super) const DIGEST: &str = ",\"digest\":\"";

/// Proves a log, line by line.
#[derive(Clone, Debug)]
pub struct Proof {
    seal: Seal,
    last: Option<Anchor>,
    records: u64,
    /// The number of the last line.
    number: u64,
    /// A line that is no record: a cut one, if it is the last.
    unreadable: Option<u64>,
    /// The record that the log goes on after.
    before: Option<Anchor>,
    anchor: Option<Anchor>,
    /// Whether that was there.
    held: bool,
}

/// A record by its number and digest: what is kept elsewhere, so that nobody can cut the log before it or make it anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Its `seq`.
    pub seq: u64,
    /// Its `digest`.
    pub digest: String,
}

/// A log that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// How many records.
    pub records: u64,
    /// The last one; none in an empty log.
    pub last: Option<Anchor>,
}

/// Where a log does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Broken {
    /// The line, from 1; of what is missing at the end, the one after the last.
    pub line: u64,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The line is no record, and others follow.
    #[error("not a record of the log: it was changed, or put there")]
    NotARecord,
    /// The last line is no whole record.
    #[error("the last line is not whole: it was cut while it was written, or afterwards")]
    CutLine,
    /// The content is not what the digest is of.
    #[error("its digest is not that of its content: it was changed, or made with another key")]
    Changed,
    /// There is a key, and none was given.
    #[error("the log was made with a key: give it")]
    KeyWanted,
    /// There is no key, and one was given.
    #[error("the record was made without the key")]
    NotKeyed,
    /// The log starts in the middle.
    #[error("the log begins with record {0}: what was before it is missing")]
    HeadMissing(u64),
    /// Records are missing before this one.
    #[error("records {0} to {1} are missing before it")]
    Missing(u64, u64),
    /// A record stands again, or in another place.
    #[error("record {found} stands where record {expected} should")]
    OutOfOrder {
        /// Its number.
        found: u64,
        /// The number that follows.
        expected: u64,
    },
    /// The record before is not the one that this was made after.
    #[error("the record before it is not the one that it was made after: that one was replaced")]
    Unlinked,
    /// The log ends before a record that is known to have been there.
    #[error("the log ends before record {0}, which was there: its tail was cut")]
    TailMissing(u64),
    /// The record is not the one that is known to have been there.
    #[error("record {0} is not the one that was there: the log was made anew")]
    Replaced(u64),
}

impl Why {
    /// A word for it, stable for ever.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotARecord => "not_a_record",
            Self::CutLine => "cut_line",
            Self::Changed => "changed",
            Self::KeyWanted => "key_wanted",
            Self::NotKeyed => "not_keyed",
            Self::HeadMissing(_) => "head_missing",
            Self::Missing(..) => "missing",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::Unlinked => "unlinked",
            Self::TailMissing(_) => "tail_missing",
            Self::Replaced(_) => "replaced",
        }
    }
}

impl Proof {
    /// Of a log from its first record on, made with this key.
    pub fn new(key: Option<Key>) -> Self {
        Self {
            seal: Seal(key),
            last: None,
            records: 0,
            number: 0,
            unreadable: None,
            before: None,
            anchor: None,
            held: false,
        }
    }

    /// Of a log that goes on after this record, as after a rotation.
    pub fn after(mut self, record: Anchor) -> Self {
        self.last = Some(record.clone());
        self.before = Some(record);
        self
    }

    /// Of a log that has to hold this record.
    pub fn holding(mut self, record: Anchor) -> Self {
        self.anchor = Some(record);
        self
    }

    /// The record that the next line has to follow.
    pub fn last(&self) -> Option<&Anchor> {
        self.last.as_ref()
    }

    /// How many lines were proven.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Whether the last line that was taken is no record: a cut one, if nothing follows.
    pub fn unreadable(&self) -> bool {
        self.unreadable.is_some()
    }

    /// Takes the next line, without its line break. `number` counts lines from 1.
    ///
    /// # Errors
    /// When it does not follow from the line before; nothing after it is proven.
    pub fn line(&mut self, number: u64, line: &[u8]) -> Result<(), Broken> {
        if let Some(line) = self.unreadable {
            return Err(Broken { line, why: Why::NotARecord });
        }
        self.number = number;
        let broken = |why| Broken { line: number, why };
        let read = match read(line, &self.seal) {
            Err(Why::NotARecord) => {
                self.unreadable = Some(number);
                return Ok(());
            }
            read => read.map_err(broken)?,
        };
        self.follows(&read).map_err(broken)?;
        let record = Anchor { seq: read.seq, digest: read.digest };
        if let Some(known) = self.anchor.as_ref().filter(|known| known.seq == record.seq) {
            if !same(&known.digest, &record.digest) {
                return Err(broken(Why::Replaced(record.seq)));
            }
            self.held = true;
        }
        self.records = self.records.saturating_add(1);
        self.last = Some(record);
        Ok(())
    }

    fn follows(&self, read: &Line<'_>) -> Result<(), Why> {
        let (expected, prev) = match &self.last {
            Some(last) => (last.seq.saturating_add(1), last.digest.as_str()),
            None => (0, ""),
        };
        let found = read.seq;
        match found.checked_sub(expected) {
            None => Err(Why::OutOfOrder { found, expected }),
            Some(0) if same(read.prev, prev) => Ok(()),
            Some(0) => Err(Why::Unlinked),
            Some(_) if self.last.is_none() => Err(Why::HeadMissing(found)),
            Some(_) => Err(Why::Missing(expected, found.saturating_sub(1))),
        }
    }

    /// The end of the log. A tail that was cut between two lines is found only by a record that is known to have been there.
    ///
    /// # Errors
    /// When the last line is not whole, or the log ends too early.
    pub fn finish(self) -> Result<Proven, Broken> {
        if let Some(line) = self.unreadable {
            return Err(Broken { line, why: Why::CutLine });
        }
        let Some(known) = self.anchor.filter(|_| !self.held) else {
            return Ok(Proven { records: self.records, last: self.last });
        };
        let broken = |line, why| Err(Broken { line, why });
        match self.before.filter(|before| before.seq >= known.seq) {
            Some(before) if before.seq > known.seq => broken(1, Why::HeadMissing(before.seq.saturating_add(1))),
            Some(before) if !same(&before.digest, &known.digest) => broken(1, Why::Replaced(known.seq)),
            // Known by both words for it, and never read.
            Some(_) => Ok(Proven { records: self.records, last: self.last }),
            None => broken(self.number.saturating_add(1), Why::TailMissing(known.seq)),
        }
    }
}

/// What of a line its neighbours follow from.
pub(super) struct Line<'l> {
    pub(super) seq: u64,
    prev: &'l str,
    pub(super) digest: String,
}

/// Reads a line and proves its own digest. `NotARecord` is a line that does not have the form of one.
pub(super) fn read<'l>(line: &'l [u8], seal: &Seal) -> Result<Line<'l>, Why> {
    let line = std::str::from_utf8(line).map_err(|_| Why::NotARecord)?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    let (content, digest) = line.rsplit_once(DIGEST).ok_or(Why::NotARecord)?;
    let digest = digest.strip_suffix("\"}").ok_or(Why::NotARecord)?;
    let (seq, prev) = head(content).ok_or(Why::NotARecord)?;
    let (kind, digits) = digest.split_once(':').ok_or(Why::NotARecord)?;
    if digits.len() != 64 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Why::NotARecord);
    }
    match (kind, seal.0.is_some()) {
        ("sha256", true) => return Err(Why::NotKeyed),
        ("hmac-sha256", false) => return Err(Why::KeyWanted),
        ("sha256" | "hmac-sha256", _) => {}
        _ => return Err(Why::NotARecord),
    }
    if !same(&seal.of(content.as_bytes()), digest) {
        return Err(Why::Changed);
    }
    Ok(Line { seq, prev, digest: digest.to_owned() })
}

/// The first two members.
fn head(content: &str) -> Option<(u64, &str)> {
    let (seq, rest) = content.strip_prefix("{\"seq\":")?.split_once(",\"prev\":\"")?;
    let (prev, _) = rest.split_once('"')?;
    let canonical = seq.bytes().all(|byte| byte.is_ascii_digit()) && (seq == "0" || !seq.starts_with('0'));
    Some((seq.parse().ok().filter(|_| canonical)?, prev))
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.digest)
    }
}

/// Text that is not an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a record by its number and digest, such as `41:sha256:...`")]
pub struct NotAnAnchor;

impl FromStr for Anchor {
    type Err = NotAnAnchor;

    fn from_str(text: &str) -> Result<Self, NotAnAnchor> {
        let (seq, digest) = text.split_once(':').ok_or(NotAnAnchor)?;
        let (_, digits) = digest.split_once(':').ok_or(NotAnAnchor)?;
        let sound = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seq = seq.parse().map_err(|_| NotAnAnchor)?;
        if sound { Ok(Self { seq, digest: digest.to_owned() }) } else { Err(NotAnAnchor) }
    }
}

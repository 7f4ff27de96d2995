//! The open containers and the member names seen in them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::{ErrorKind, Limits, Str};

/// Past this many names an object's are kept in a tree: never more than a logarithm of comparisons for each.
const FEW: usize = 16;

/// The open containers, outermost first.
#[derive(Debug, Default)]
pub(super) struct Open<'a> {
    frames: SmallVec<[Frame<'a>; 8]>,
    /// Names of the open objects with few of them, one object after the other.
    names: SmallVec<[Str<'a>; FEW]>,
    /// The innermost of the frames: looked at with each token.
    innermost: Option<Container>,
}

/// An open container.
#[derive(Debug)]
struct Frame<'a> {
    container: Container,
    /// Members or elements so far.
    len: u32,
    /// Where this object's names start.
    names_from: usize,
    /// A bit for each of its names: whose bit is not set is new, without a comparison.
    seen: u128,
    /// Its names once they are many.
    many: Option<BTreeSet<Cow<'a, str>>>,
}

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Object,
    Array,
}

impl<'a> Open<'a> {
    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    #[inline]
    pub(super) fn innermost(&self) -> Option<Container> {
        self.innermost
    }

    pub(super) fn begin(&mut self, container: Container, limits: &Limits) -> Result<(), ErrorKind> {
        if self.frames.len() >= usize::try_from(limits.depth).unwrap_or(usize::MAX) {
            return Err(ErrorKind::TooDeep);
        }
        self.frames.push(Frame { container, len: 0, names_from: self.names.len(), seen: 0, many: None });
        self.innermost = Some(container);
        Ok(())
    }

    /// Closes the innermost container if it is one of these.
    pub(super) fn end(&mut self, container: Container) -> Result<(), ErrorKind> {
        match self.frames.pop() {
            Some(frame) if frame.container == container => {
                self.names.truncate(frame.names_from);
                self.innermost = self.frames.last().map(|frame| frame.container);
                Ok(())
            }
            _ => Err(ErrorKind::Malformed),
        }
    }

    /// Counts an element of the innermost array.
    pub(super) fn element(&mut self, limits: &Limits) -> Result<(), ErrorKind> {
        self.frames.last_mut().map_or(Ok(()), |frame| frame.count(limits.elements))
    }

    /// Counts and remembers a member of the innermost object.
    #[inline]
    pub(super) fn member(&mut self, name: Str<'a>, limits: &Limits) -> Result<(), ErrorKind> {
        let Some(frame) = self.frames.last_mut() else { return Err(ErrorKind::Malformed) };
        frame.count(limits.members)?;
        if name.raw().len() > limits.key_bytes {
            return Err(ErrorKind::TooLarge);
        }
        let bits = bits(name);
        let new = frame.seen & bits == 0 && self.names.len().saturating_sub(frame.names_from) < FEW;
        frame.seen |= bits;
        if new && frame.many.is_none() {
            self.names.push(name);
            return Ok(());
        }
        self.compared(name)
    }

    /// Remembers a member that is not surely new.
    #[cold]
    fn compared(&mut self, name: Str<'a>) -> Result<(), ErrorKind> {
        let Some(frame) = self.frames.last_mut() else { return Err(ErrorKind::Malformed) };
        if let Some(many) = &mut frame.many {
            return if many.insert(name.unescape()) { Ok(()) } else { Err(ErrorKind::DuplicateKey) };
        }
        let few = self.names.get(frame.names_from..).unwrap_or_default();
        if few.contains(&name) {
            return Err(ErrorKind::DuplicateKey);
        }
        if few.len() < FEW {
            self.names.push(name);
        } else {
            let mut many: BTreeSet<_> = few.iter().map(Str::unescape).collect();
            many.insert(name.unescape());
            frame.many = Some(many);
            self.names.truncate(frame.names_from);
        }
        Ok(())
    }
}

/// A bit that equal names share; for an escaped name all of them.
fn bits(name: Str<'_>) -> u128 {
    let bytes = name.raw().as_bytes();
    match (bytes, bytes.get(bytes.len() / 2)) {
        _ if name.is_escaped() => u128::MAX,
        ([first, .., last], Some(middle)) => {
            let mixed = u32::from_le_bytes([*first, *middle, *last, bytes.len() as u8]).wrapping_mul(0x9e37_79b9);
            1 << (mixed >> 25)
        }
        _ => 1,
    }
}

impl Frame<'_> {
    fn count(&mut self, most: u32) -> Result<(), ErrorKind> {
        if self.len >= most {
            return Err(ErrorKind::TooManyMembers);
        }
        self.len = self.len.saturating_add(1);
        Ok(())
    }
}

//! Dictionaries of byte sequences (RFC 9651): signatures and digests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sfv::visitor::{DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::structured::Refused;

/// A dictionary of at most so many byte sequences, in canonical base64 and without parameters.
pub(super) fn byte_sequences(text: &[u8], most: usize) -> Option<Vec<(&str, Vec<u8>)>> {
    let members = Parser::new(text).parse_dictionary_with_visitor(Sequences { members: Vec::new(), most }).ok()?;
    // The parser takes what lacks padding or has bits left over; another text for the same bytes is of use to nobody.
    let canonical = |bytes: &Vec<u8>| format!(":{}:", STANDARD.encode(bytes));
    let all = members.iter().all(|(_, bytes)| memchr::memmem::find(text, canonical(bytes).as_bytes()).is_some());
    all.then_some(members)
}

struct Sequences<'a> {
    members: Vec<(&'a str, Vec<u8>)>,
    most: usize,
}

impl<'a> DictionaryVisitor<'a> for Sequences<'a> {
    type Out = Vec<(&'a str, Vec<u8>)>;
    type Error = Refused;

    fn entry(&mut self, key: &'a KeyRef) -> Result<impl EntryVisitor<'a>, Refused> {
        let key = key.as_str();
        if self.members.len() >= self.most || self.members.iter().any(|(other, _)| *other == key) {
            return Err(Refused);
        }
        self.members.push((key, Vec::new()));
        self.members.last_mut().map(|(_, bytes)| Sequence(bytes)).ok_or(Refused)
    }

    fn finish(self) -> Result<Self::Out, Refused> {
        Ok(self.members)
    }
}

struct Sequence<'l>(&'l mut Vec<u8>);

impl<'a> EntryVisitor<'a> for Sequence<'_> {
    type Error = Refused;

    fn item(self) -> Result<impl ItemVisitor<'a>, Refused> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'a>, Refused> {
        Err::<Ignored, _>(Refused)
    }
}

impl<'a> ItemVisitor<'a> for Sequence<'_> {
    type Out = ();
    type Error = Refused;

    fn bare_item(self, item: BareItemFromInput<'a>) -> Result<impl ParameterVisitor<'a, Out = ()>, Refused> {
        let BareItemFromInput::ByteSequence(bytes) = item else { return Err(Refused) };
        *self.0 = bytes;
        Ok(NoParameters)
    }
}

struct NoParameters;

impl<'a> ParameterVisitor<'a> for NoParameters {
    type Out = ();
    type Error = Refused;

    fn parameter(&mut self, _: &'a KeyRef, _: BareItemFromInput<'a>) -> Result<(), Refused> {
        Err(Refused)
    }

    fn finish(self) -> Result<(), Refused> {
        Ok(())
    }
}

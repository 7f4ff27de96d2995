//! Structured fields (RFC 9651) written again in canonical form.

use sfv::visitor::{DictionaryVisitor, EntryVisitor, InnerListVisitor, ItemVisitor, ListVisitor, ParameterVisitor};
use sfv::{BareItemFromInput, KeyRef, Parser};
use smallvec::SmallVec;

use super::structured::{MAX_PARAMETERS, Refused, write_bare, write_parameter};

/// The members of a dictionary, each in canonical form.
pub(super) fn dictionary(text: &[u8], most: usize) -> Option<Vec<(&str, String)>> {
    Parser::new(text).parse_dictionary_with_visitor(Canonical { members: Vec::new(), most }).ok()
}

/// The members of a list, each in canonical form.
pub(super) fn list(text: &[u8], most: usize) -> Option<Vec<String>> {
    let members = Parser::new(text).parse_list_with_visitor(Canonical { members: Vec::new(), most }).ok()?;
    Some(members.into_iter().map(|(_, member)| member).collect())
}

/// Members written again as they are read.
struct Canonical<'a> {
    members: Vec<(&'a str, String)>,
    most: usize,
}

impl<'a> Canonical<'a> {
    fn member(&mut self, key: &'a str) -> Result<Writer<'_, 'a>, Refused> {
        if self.members.len() >= self.most {
            return Err(Refused);
        }
        self.members.push((key, String::new()));
        self.members.last_mut().map(|(_, text)| Writer::new(text)).ok_or(Refused)
    }
}

impl<'a> DictionaryVisitor<'a> for Canonical<'a> {
    type Out = Vec<(&'a str, String)>;
    type Error = Refused;

    fn entry(&mut self, key: &'a KeyRef) -> Result<impl EntryVisitor<'a>, Refused> {
        match self.members.iter().any(|(other, _)| *other == key.as_str()) {
            true => Err(Refused),
            false => self.member(key.as_str()),
        }
    }

    fn finish(self) -> Result<Self::Out, Refused> {
        Ok(self.members)
    }
}

impl<'a> ListVisitor<'a> for Canonical<'a> {
    type Out = Vec<(&'a str, String)>;
    type Error = Refused;

    fn entry(&mut self) -> Result<impl EntryVisitor<'a>, Refused> {
        self.member("")
    }

    fn finish(self) -> Result<Self::Out, Refused> {
        Ok(self.members)
    }
}

/// Writes one member: an item, or an inner list and its items.
struct Writer<'w, 'a> {
    text: &'w mut String,
    items: usize,
    seen: SmallVec<[&'a KeyRef; 4]>,
}

impl<'w> Writer<'w, '_> {
    fn new(text: &'w mut String) -> Self {
        Self { text, items: 0, seen: SmallVec::new() }
    }
}

impl<'a> EntryVisitor<'a> for Writer<'_, 'a> {
    type Error = Refused;

    fn item(self) -> Result<impl ItemVisitor<'a>, Refused> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'a>, Refused> {
        self.text.push('(');
        Ok(self)
    }
}

impl<'a> InnerListVisitor<'a> for Writer<'_, 'a> {
    type Error = Refused;

    fn item(&mut self) -> Result<impl ItemVisitor<'a>, Refused> {
        if self.items > 0 {
            self.text.push(' ');
        }
        self.items = self.items.saturating_add(1);
        Ok(Writer::new(self.text))
    }

    fn finish(self) -> Result<impl ParameterVisitor<'a>, Refused> {
        self.text.push(')');
        Ok(self)
    }
}

impl<'a> ItemVisitor<'a> for Writer<'_, 'a> {
    type Out = ();
    type Error = Refused;

    fn bare_item(self, item: BareItemFromInput<'a>) -> Result<impl ParameterVisitor<'a, Out = ()>, Refused> {
        write_bare(self.text, &item);
        Ok(self)
    }
}

impl<'a> ParameterVisitor<'a> for Writer<'_, 'a> {
    type Out = ();
    type Error = Refused;

    fn parameter(&mut self, key: &'a KeyRef, value: BareItemFromInput<'a>) -> Result<(), Refused> {
        if self.seen.len() >= MAX_PARAMETERS || self.seen.contains(&key) {
            return Err(Refused);
        }
        self.seen.push(key);
        write_parameter(self.text, key, &value);
        Ok(())
    }

    fn finish(self) -> Result<(), Refused> {
        Ok(())
    }
}

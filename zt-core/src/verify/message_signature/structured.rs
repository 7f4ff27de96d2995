//! Structured fields (RFC 9651), read strictly: a repeated key is refused, and every list has an end.

use std::borrow::Cow;

use sfv::visitor::{DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor};
use sfv::{BareItemFromInput, ItemSerializer, KeyRef, Parser, RefBareItem, StringRef};
use smallvec::SmallVec;

/// Most parameters of one item or list.
pub(super) const MAX_PARAMETERS: usize = 16;

/// What the parser is told when a rule beyond RFC 9651 is broken.
#[derive(Debug, thiserror::Error)]
#[error("refused by rule")]
pub(super) struct Refused;

/// The parameters of an item or a list, in order.
#[derive(Debug, Default)]
pub(super) struct Parameters<'a>(SmallVec<[(&'a KeyRef, BareItemFromInput<'a>); 4]>);

impl<'a> Parameters<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &BareItemFromInput<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Appends the canonical form (RFC 9651, section 4.1.1.2).
    pub(super) fn write(&self, out: &mut String) {
        for (key, value) in &self.0 {
            write_parameter(out, key, value);
        }
    }
}

impl<'a> ParameterVisitor<'a> for &mut Parameters<'a> {
    type Out = ();
    type Error = Refused;

    fn parameter(&mut self, key: &'a KeyRef, value: BareItemFromInput<'a>) -> Result<(), Refused> {
        if self.0.len() >= MAX_PARAMETERS || self.0.iter().any(|(other, _)| *other == key) {
            return Err(Refused);
        }
        self.0.push((key, value));
        Ok(())
    }

    fn finish(self) -> Result<(), Refused> {
        Ok(())
    }
}

/// A string with parameters: how a component is named.
#[derive(Debug)]
pub(super) struct Named<'a> {
    name: Cow<'a, StringRef>,
    pub(super) parameters: Parameters<'a>,
}

impl Named<'_> {
    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Appends the canonical form (RFC 9651, section 4.1.3).
    pub(super) fn write(&self, out: &mut String) {
        write_bare(out, &*self.name);
        self.parameters.write(out);
    }
}

/// A member of a dictionary of lists of strings.
#[derive(Debug)]
pub(super) struct Labelled<'a> {
    pub(super) label: &'a str,
    pub(super) items: Vec<Named<'a>>,
    pub(super) parameters: Parameters<'a>,
}

/// A dictionary of at most so many lists, each of at most so many strings with parameters.
pub(super) fn lists_of_strings(text: &[u8], most: usize, most_items: usize) -> Option<Vec<Labelled<'_>>> {
    Parser::new(text).parse_dictionary_with_visitor(Lists { lists: Vec::new(), most, most_items }).ok()
}

struct Lists<'a> {
    lists: Vec<Labelled<'a>>,
    most: usize,
    most_items: usize,
}

impl<'a> DictionaryVisitor<'a> for Lists<'a> {
    type Out = Vec<Labelled<'a>>;
    type Error = Refused;

    fn entry(&mut self, key: &'a KeyRef) -> Result<impl EntryVisitor<'a>, Refused> {
        let label = key.as_str();
        if self.lists.len() >= self.most || self.lists.iter().any(|other| other.label == label) {
            return Err(Refused);
        }
        self.lists.push(Labelled { label, items: Vec::new(), parameters: Parameters::default() });
        let list = self.lists.last_mut().ok_or(Refused)?;
        Ok(Strings { list, most: self.most_items })
    }

    fn finish(self) -> Result<Self::Out, Refused> {
        Ok(self.lists)
    }
}

struct Strings<'l, 'a> {
    list: &'l mut Labelled<'a>,
    most: usize,
}

impl<'a> EntryVisitor<'a> for Strings<'_, 'a> {
    type Error = Refused;

    fn item(self) -> Result<impl ItemVisitor<'a>, Refused> {
        Err::<Ignored, _>(Refused)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'a>, Refused> {
        Ok(self)
    }
}

impl<'a> InnerListVisitor<'a> for Strings<'_, 'a> {
    type Error = Refused;

    fn item(&mut self) -> Result<impl ItemVisitor<'a>, Refused> {
        if self.list.items.len() >= self.most {
            return Err(Refused);
        }
        Ok(OneString(&mut self.list.items))
    }

    fn finish(self) -> Result<impl ParameterVisitor<'a>, Refused> {
        Ok(&mut self.list.parameters)
    }
}

struct OneString<'l, 'a>(&'l mut Vec<Named<'a>>);

impl<'a> ItemVisitor<'a> for OneString<'_, 'a> {
    type Out = ();
    type Error = Refused;

    fn bare_item(self, item: BareItemFromInput<'a>) -> Result<impl ParameterVisitor<'a, Out = ()>, Refused> {
        let BareItemFromInput::String(name) = item else { return Err(Refused) };
        self.0.push(Named { name, parameters: Parameters::default() });
        self.0.last_mut().map(|named| &mut named.parameters).ok_or(Refused)
    }
}

/// Appends a parameter in canonical form (RFC 9651, section 4.1.1.2).
pub(super) fn write_parameter(out: &mut String, key: &KeyRef, value: &BareItemFromInput<'_>) {
    out.push(';');
    out.push_str(key.as_str());
    if !matches!(value, BareItemFromInput::Boolean(true)) {
        out.push('=');
        write_bare(out, value);
    }
}

/// Appends a bare item in canonical form (RFC 9651, section 4.1.3.1).
pub(super) fn write_bare<'b>(out: &mut String, item: impl Into<RefBareItem<'b>>) {
    let _written: &mut String = ItemSerializer::with_buffer(out).bare_item(item).finish();
}

//! What a condition can depend on, and all the values that each can have.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::values::Values;
use crate::model::IdentityKind;
use crate::policy::facts::Fact;
use crate::policy::vocabulary::{ANONYMOUS, API_KEY, USER, WORKLOAD};

/// Something that a request decides. It is named, so that two policy sets speak of the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unknown {
    /// The type of the principal.
    Kind,
    /// The id of the principal.
    Id,
    /// Whether the principal is in this role or scope.
    Group(&'static str, Arc<str>),
    /// An attribute of the request context.
    Fact(&'static str),
    /// What an expression comes to. The mark tells worlds apart in which the same text can mean something else.
    Text { text: Arc<str>, mark: u64, fails: bool },
}

/// Types that a principal can be of; a bit each.
pub(crate) const KINDS: [&str; 4] = [USER, API_KEY, WORKLOAD, ANONYMOUS];
/// Every type.
pub(crate) const ANYONE: u8 = 0b1111;
/// The bit of nobody in particular.
pub(crate) const NOBODY: u8 = 0b1000;

/// States of what is true or false, or fails.
pub(crate) const TRUE: u8 = 1;
/// See [`TRUE`].
pub(crate) const FALSE: u8 = 2;
/// See [`TRUE`].
pub(crate) const FAILS: u8 = 4;

/// States of an attribute whose values are not told apart.
pub(crate) const PRESENT: u8 = 1;
/// See [`PRESENT`].
pub(crate) const ABSENT: u8 = 2;

impl Unknown {
    /// All the values it can have.
    pub(crate) fn all(&self) -> Values {
        match self {
            Self::Kind => Values::States(ANYONE),
            Self::Id => any_word(false),
            Self::Group(..) => Values::States(TRUE | FALSE),
            Self::Fact(name) => Fact::find(name).map_or(Values::States(PRESENT | ABSENT), all_of),
            Self::Text { fails: false, .. } => Values::States(TRUE | FALSE),
            Self::Text { fails: true, .. } => Values::States(TRUE | FALSE | FAILS),
        }
    }
}

/// The bit of a type; none when no principal is of it.
pub(crate) fn kind(ty: &str) -> u8 {
    KINDS.iter().zip([1, 2, 4, NOBODY]).find(|(known, _)| **known == ty).map_or(0, |(_, bit)| bit)
}

/// Every value of an attribute, and absence where it is optional.
pub(crate) fn all_of(fact: Fact) -> Values {
    let absent = !fact.required();
    let numbers = |low, high| Values::Numbers { ranges: vec![(low, high)], absent };
    match fact {
        Fact::Risk => numbers(0, 1_000),
        Fact::Hour => numbers(0, 23),
        Fact::Weekday => numbers(1, 7),
        Fact::Asn => numbers(0, u32::MAX.into()),
        Fact::AuthAge | Fact::TokenAge => numbers(0, i64::MAX),
        Fact::NowSeconds => numbers(i64::MIN, i64::MAX),
        Fact::Credential => {
            let kinds = [
                IdentityKind::Jwt,
                IdentityKind::ApiKey,
                IdentityKind::JwtSvid,
                IdentityKind::Certificate,
                IdentityKind::HttpSignature,
                IdentityKind::AwsSigv4,
                IdentityKind::Webhook,
                IdentityKind::Asserted,
            ];
            let names = kinds.iter().map(|kind| kind.as_str()).chain(["none"]);
            Values::Words { words: names.map(Box::from).collect(), others: false, absent }
        }
        fact if fact.ty() == "String" => any_word(absent),
        _ if absent => Values::States(PRESENT | ABSENT),
        _ => Values::States(PRESENT),
    }
}

/// Values of an attribute that is there.
pub(crate) fn present(fact: Fact) -> Values {
    match all_of(fact) {
        Values::States(_) => Values::States(PRESENT),
        Values::Numbers { ranges, .. } => Values::Numbers { ranges, absent: false },
        Values::Words { words, others, .. } => Values::Words { words, others, absent: false },
    }
}

const fn any_word(absent: bool) -> Values {
    Values::Words { words: BTreeSet::new(), others: true, absent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_has_values_and_only_optional_ones_may_be_absent() {
        for fact in Fact::ALL {
            let absent = Unknown::Fact(fact.name()).all().without(&present(*fact));
            assert_eq!(absent.is_empty(), fact.required(), "{}", fact.name());
            assert!(!present(*fact).is_empty());
        }
        assert_eq!(KINDS.map(kind).iter().sum::<u8>(), ANYONE);
        assert_eq!((kind(ANONYMOUS), kind("Role")), (NOBODY, 0));
    }
}

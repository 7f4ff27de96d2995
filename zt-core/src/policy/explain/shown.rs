//! Values and texts in bounded length.

use crate::policy::print::{quoted, write_value};
use crate::policy::value::{Record, Set, Stored, Uid, Value};

/// Longest text of a value, characters.
const VALUE_MAX: usize = 60;
/// Members of a set or record that are shown.
const MEMBERS_MAX: usize = 8;
/// Sets within sets that are shown.
const DEPTH_MAX: usize = 3;

/// A value as Cedar text; what is long is cut.
pub(super) fn value(value: Value<'_>) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Long(n) => n.to_string(),
        Value::Str(text) => quoted(&cut(text, VALUE_MAX)),
        Value::Entity(uid) => entity(uid),
        Value::Set(Set::Strings(names)) => listed(names.iter().map(|name| quoted(&cut(name, VALUE_MAX))), "[", "]"),
        Value::Set(Set::Stored(members)) => listed(members.iter().map(|member| stored(member, 1)), "[", "]"),
        Value::Record(Record::Stored(fields)) => {
            listed(fields.iter().map(|(name, field)| named(name, field, 1)), "{", "}")
        }
        Value::Set(Set::Built { .. }) => "a set".to_owned(),
        Value::Record(Record::Built { .. }) => "a record".to_owned(),
        Value::Ip(ip) => plain(&Stored::Ip(ip)),
        Value::Decimal(n) => plain(&Stored::Decimal(n)),
        Value::Datetime(n) => plain(&Stored::Datetime(n)),
        Value::Duration(n) => plain(&Stored::Duration(n)),
    }
}

/// `Type::"id"`.
pub(super) fn entity(uid: Uid<'_>) -> String {
    format!("{}::{}", cut(uid.ty, VALUE_MAX), quoted(&cut(uid.id, VALUE_MAX)))
}

/// The first so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn stored(member: &Stored, depth: usize) -> String {
    let deeper = depth.saturating_add(1);
    match member {
        Stored::Set(_) | Stored::Record(_) if depth >= DEPTH_MAX => "…".to_owned(),
        Stored::Set(members) => listed(members.iter().map(|member| stored(member, deeper)), "[", "]"),
        Stored::Record(fields) => listed(fields.iter().map(|(name, field)| named(name, field, deeper)), "{", "}"),
        scalar => value(scalar.borrow()),
    }
}

fn named(name: &str, field: &Stored, depth: usize) -> String {
    format!("{}: {}", quoted(&cut(name, VALUE_MAX)), stored(field, depth))
}

fn listed(mut members: impl Iterator<Item = String>, open: &str, close: &str) -> String {
    let shown: Vec<String> = members.by_ref().take(MEMBERS_MAX).collect();
    let more = if members.next().is_some() { ", …" } else { "" };
    format!("{open}{}{more}{close}", shown.join(", "))
}

fn plain(value: &Stored) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_stored() -> impl Strategy<Value = Stored> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Stored::Bool),
            any::<i64>().prop_map(Stored::Datetime),
            any::<i64>().prop_map(Stored::Decimal),
            ".{0,200}".prop_map(|text| Stored::Str(text.into())),
            (".{0,200}", ".{0,200}").prop_map(|(ty, id)| Stored::Entity(ty.into(), id.into())),
        ];
        leaf.prop_recursive(6, 200, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Stored::Set),
                prop::collection::btree_map(".{0,200}".prop_map(Box::from), inner, 0..20).prop_map(Stored::Record),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_is_shown_at_length(member in any_stored()) {
            // Eight of eight of eight, each a name and a value whose characters are all escaped.
            prop_assert!(value(member.borrow()).len() < 8 * 8 * 8 * 4 * 12 * VALUE_MAX);
        }

        #[test]
        fn a_cut_is_a_beginning(text in ".{0,80}", most in 0_usize..80) {
            let cut = cut(&text, most);
            prop_assert!(text.starts_with(cut.trim_end_matches('…')) && cut.chars().count() <= most + 1);
        }
    }

    #[test]
    fn long_sets_and_deep_ones_are_cut() {
        let names: Vec<Box<str>> = (0..9).map(|n| n.to_string().into()).collect();
        let eight = r#"["0", "1", "2", "3", "4", "5", "6", "7""#;
        assert_eq!(value(Value::Set(Set::Strings(&names))), format!("{eight}, …]"));
        assert_eq!(value(Value::Set(Set::Strings(&names[..8]))), format!("{eight}]"));
        let deep = (0..5).fold(Stored::Bool(true), |inner, _| Stored::Set(vec![inner]));
        assert_eq!(value(deep.borrow()), "[[[…]]]");
    }
}

//! Sets of requests as Cedar's conditions.

use super::cube::Cube;
use super::unknown::{ANYONE, FAILS, FALSE, KINDS, NOBODY, TRUE, Unknown, all_of, present};
use super::values::Values;
use crate::policy::facts::Fact;
use crate::policy::print::quoted;

/// What a cube says, as the parts of a condition that must all hold.
pub(crate) fn words(cube: &Cube) -> Vec<String> {
    let kinds = match cube.values(&Unknown::Kind) {
        Values::States(kinds) => kinds,
        _ => 0,
    };
    let grouped =
        cube.said().any(|(unknown, values)| matches!(unknown, Unknown::Group(..)) && *values == Values::States(TRUE));
    let mut parts = Vec::new();
    for (unknown, values) in cube.said() {
        match (unknown, values) {
            // Who is in a role is somebody.
            (Unknown::Kind, Values::States(kinds)) if grouped && *kinds == (!NOBODY & ANYONE) => {}
            (Unknown::Kind, Values::States(kinds)) => parts.push(is_one_of(*kinds)),
            (Unknown::Id, Values::Words { words, others, .. }) => {
                parts.push(named(kinds, words.iter().map(|word| &**word), *others))
            }
            (Unknown::Group(ty, name), Values::States(state)) => {
                let inside = format!("principal in {}", entity(ty, name));
                parts.push(if *state == TRUE { inside } else { format!("!({inside})") });
            }
            (Unknown::Fact(name), values) => parts.extend(Fact::find(name).and_then(|fact| attribute(fact, values))),
            (Unknown::Text { text, .. }, Values::States(state)) => parts.extend(expression(text, *state)),
            _ => {}
        }
    }
    parts
}

/// An entity as Cedar writes it.
pub(crate) fn entity(ty: &str, id: &str) -> String {
    format!("{ty}::{}", quoted(id))
}

fn of_bits(kinds: u8) -> impl Iterator<Item = &'static str> {
    KINDS.into_iter().zip([1, 2, 4, NOBODY]).filter(move |(_, bit)| kinds & bit != 0).map(|(ty, _)| ty)
}

fn is_one_of(kinds: u8) -> String {
    let is = |ty: &str| format!("principal is {ty}");
    let (these, others): (Vec<&str>, Vec<&str>) = (of_bits(kinds).collect(), of_bits(!kinds).collect());
    match (these.as_slice(), others.as_slice()) {
        ([one], _) => is(one),
        (_, [other]) => format!("!({})", is(other)),
        (many, _) => bracketed(many.iter().map(|ty| is(ty)).collect()),
    }
}

fn named<'n>(kinds: u8, ids: impl Iterator<Item = &'n str>, others: bool) -> String {
    let sign = if others { "!=" } else { "==" };
    let one = |id: &'n str| of_bits(kinds & !NOBODY).map(move |ty| format!("principal {sign} {}", entity(ty, id)));
    let all: Vec<String> = ids.flat_map(one).collect();
    if others { all.join(" && ") } else { bracketed(all) }
}

fn bracketed(mut any: Vec<String>) -> String {
    if any.len() == 1 { any.pop().unwrap_or_default() } else { format!("({})", any.join(" || ")) }
}

fn attribute(fact: Fact, values: &Values) -> Option<String> {
    let name = format!("context.{}", fact.name());
    let has = format!("context has {}", fact.name());
    let there = values.and(&present(fact));
    let may_be_absent = !values.without(&present(fact)).is_empty();
    let any_value = present(fact).without(&there).is_empty();
    let value = if any_value { None } else { Some(value(&name, fact, &there)) };
    match (may_be_absent, value) {
        _ if there.is_empty() => Some(format!("!({has})")),
        (true, None) => None,
        (true, Some(value)) => Some(format!("(!({has}) || {value})")),
        (false, None) => Some(has),
        (false, Some(value)) if fact.required() => Some(value),
        (false, Some(value)) => Some(format!("{has} && {value}")),
    }
}

fn value(name: &str, fact: Fact, values: &Values) -> String {
    match values {
        Values::Numbers { ranges, .. } => numbers(name, fact, ranges),
        Values::Words { words, others, .. } => {
            // Where there are few words, those that are left out may be fewer.
            let (words, others) = match (all_of(fact), others) {
                (Values::Words { words: all, others: false, .. }, false) if words.len() > all.len() / 2 => {
                    (all.difference(words).cloned().collect(), true)
                }
                _ => (words.clone(), *others),
            };
            let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            match (quoted.as_slice(), others) {
                ([one], false) => format!("{name} == {one}"),
                ([one], true) => format!("{name} != {one}"),
                (many, false) => format!("[{}].contains({name})", many.join(", ")),
                (many, true) => format!("!([{}].contains({name}))", many.join(", ")),
            }
        }
        Values::States(_) => "true".to_owned(),
    }
}

fn numbers(name: &str, fact: Fact, ranges: &[(i64, i64)]) -> String {
    let all = match all_of(fact) {
        Values::Numbers { ranges, .. } => ranges.first().copied().unwrap_or((i64::MIN, i64::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    if let [(low, before), (after, high)] = ranges
        && (*low, *high) == all
        && before.checked_add(2) == Some(*after)
    {
        return format!("{name} != {}", before.saturating_add(1));
    }
    let one = |(low, high): &(i64, i64)| match (*low > all.0, *high < all.1) {
        _ if low == high => format!("{name} == {low}"),
        (true, true) => format!("{name} >= {low} && {name} <= {high}"),
        (true, false) => format!("{name} >= {low}"),
        (false, _) => format!("{name} <= {high}"),
    };
    bracketed(ranges.iter().map(one).collect())
}

/// What an expression comes to; words for what Cedar has no expression for.
fn expression(text: &str, state: u8) -> Option<String> {
    let loose = text.contains(" || ") || text.starts_with("if ");
    match state {
        TRUE if loose => Some(format!("({text})")),
        TRUE => Some(text.to_owned()),
        FALSE => Some(format!("!({text})")),
        FAILS => Some(format!("`{text}` cannot be evaluated")),
        _ if state == (FALSE | FAILS) => Some(format!("`{text}` is false or cannot be evaluated")),
        _ if state == (TRUE | FAILS) => Some(format!("`{text}` is true or cannot be evaluated")),
        _ => Some(format!("`{text}` can be evaluated")),
    }
}

//! A set of requests as a class of principals and a condition.

use crate::policy::logic::{ANYONE, Cube, KINDS, TRUE, Unknown, Values, entity, words};

/// Classes, most telling first: named principals, or a role or scope, or types; each with when.
pub(super) fn classes(cube: &Cube) -> Vec<(String, String)> {
    let kinds = match cube.values(&Unknown::Kind) {
        Values::States(kinds) => kinds,
        _ => 0,
    };
    let of_kinds = |kinds: u8| KINDS.into_iter().zip([1_u8, 2, 4, 8]).filter(move |(_, bit)| kinds & bit != 0);
    let mut rest = cube.clone();
    if let Values::Words { words: ids, others: false, .. } = cube.values(&Unknown::Id) {
        rest.forget(&Unknown::Id);
        rest.forget(&Unknown::Kind);
        let condition = condition(&rest);
        // Nobody in particular has no id that policies can name.
        let one = |id: &str| of_kinds(kinds & 0b111).map(|(ty, _)| entity(ty, id)).collect::<Vec<_>>();
        return ids.iter().flat_map(|id| one(id)).map(|class| (class, condition.clone())).collect();
    }
    let group = cube.said().find_map(|(unknown, values)| match unknown {
        Unknown::Group(ty, name) if *values == Values::States(TRUE) => Some((unknown.clone(), entity(ty, name))),
        _ => None,
    });
    if let Some((unknown, class)) = group {
        rest.forget(&unknown);
        if kinds == 0b111 {
            rest.forget(&Unknown::Kind);
        }
        return vec![(class, condition(&rest))];
    }
    let negated_id = cube.said().any(|(unknown, _)| *unknown == Unknown::Id);
    if kinds == ANYONE && !negated_id {
        return vec![("anyone".to_owned(), condition(&rest))];
    }
    let of_kind = |(ty, bit): (&str, u8)| {
        // The type stays for what is said of its ids, and goes where the class says it.
        let only = cube.with(&Unknown::Kind, &Values::States(bit))?;
        let said: Vec<String> = words(&only).into_iter().filter(|part| *part != format!("principal is {ty}")).collect();
        Some((ty.to_owned(), joined(said)))
    };
    of_kinds(kinds).filter_map(of_kind).collect()
}

fn condition(cube: &Cube) -> String {
    joined(words(cube))
}

fn joined(parts: Vec<String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "always".to_owned() } else { format!("when {{ {} }}", parts.join(" && ")) }
}

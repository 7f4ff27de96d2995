//! Which policies hide other members of responses than before.

use std::collections::{BTreeMap, BTreeSet};

use super::Redacted;
use crate::policy::Compiled;

type Fields<'a> = BTreeSet<&'a str>;

/// What policies hid and no longer hide, and what they newly hide, by their names. One that is gone and one that is new are
/// taken for the same where they hide the same.
pub(super) fn compare(old: &Compiled, new: &Compiled) -> Vec<Redacted> {
    let (mut old, mut new) = (by_name(old), by_name(new));
    let mut come: Vec<(&str, &Fields<'_>)> =
        new.iter().filter(|(name, _)| !old.contains_key(*name)).map(|(name, fields)| (*name, fields)).collect();
    let mut renamed = Vec::new();
    for (name, fields) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        if let Some(at) = come.iter().position(|(_, same)| *same == fields) {
            renamed.push((*name, come.remove(at).0));
        }
    }
    for (before, after) in renamed {
        old.remove(before);
        new.remove(after);
    }
    let (names, none): (BTreeSet<&str>, _) = (old.keys().chain(new.keys()).copied().collect(), Fields::new());
    let changed = names.into_iter().map(|name| {
        let (old, new) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
        let only = |a: &Fields<'_>, b: &Fields<'_>| a.difference(b).map(|field| (*field).to_owned()).collect();
        Redacted { policy: name.to_owned(), shown: only(old, new), hidden: only(new, old) }
    });
    changed.filter(|changed| !changed.shown.is_empty() || !changed.hidden.is_empty()).collect()
}

fn by_name(of: &Compiled) -> BTreeMap<&str, Fields<'_>> {
    let mut fields: BTreeMap<&str, Fields<'_>> = BTreeMap::new();
    for (at, hidden) in &of.redactions {
        let Some(rule) = of.program.rules.get(*at as usize) else { continue };
        fields.entry(&rule.id).or_default().extend(hidden.iter().map(|field| &**field));
    }
    fields
}

//! What policies name.

use std::collections::BTreeSet;

use super::Policy;
use super::program::Program;
use super::value::Stored;
use super::vocabulary::{ROLE, SCOPE};

/// Entities and texts that policies name.
#[derive(Debug, Default)]
pub(crate) struct Mentions<'p> {
    entities: BTreeSet<(&'p str, &'p str)>,
    /// `context.roles.contains("x")` names a role as well; so may any other text.
    texts: BTreeSet<&'p str>,
}

impl Policy {
    /// What it names.
    pub(crate) fn mentions(&self) -> Mentions<'_> {
        Mentions::of(&self.0.program)
    }
}

impl<'p> Mentions<'p> {
    pub(super) fn of(program: &'p Program) -> Self {
        let entities = program.uids.iter().map(|(ty, id)| (&**ty, &**id)).collect();
        let mut texts = BTreeSet::new();
        let mut open: Vec<&Stored> = program.constants.iter().collect();
        while let Some(value) = open.pop() {
            match value {
                Stored::Str(text) | Stored::Entity(_, text) => drop(texts.insert(&**text)),
                Stored::Set(members) => open.extend(members),
                Stored::Record(fields) => open.extend(fields.values()),
                _ => {}
            }
        }
        Self { entities, texts }
    }

    /// Whether this entity, or some text that is its name, is named.
    #[cfg(feature = "compile")]
    pub(super) fn has(&self, ty: &str, name: &str) -> bool {
        self.entities.contains(&(ty, name)) || self.is_text(name)
    }

    /// Whether some text of a policy is this.
    pub(crate) fn is_text(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// Roles.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &'p str> {
        self.of_type(ROLE)
    }

    /// OAuth scopes.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &'p str> {
        self.of_type(SCOPE)
    }

    fn of_type(&self, wanted: &'static str) -> impl Iterator<Item = &'p str> {
        self.entities.iter().filter(move |(ty, _)| *ty == wanted).map(|(_, name)| *name)
    }
}

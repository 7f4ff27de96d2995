//! The members to hide, as a tree of names.

use crate::base::member_path::{MemberPath, Step};

/// A tree of steps; node 0 is the root of the document.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    nodes: Vec<Node>,
    /// Bytes of the longest name.
    longest: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// By name, sorted.
    names: Vec<(Box<str>, u32)>,
    any: Option<u32>,
    hidden: bool,
}

impl Fields {
    pub(super) fn new(paths: &[MemberPath]) -> Self {
        let mut fields = Self { nodes: vec![Node::default()], longest: 0 };
        for path in paths {
            fields.add(path);
        }
        fields
    }

    /// Bytes of the longest name: a longer one is in no path, unless by `*`.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Appends where this name leads from a node; whether what stands there is to be hidden.
    pub(super) fn follow(&self, node: u32, name: Option<&[u8]>, next: &mut Vec<u32>) -> bool {
        let Some(node) = self.nodes.get(node as usize) else { return false };
        let named = name.and_then(|name| {
            let at = node.names.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok()?;
            node.names.get(at).map(|(_, child)| *child)
        });
        let mut hidden = false;
        for child in named.into_iter().chain(node.any) {
            hidden |= self.nodes.get(child as usize).is_some_and(|node| node.hidden);
            next.push(child);
        }
        hidden
    }

    fn add(&mut self, path: &MemberPath) {
        let mut at = 0;
        for step in path.steps() {
            let new = self.nodes.len();
            let number = u32::try_from(new).unwrap_or(u32::MAX);
            let Some(node) = self.nodes.get_mut(at) else { return };
            let child = match step {
                Step::Any => *node.any.get_or_insert(number),
                Step::Name(name) => match node.names.binary_search_by(|(known, _)| known.cmp(name)) {
                    Ok(found) => node.names.get(found).map_or(number, |(_, child)| *child),
                    Err(place) => {
                        node.names.insert(place, (name.clone(), number));
                        self.longest = self.longest.max(name.len());
                        number
                    }
                },
            };
            if child == number {
                self.nodes.push(Node::default());
            }
            at = child as usize;
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.hidden = true;
        }
    }
}

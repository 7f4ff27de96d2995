//! Builds a program: interns names and entities, and keeps children before their parents.

use std::collections::BTreeMap;

use cedar_policy::pst;

use crate::policy::like::Pattern;
use crate::policy::program::{Node, NodeId, Program, Run};
use crate::policy::value::Stored;

use super::number;

/// Type and id of an entity.
type Name = (String, String);

/// What the slots of a template are filled with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    pub(crate) principal: Option<Name>,
    pub(crate) resource: Option<Name>,
}

/// A program being built.
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) program: Program,
    /// Of the template that is being linked.
    pub(super) slots: Slots,
    /// Depth of each node.
    depths: Vec<usize>,
    names: BTreeMap<Box<str>, u32>,
    uids: BTreeMap<(Box<str>, Box<str>), u32>,
}

impl Builder {
    pub(super) fn push(&mut self, node: Node) -> NodeId {
        let (few, many) = self.program.children(&node);
        let depth_of = |child: NodeId| self.depths.get(child as usize).copied().unwrap_or_default();
        let children = few.into_iter().flatten().chain(many.iter().copied());
        let depth = children.map(depth_of).max().unwrap_or_default().saturating_add(1);
        self.depths.push(depth);
        self.program.nodes.push(node);
        number(self.program.nodes.len().saturating_sub(1))
    }

    pub(super) fn depth(&self, node: NodeId) -> usize {
        self.depths.get(node as usize).copied().unwrap_or_default()
    }

    pub(super) fn node(&self, node: NodeId) -> Option<&Node> {
        self.program.nodes.get(node as usize)
    }

    pub(super) fn run(&mut self, members: &[u32]) -> Run {
        let start = number(self.program.lists.len());
        self.program.lists.extend_from_slice(members);
        Run { start, len: number(members.len()) }
    }

    pub(super) fn constant(&mut self, value: Stored) -> NodeId {
        match value {
            Stored::Bool(b) => self.push(Node::Bool(b)),
            Stored::Long(n) => self.push(Node::Long(n)),
            value => {
                self.program.constants.push(value);
                let at = number(self.program.constants.len().saturating_sub(1));
                self.push(Node::Constant(at))
            }
        }
    }

    /// The value of a node that is a constant.
    pub(super) fn known(&self, node: NodeId) -> Option<Stored> {
        match self.node(node)? {
            Node::Bool(b) => Some(Stored::Bool(*b)),
            Node::Long(n) => Some(Stored::Long(*n)),
            Node::Constant(at) => self.program.constants.get(*at as usize).cloned(),
            _ => None,
        }
    }

    pub(super) fn pattern(&mut self, elements: &[pst::PatternElem]) -> u32 {
        let pattern = Pattern::new(elements.iter().map(|element| match element {
            pst::PatternElem::Char(c) => Some(*c),
            pst::PatternElem::Wildcard => None,
        }));
        self.program.patterns.push(pattern);
        number(self.program.patterns.len().saturating_sub(1))
    }

    pub(super) fn name(&mut self, name: &str) -> u32 {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let at = number(self.program.names.len());
        self.program.names.push(name.into());
        self.names.insert(name.into(), at);
        at
    }

    pub(super) fn ty(&mut self, ty: &pst::EntityType) -> u32 {
        self.name(&ty.to_string())
    }

    pub(super) fn symbol(&mut self, uid: &pst::EntityUID) -> u32 {
        self.symbol_of(&uid.ty.to_string(), &uid.eid)
    }

    pub(super) fn symbol_of(&mut self, ty: &str, id: &str) -> u32 {
        let key: (Box<str>, Box<str>) = (ty.into(), id.into());
        let next = number(self.program.uids.len());
        let at = *self.uids.entry(key.clone()).or_insert(next);
        if at == next {
            self.program.uids.push(key);
        }
        at
    }
}

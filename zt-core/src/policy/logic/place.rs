//! What of an endpoint conditions can ask for.

use crate::policy::index::Row;
use crate::policy::program::{Node, Program, Var};
use crate::policy::table::{hash_pair, hash_uid};

/// Of each node, whether it asks for the action or the resource, or for what is in what.
pub(super) fn of_place(program: &Program) -> Vec<bool> {
    let mut found: Vec<bool> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let own = match node {
            Node::In(..) => true,
            Node::Var(var) | Node::VarIn(var, _) => matches!(var, Var::Action | Var::Resource),
            _ => false,
        };
        let (few, many) = program.children(node);
        let mut children = few.into_iter().flatten().chain(many.iter().copied());
        let below = children.any(|child| found.get(child as usize).copied().unwrap_or(true));
        found.push(own || below);
    }
    found
}

/// What of a row conditions can ask for.
pub(super) fn signature(row: &Row) -> u64 {
    let segment = row.segment.as_deref().map_or(0, |segment| hash_uid("Segment", segment));
    let groups = row.groups.iter().fold(segment, |mark, group| fold(mark, hash_uid("Action", group)));
    fold(groups, hash_uid("Endpoint", &row.id))
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are mixed")]
pub(super) fn fold(mark: u64, with: u64) -> u64 {
    let mixed = mark.rotate_left(17) ^ with;
    hash_pair(mixed as u32, (mixed >> 32) as u32)
}

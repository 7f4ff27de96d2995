//! A segment tree: one node for each distinct prefix of templates, names of variables left out.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::Path;
use super::template::{Pattern, Segment, Template};

/// Templates by segment. A lookup visits a node at most once, so it is bounded by the tree whatever the path.
#[derive(Debug)]
pub(super) struct Tree<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Debug)]
struct Node<T> {
    literals: BTreeMap<Box<str>, u32>,
    patterns: BTreeMap<Pattern, u32>,
    any: Option<u32>,
    exact: Option<T>,
    slash: Option<T>,
    tail: Option<T>,
}

enum Step {
    Visit(u32, usize),
    Tail(u32),
}

impl<T: Default> Tree<T> {
    /// Without templates.
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::new()] }
    }

    /// The entry of a template, made when it is not there yet.
    pub(super) fn entry(&mut self, template: &Template) -> &mut T {
        let mut at = 0;
        for segment in &template.segments {
            let fresh = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let node = self.node_mut(at);
            at = *match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_insert(fresh),
                Segment::Pattern(pattern, _) => node.patterns.entry(pattern.clone()).or_insert(fresh),
                Segment::Any(_) => node.any.get_or_insert(fresh),
            };
            if at == fresh {
                self.nodes.push(Node::new());
            }
        }
        let node = self.node_mut(at);
        let entry = match (template.tail, template.slash) {
            (true, _) => &mut node.tail,
            (false, true) => &mut node.slash,
            (false, false) => &mut node.exact,
        };
        entry.get_or_insert_default()
    }

    #[expect(clippy::indexing_slicing, reason = "while compiling; every index is one that was pushed")]
    fn node_mut(&mut self, at: u32) -> &mut Node<T> {
        &mut self.nodes[at as usize]
    }
}

impl<T> Tree<T> {
    /// Offers the entries that match, most specific first, until one is taken.
    ///
    /// Segments decide from left to right: literal, pattern, variable, `/**`; at the end of the path the entry with
    /// the path's own trailing slash (or without) comes first, then the other, then `/**`.
    pub(super) fn find<'t, R>(&'t self, path: &Path<'_>, mut take: impl FnMut(&'t T) -> Option<R>) -> Option<R> {
        let mut steps: SmallVec<[Step; 16]> = SmallVec::new();
        steps.push(Step::Visit(0, 0));
        while let Some(step) = steps.pop() {
            let (at, depth) = match step {
                Step::Visit(at, depth) => (at, depth),
                Step::Tail(at) => match self.node(at)?.tail.as_ref().and_then(&mut take) {
                    None => continue,
                    taken => return taken,
                },
            };
            let node = self.node(at)?;
            let Some(segment) = path.segments.get(depth) else {
                let (own, other) = match path.trailing_slash {
                    true => (&node.slash, &node.exact),
                    false => (&node.exact, &node.slash),
                };
                match [own, other, &node.tail].into_iter().flatten().find_map(&mut take) {
                    None => continue,
                    taken => return taken,
                }
            };
            let below = depth.saturating_add(1);
            if node.tail.is_some() {
                steps.push(Step::Tail(at));
            }
            if let Some(any) = node.any {
                steps.push(Step::Visit(any, below));
            }
            for (pattern, next) in node.patterns.iter().rev() {
                if pattern.captures(segment).is_some() {
                    steps.push(Step::Visit(*next, below));
                }
            }
            if let Some(next) = node.literals.get(&**segment) {
                steps.push(Step::Visit(*next, below));
            }
        }
        None
    }

    fn node(&self, at: u32) -> Option<&Node<T>> {
        self.nodes.get(at as usize)
    }
}

impl<T> Node<T> {
    const fn new() -> Self {
        Self { literals: BTreeMap::new(), patterns: BTreeMap::new(), any: None, exact: None, slash: None, tail: None }
    }
}

//! A segment tree: one node for each distinct prefix of templates, names of variables left out.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::Path;
use super::template::{Pattern, Segment, Template};

/// Templates by segment. A lookup visits a node at most once, so it is bounded by the tree whatever the path.
#[derive(Debug)]
pub(super) struct Tree<T> {
    nodes: Vec<Node>,
    /// What templates lead to; apart from the nodes, so that these stay small.
    entries: Vec<T>,
}

#[derive(Debug)]
struct Node {
    /// By [`key`].
    literals: BTreeMap<u64, SameKey>,
    patterns: BTreeMap<Pattern, u32>,
    any: Option<u32>,
    exact: Option<u32>,
    slash: Option<u32>,
    tail: Option<u32>,
}

/// Texts of one key, almost always a single one, with the node below.
type SameKey = SmallVec<[(Box<str>, u32); 1]>;

enum Step<'p> {
    /// A node, and what is left of the path.
    Visit(u32, &'p str),
    /// An entry of `/**`.
    Tail(u32),
}

impl<T: Default> Tree<T> {
    /// Without templates.
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::new()], entries: Vec::new() }
    }

    /// The entry of a template, made when it is not there yet.
    pub(super) fn entry(&mut self, template: &Template) -> &mut T {
        let mut at = 0;
        for segment in &template.segments {
            let fresh = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let node = self.node_mut(at);
            at = *match segment {
                Segment::Literal(text) => node.literal_mut(text, fresh),
                Segment::Pattern(pattern, _) => node.patterns.entry(pattern.clone()).or_insert(fresh),
                Segment::Any(_) => node.any.get_or_insert(fresh),
            };
            if at == fresh {
                self.nodes.push(Node::new());
            }
        }
        let fresh = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let node = self.node_mut(at);
        let entry = match (template.tail, template.slash) {
            (true, _) => &mut node.tail,
            (false, true) => &mut node.slash,
            (false, false) => &mut node.exact,
        };
        let entry = *entry.get_or_insert(fresh);
        if entry == fresh {
            self.entries.push(T::default());
        }
        self.entry_mut(entry)
    }

    #[expect(clippy::indexing_slicing, reason = "while compiling; every index is one that was pushed")]
    fn entry_mut(&mut self, at: u32) -> &mut T {
        &mut self.entries[at as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "while compiling; every index is one that was pushed")]
    fn node_mut(&mut self, at: u32) -> &mut Node {
        &mut self.nodes[at as usize]
    }
}

impl<T> Tree<T> {
    /// Offers the entries that match, most specific first, until one is taken.
    ///
    /// Segments decide from left to right: literal, pattern, variable, `/**`; at the end of the path the entry with
    /// the path's own trailing slash (or without) comes first, then the other, then `/**`.
    pub(super) fn find<'t, R>(&'t self, path: &Path<'_>, mut take: impl FnMut(&'t T) -> Option<R>) -> Option<R> {
        let mut steps: SmallVec<[Step<'_>; 8]> = SmallVec::new();
        steps.push(Step::Visit(0, &path.text));
        let mut offer = |entry: u32| self.entries.get(entry as usize).and_then(&mut take);
        while let Some(step) = steps.pop() {
            let (at, left) = match step {
                Step::Visit(at, left) => (at, left),
                Step::Tail(entry) => match offer(entry) {
                    None => continue,
                    taken => return taken,
                },
            };
            let node = self.node(at)?;
            let Some((segment, left)) = next_segment(left) else {
                let (own, other) = match path.trailing_slash {
                    true => (node.slash, node.exact),
                    false => (node.exact, node.slash),
                };
                match [own, other, node.tail].into_iter().flatten().find_map(&mut offer) {
                    None => continue,
                    taken => return taken,
                }
            };
            if let Some(entry) = node.tail {
                steps.push(Step::Tail(entry));
            }
            if let Some(any) = node.any {
                steps.push(Step::Visit(any, left));
            }
            for (pattern, next) in node.patterns.iter().rev() {
                if pattern.captures(segment).is_some() {
                    steps.push(Step::Visit(*next, left));
                }
            }
            if let Some(next) = node.literal(segment) {
                steps.push(Step::Visit(next, left));
            }
        }
        None
    }

    fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(at as usize)
    }
}

impl Node {
    const fn new() -> Self {
        Self { literals: BTreeMap::new(), patterns: BTreeMap::new(), any: None, exact: None, slash: None, tail: None }
    }

    fn literal(&self, segment: &str) -> Option<u32> {
        if self.literals.is_empty() {
            return None;
        }
        let same_key = self.literals.get(&key(segment))?;
        same_key.iter().find(|(text, _)| **text == *segment).map(|(_, next)| *next)
    }

    #[expect(clippy::indexing_slicing, reason = "while compiling; the index was found or pushed just before")]
    fn literal_mut(&mut self, segment: &str, fresh: u32) -> &mut u32 {
        let same_key = self.literals.entry(key(segment)).or_default();
        let found = same_key.iter().position(|(text, _)| **text == *segment);
        let at = found.unwrap_or_else(|| {
            same_key.push((segment.into(), fresh));
            same_key.len().saturating_sub(1)
        });
        &mut same_key[at].1
    }
}

/// Splits the next segment off a path. Segments are short: a plain loop beats a vectorised search.
pub(super) fn next_segment(left: &str) -> Option<(&str, &str)> {
    let left = left.strip_prefix('/')?;
    left.split_at_checked(left.bytes().position(|byte| byte == b'/').unwrap_or(left.len()))
}

/// Comparing numbers is quicker than comparing text. Not a keyed hash: requests look keys up, only the configuration
/// adds any.
fn key(segment: &str) -> u64 {
    let (chunks, rest) = segment.as_bytes().as_chunks::<8>();
    let mix = |key: u64, word: u64| (key ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let key = chunks.iter().fold(segment.len() as u64, |key, chunk| mix(key, u64::from_le_bytes(*chunk)));
    mix(key, rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
}

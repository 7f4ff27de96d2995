//! Looks over policy text before Cedar's parser does: bounds its nesting, and finds where each policy stands.
//!
//! Cedar's parser, validator and destructors recurse with the text's nesting, so text that nests too deep has to be
//! refused before they see it, whatever the caller's stack.

use std::ops::Range;

use super::limits::{
    ANNOTATIONS_MAX, BRACKET, CLAUSES_MAX, Cap, DEPTH_MAX, LITERAL_MAX, MEMBERS_MAX, POLICY_MAX, PROBLEMS_MAX,
    WILDCARDS_MAX,
};

/// Stack for Cedar's parser and validator where it can be had, bytes: an unoptimised build takes ten times as much.
const STACK: usize = 32 << 20;

/// Runs something that hands scanned text to Cedar, with stack enough whatever the caller has left.
pub(crate) fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(STACK, work)
}

/// Whether a text nests no deeper than Cedar's parsers can be trusted with.
pub(crate) fn check_depth(text: &str) -> bool {
    scan(text).broken.iter().all(|broken| broken.cap != Cap::Depth)
}

/// A token: where it is and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) range: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    String,
    Sign(u8),
}

/// Where policies stand in a text, and what in it is past a limit.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// Range of each policy, in order.
    pub(super) policies: Vec<Range<usize>>,
    pub(super) broken: Vec<Broken>,
}

/// Text that goes past a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where it does.
    pub(super) at: usize,
    pub(super) cap: Cap,
    /// Start of its policy.
    pub(super) policy: usize,
}

#[derive(Clone, Copy, Default)]
struct Level {
    operators: usize,
    deepest_child: usize,
    depth: usize,
    members: usize,
}

impl Level {
    /// Ends a part that a comma or a bracket closes.
    fn end_part(&mut self) {
        let part = self.operators.saturating_add(self.deepest_child);
        *self = Self { depth: self.depth.max(part), members: self.members.saturating_add(1), ..Self::default() };
    }
}

/// What is counted in one policy.
#[derive(Default)]
struct Counted {
    start: Option<usize>,
    annotations: usize,
    clauses: usize,
    /// The word before, where it is one that counts.
    before: Option<Before>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Clause,
    Like,
}

/// Finds the policies of a text, and those that go past a limit. Where brackets open without end, the rest is one policy.
pub(super) fn scan(text: &str) -> Scan {
    let mut found = Scan::default();
    let mut levels = vec![Level::default()];
    let (mut policy, mut open) = (Counted::default(), 0_usize);
    for token in tokens(text) {
        let at = token.range.start;
        let start = *policy.start.get_or_insert(at);
        let mut past = |cap: Cap, at: usize| {
            let mut of_policy = found.broken.iter().rev().take_while(|broken| broken.policy == start);
            if !of_policy.any(|broken| broken.cap == cap) {
                found.broken.push(Broken { at, cap, policy: start });
            }
        };
        let outermost = levels.len() <= 1;
        let Some(level) = levels.last_mut() else { continue };
        if token.range.len() > LITERAL_MAX {
            past(Cap::Literal, at);
        }
        let before = policy.before.take();
        match token.kind {
            Kind::Sign(sign @ (b'(' | b'[' | b'{')) => {
                if sign == b'{' && outermost && before == Some(Before::Clause) {
                    // Cedar joins clauses one below the other.
                    level.operators = level.operators.saturating_add(usize::from(policy.clauses > 0));
                    policy.clauses = policy.clauses.saturating_add(1);
                    if policy.clauses > CLAUSES_MAX {
                        past(Cap::Clauses, at);
                    }
                }
                levels.push(Level::default());
            }
            Kind::Sign(b')' | b']' | b'}') if !outermost => {
                level.end_part();
                let depth = level.depth;
                levels.pop();
                if let Some(outer) = levels.last_mut() {
                    outer.deepest_child = outer.deepest_child.max(depth.saturating_add(BRACKET));
                }
            }
            Kind::Sign(b';') if outermost => {
                level.end_part();
                if level.depth > DEPTH_MAX {
                    past(Cap::Depth, start);
                }
                if token.range.end.saturating_sub(start) > POLICY_MAX {
                    past(Cap::Policy, start);
                }
                *level = Level::default();
                policy = Counted::default();
                found.policies.push(start..token.range.end);
                if found.broken.len() >= PROBLEMS_MAX {
                    return found;
                }
            }
            Kind::Sign(b',') => {
                level.end_part();
                if level.members >= MEMBERS_MAX {
                    past(Cap::Members, at);
                }
            }
            Kind::Sign(b'&' | b'|' | b'+' | b'-' | b'*' | b'.' | b'!' | b'<' | b'>' | b'=') => {
                level.operators = level.operators.saturating_add(1);
            }
            Kind::Sign(b'@') if outermost => {
                policy.annotations = policy.annotations.saturating_add(1);
                if policy.annotations > ANNOTATIONS_MAX {
                    past(Cap::Annotations, at);
                }
            }
            Kind::String
                if before == Some(Before::Like)
                    && wildcards(text.get(token.range.clone()).unwrap_or_default()) > WILDCARDS_MAX =>
            {
                past(Cap::Wildcards, at);
            }
            Kind::Word => match text.get(token.range) {
                Some(word @ ("if" | "in" | "is" | "has" | "like")) => {
                    policy.before = (word == "like").then_some(Before::Like);
                    level.operators = level.operators.saturating_add(1);
                }
                Some("when" | "unless") if outermost => policy.before = Some(Before::Clause),
                _ => {}
            },
            _ => {}
        }
        // Brackets that never close are held to the same bound.
        open = open.saturating_add_signed(match token.kind {
            Kind::Sign(b'(' | b'[' | b'{') => 1,
            Kind::Sign(b')' | b']' | b'}') => -1,
            _ => 0,
        });
        if open > DEPTH_MAX / BRACKET {
            found.broken.push(Broken { at, cap: Cap::Depth, policy: start });
            found.policies.push(start..text.len());
            return found;
        }
    }
    // An unfinished policy is Cedar's to refuse, once its limits are known.
    if let Some(start) = policy.start {
        let unfinished = levels.iter_mut().map(|level| {
            level.end_part();
            level.depth
        });
        if unfinished.fold(0, usize::saturating_add) > DEPTH_MAX {
            found.broken.push(Broken { at: start, cap: Cap::Depth, policy: start });
        }
        if text.len().saturating_sub(start) > POLICY_MAX {
            found.broken.push(Broken { at: start, cap: Cap::Policy, policy: start });
        }
        found.policies.push(start..text.len());
    }
    found
}

/// Wildcards of a pattern; `\*` is a star.
fn wildcards(pattern: &str) -> usize {
    let mut escaped = false;
    let wild = pattern.bytes().filter(|byte| {
        let plain = !escaped;
        escaped = plain && *byte == b'\\';
        plain && *byte == b'*'
    });
    wild.count()
}

/// Where a word, sign or string first stands in a range of a text.
pub(super) fn find(text: &str, range: &Range<usize>, wanted: &str) -> Option<Range<usize>> {
    let part = text.get(range.clone())?;
    let shift = |r: Range<usize>| r.start.saturating_add(range.start)..r.end.saturating_add(range.start);
    tokens(part).map(|token| token.range).find(|r| part.get(r.clone()) == Some(wanted)).map(shift)
}

/// String literals in a range of a text, with their quotes.
pub(super) fn strings<'t>(text: &'t str, range: &Range<usize>) -> impl Iterator<Item = &'t str> {
    let part = text.get(range.clone()).unwrap_or_default();
    tokens(part).filter(|token| token.kind == Kind::String).filter_map(move |token| part.get(token.range))
}

/// Line and column (in characters) of an offset, from 1.
pub(super) fn position(text: &str, offset: usize) -> (u32, u32) {
    step((1, 1), text.get(..offset).unwrap_or(text))
}

/// [`position`] of where each range starts, in one pass over the text; they are in order.
pub(super) fn positions<'t>(text: &'t str, ranges: &'t [Range<usize>]) -> impl Iterator<Item = (u32, u32)> {
    ranges.iter().scan(((1, 1), 0), |(position, from), range| {
        *position = step(*position, text.get(*from..range.start).unwrap_or_default());
        *from = range.start;
        Some(*position)
    })
}

/// Where a text ends that starts here.
fn step((line, column): (u32, u32), text: &str) -> (u32, u32) {
    let add = |to: u32, n: usize| to.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
    match text.rsplit_once('\n') {
        None => (line, add(column, text.chars().count())),
        Some((before, last)) => (
            add(line, memchr::memchr_iter(b'\n', before.as_bytes()).count().saturating_add(1)),
            add(1, last.chars().count()),
        ),
    }
}

fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let bytes = text.as_bytes();
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let first = *rest.first()?;
            let (len, kind) = match first {
                b'/' if rest.get(1) == Some(&b'/') => (memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()), None),
                b'"' => (string_len(rest), Some(Kind::String)),
                b if b.is_ascii_alphanumeric() || b == b'_' || b == b'?' => (word_len(rest), Some(Kind::Word)),
                b if b.is_ascii_whitespace() => (1, None),
                // `&&`, `||` and `==` are one operator.
                b'&' | b'|' | b'=' if rest.get(1) == Some(&first) => (2, Some(Kind::Sign(first))),
                _ => (1, Some(Kind::Sign(first))),
            };
            let range = at..at.saturating_add(len.max(1));
            at = range.end;
            if let Some(kind) = kind {
                return Some(Token { range, kind });
            }
        }
    })
}

fn word_len(rest: &[u8]) -> usize {
    let tail = rest.get(1..).unwrap_or_default();
    tail.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count().saturating_add(1)
}

/// Length of a string literal with its quotes; the rest of the text when it does not end.
fn string_len(rest: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at.saturating_add(1),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_policies_and_positions() {
        let text = "// a; b\npermit(principal, action == Action::\"x;\\\"\", resource);\n\n @id(\"b\")\nforbid(principal, action, resource);";
        let scan = scan(text);
        assert_eq!((scan.policies.len(), scan.broken), (2, vec![]));
        let second = scan.policies[1].clone();
        assert!(text[second.clone()].starts_with("@id"));
        assert_eq!(position(text, second.start), (4, 2));
        assert_eq!(position(text, find(text, &second, "forbid").unwrap().start), (5, 1));
    }

    fn caps(text: &str) -> Vec<Cap> {
        scan(text).broken.into_iter().map(|broken| broken.cap).collect()
    }

    fn wrap(body: &str) -> String {
        format!("permit(principal,action,resource) when {{ {body} }};")
    }

    #[test]
    fn bounds_nesting() {
        let deep = |text: &str| caps(text) == [Cap::Depth];
        let nested = |n: usize| wrap(&format!("{}true{}", "(".repeat(n), ")".repeat(n)));
        assert!(!deep(&nested(47)) && deep(&nested(48)));
        assert!(!deep(&wrap(&"(".repeat(47))) && deep(&wrap(&"(".repeat(48))));
        let chained = |n: usize| wrap(&format!("true{}", " && true".repeat(n)));
        assert!(!deep(&chained(DEPTH_MAX - BRACKET)) && deep(&chained(DEPTH_MAX - BRACKET + 1)));
        assert!(deep(chained(DEPTH_MAX).trim_end_matches(';')));
        assert!(!deep(&wrap(&format!("[{}].contains(1)", "1,".repeat(5_000)))));
        assert!(deep(&wrap(&"if true then true else ".repeat(5_000))));
    }

    #[test]
    fn caps_at_their_edges() {
        let edges: [(Cap, usize, &dyn Fn(usize) -> String); 5] = [
            (Cap::Literal, LITERAL_MAX - 2, &|n| wrap(&format!("\"{}\" == \"\"", "x".repeat(n)))),
            (Cap::Members, MEMBERS_MAX, &|n| wrap(&format!("[{}].isEmpty()", vec!["1"; n].join(",")))),
            (Cap::Annotations, ANNOTATIONS_MAX, &|n| format!("{}{}", "@a(\"\")".repeat(n), wrap("true"))),
            (Cap::Clauses, CLAUSES_MAX, &|n| {
                format!("permit(principal,action,resource){};", " unless { false }".repeat(n))
            }),
            (Cap::Wildcards, WILDCARDS_MAX, &|n| wrap(&format!("\"\" like \"\\*{}\"", "a*".repeat(n)))),
        ];
        for (cap, most, text) in edges {
            assert_eq!(caps(&text(most)), [], "{cap:?}");
            assert_eq!(caps(&text(most + 1)), [cap], "{cap:?}");
        }
        let spaces = " ".repeat(POLICY_MAX);
        assert_eq!(caps(&wrap(&format!("true{spaces}"))), [Cap::Policy]);
        assert_eq!(caps(&format!("{}{spaces}", wrap("true"))), []);
        assert_eq!(caps(&format!("permit(principal,action,resource){spaces}")), [Cap::Policy]);
    }

    #[test]
    fn each_broken_policy_is_told_once_for_each_limit() {
        let wide = format!("\"{}\"", "x".repeat(LITERAL_MAX));
        let bad = wrap(&format!("{wide} == {wide} && [{}].isEmpty()", vec!["1"; MEMBERS_MAX + 9].join(",")));
        let text = format!("{bad}\n{}\n{bad}", wrap("true"));
        assert_eq!(caps(&text), [Cap::Literal, Cap::Members, Cap::Literal, Cap::Members]);
        assert_eq!(scan(&text).policies.len(), 3);
        assert_eq!(caps(&"x;".repeat(1_000).replace('x', &"@a".repeat(65))).len(), PROBLEMS_MAX);
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") {
            let _ = scan(&text);
            let _ = find(&text, &(0..text.len()), "if");
        }

        #[test]
        fn positions_in_one_pass_are_those_alone(text in "[a\\n\u{e9};]*") {
            let starts: Vec<Range<usize>> = text.char_indices().map(|(at, _)| at..text.len()).collect();
            let alone: Vec<(u32, u32)> = starts.iter().map(|range| position(&text, range.start)).collect();
            prop_assert_eq!(positions(&text, &starts).collect::<Vec<_>>(), alone);
        }

        #[test]
        fn positions_stay_in_the_text(text in "[a\\n\u{e9}]*", offset in 0_usize..40) {
            let (line, _) = position(&text, offset);
            prop_assert!(line as usize <= text.lines().count() + 1);
        }
    }
}

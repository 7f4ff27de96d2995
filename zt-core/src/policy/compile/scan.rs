//! Looks over policy text before Cedar's parser does: bounds its nesting, and finds where each policy stands.
//!
//! Cedar's parser, validator and destructors recurse with the text's nesting, so text that nests too deep has to be
//! refused before they see it, whatever the caller's stack.

use std::ops::Range;

/// Deepest syntax tree, over-estimated: operators beside one another count one, a bracket counts [`BRACKET`].
/// Cedar takes about 3.5 KiB of stack for one in an optimised build: this fits the 1 MiB that WebAssembly has.
pub(super) const DEPTH_MAX: usize = 192;
/// A bracket costs as much stack as this many operators.
const BRACKET: usize = 4;
/// Stack for Cedar's parser and validator where it can be had, bytes: an unoptimised build takes ten times as much.
const STACK: usize = 32 << 20;

/// Runs something that hands scanned text to Cedar, with stack enough whatever the caller has left.
pub(crate) fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(STACK, work)
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

/// Where policies stand in a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// Range of each policy, in order.
    pub(super) policies: Vec<Range<usize>>,
}

/// Text that nests too deep, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooDeep(pub(super) usize);

#[derive(Clone, Copy, Default)]
struct Level {
    operators: usize,
    deepest_child: usize,
    depth: usize,
}

impl Level {
    /// Ends a part that a comma or a bracket closes.
    fn end_part(&mut self) {
        let part = self.operators.saturating_add(self.deepest_child);
        *self = Self { depth: self.depth.max(part), ..Self::default() };
    }
}

/// Finds the policies of a text, or where it nests too deep.
pub(super) fn scan(text: &str) -> Result<Scan, TooDeep> {
    let mut found = Scan::default();
    let mut levels = vec![Level::default()];
    let (mut start, mut open) = (None, 0_usize);
    for token in tokens(text) {
        start = start.or(Some(token.range.start));
        let at = token.range.start;
        let outermost = levels.len() <= 1;
        let Some(level) = levels.last_mut() else { continue };
        match token.kind {
            Kind::Sign(b'(' | b'[' | b'{') => {
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
                let depth = level.depth;
                *level = Level::default();
                if depth > DEPTH_MAX {
                    return Err(TooDeep(start.unwrap_or(at)));
                }
                found.policies.extend(start.take().map(|start| start..token.range.end));
            }
            Kind::Sign(b',') => level.end_part(),
            Kind::Sign(b'&' | b'|' | b'+' | b'-' | b'*' | b'.' | b'!' | b'<' | b'>' | b'=') => {
                level.operators = level.operators.saturating_add(1);
            }
            Kind::Word if matches!(text.get(token.range), Some("if" | "in" | "is" | "has" | "like")) => {
                level.operators = level.operators.saturating_add(1);
            }
            _ => {}
        }
        // Brackets that never close are held to the same bound.
        open = open.saturating_add_signed(match token.kind {
            Kind::Sign(b'(' | b'[' | b'{') => 1,
            Kind::Sign(b')' | b']' | b'}') => -1,
            _ => 0,
        });
        if open > DEPTH_MAX / BRACKET {
            return Err(TooDeep(at));
        }
    }
    // An unfinished policy is Cedar's to refuse, once its depth is known.
    let unfinished = levels.iter_mut().map(|level| {
        level.end_part();
        level.depth
    });
    match start {
        Some(start) if unfinished.fold(0, usize::saturating_add) > DEPTH_MAX => Err(TooDeep(start)),
        start => {
            found.policies.extend(start.map(|start| start..text.len()));
            Ok(found)
        }
    }
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
        let scan = scan(text).unwrap();
        assert_eq!(scan.policies.len(), 2);
        let second = scan.policies[1].clone();
        assert!(text[second.clone()].starts_with("@id"));
        assert_eq!(position(text, second.start), (4, 2));
        assert_eq!(position(text, find(text, &second, "forbid").unwrap().start), (5, 1));
    }

    #[test]
    fn bounds_nesting() {
        let wrap = |body: String| format!("permit(principal,action,resource) when {{ {body} }};");
        let nested = |n: usize| wrap(format!("{}true{}", "(".repeat(n), ")".repeat(n)));
        assert!(scan(&nested(47)).is_ok());
        assert!(scan(&nested(48)).is_err());
        assert!(scan(&wrap("(".repeat(47))).is_ok());
        assert!(scan(&wrap("(".repeat(48))).is_err());
        let chained = |n: usize| wrap(format!("true{}", " && true".repeat(n)));
        assert!(scan(&chained(DEPTH_MAX - BRACKET)).is_ok());
        assert!(scan(&chained(DEPTH_MAX - BRACKET + 1)).is_err());
        assert!(scan(chained(DEPTH_MAX).trim_end_matches(';')).is_err());
        assert!(scan(&wrap(format!("[{}].contains(1)", "1,".repeat(5_000)))).is_ok());
        assert!(scan(&wrap("if true then true else ".repeat(5_000))).is_err());
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

//! How much policy text is taken: every cap on hostile files, in one place.
//!
//! They are far above what people write, and low enough that refusing or loading any file takes seconds at most and
//! never more stack than there is.

use crate::model::Problem;

/// Largest text of one source, bytes.
pub(crate) const TEXT_MAX: usize = 8 << 20;
/// Largest text of one policy, bytes.
pub(super) const POLICY_MAX: usize = 1 << 20;
/// Most policies in all, linked ones with them.
pub(crate) const POLICIES_MAX: usize = 100_000;
/// Most nodes that all policies together compile to.
pub(super) const NODES_MAX: usize = 4_000_000;
/// Longest string literal or name, bytes as written.
pub(super) const LITERAL_MAX: usize = 64 << 10;
/// Most members of one set or record, and of any other list between two brackets.
pub(super) const MEMBERS_MAX: usize = 10_000;
/// Most annotations of one policy.
pub(super) const ANNOTATIONS_MAX: usize = 64;
/// Most `when` and `unless` of one policy.
pub(super) const CLAUSES_MAX: usize = 64;
/// Most wildcards of one pattern of `like`.
pub(super) const WILDCARDS_MAX: usize = 100;
/// Most text that all links together come to, each with the text of its template, bytes.
pub(crate) const LINKED_MAX: usize = 64 << 20;
/// Most mistakes told of one source, of its validation, of links, and of what is compiled.
pub(crate) const PROBLEMS_MAX: usize = 100;

/// Deepest syntax tree, over-estimated: operators beside one another count one, as clauses do, a bracket counts
/// [`BRACKET`]. Cedar takes about 3.5 KiB of stack for one in an optimised build: this fits the 1 MiB that WebAssembly
/// has.
pub(super) const DEPTH_MAX: usize = 192;
/// A bracket costs as much stack as this many operators.
pub(super) const BRACKET: usize = 4;

/// What stands in place of mistakes beyond [`PROBLEMS_MAX`].
pub(super) fn more_mistakes(key: &str) -> Problem {
    Problem::new(key, format!("more than {PROBLEMS_MAX} mistakes: the rest was not looked at"))
}

/// Why links are too many for the text of their templates; each is a policy with all of it.
pub(crate) fn linked_problem(key: &str, bytes: usize) -> Option<Problem> {
    let message = || format!("links come to more than {LINKED_MAX} bytes, each with the text of its template");
    let problem = || Problem::new(key, message()).mend("shorten the template, or link it to groups");
    (bytes > LINKED_MAX).then(problem)
}

/// A limit that a text goes past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cap {
    Depth,
    Policy,
    Literal,
    Members,
    Annotations,
    Clauses,
    Wildcards,
}

impl Cap {
    /// What is wrong, and what to write instead.
    pub(super) fn says(self) -> (String, &'static str) {
        match self {
            Self::Depth => (
                format!(
                    "nested too deep to be parsed safely: more than {DEPTH_MAX} levels, a bracket counting as {BRACKET}"
                ),
                "split it into policies, or write a set: `[...].contains(x)`",
            ),
            Self::Policy => (format!("a policy of more than {POLICY_MAX} bytes"), "split it into policies"),
            Self::Literal => (
                format!("a string or name of more than {LITERAL_MAX} bytes"),
                "compare with something shorter, such as a name or a digest",
            ),
            Self::Members => (
                format!("a set, record or list of more than {MEMBERS_MAX} members"),
                "make the members children of one group, and ask `in`",
            ),
            Self::Annotations => {
                (format!("more than {ANNOTATIONS_MAX} annotations on one policy"), "keep what is read")
            }
            Self::Clauses => (
                format!("more than {CLAUSES_MAX} `when` and `unless` in one policy"),
                "join them with `&&`, or split the policy",
            ),
            Self::Wildcards => {
                (format!("a pattern of more than {WILDCARDS_MAX} wildcards"), "split it into several `like`")
            }
        }
    }
}

//! Paths of members in a JSON document, from its root: `customer.ssn`, `accounts.*.iban`.
//!
//! Names stand between dots; `*` is every member of an object. Arrays need no step of their own: a path goes through
//! every element. A backslash takes the meaning of what follows it: `a\.b` is one name. Whatever looks like another
//! language of paths is refused, because a path that means nothing would show what it was to hide.

use std::fmt;

/// Bytes of one path as written.
pub const BYTES_MAX: usize = 256;
/// Steps of one path.
pub const STEPS_MAX: usize = 16;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The members of this name.
    Name(Box<str>),
    /// Every member.
    Any,
}

/// The way to a member; at least one step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberPath(Vec<Step>);

/// Why a text is not a path, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {what}")]
pub struct NoPath {
    text: Box<str>,
    what: &'static str,
    /// What to write instead.
    pub mend: &'static str,
}

impl MemberPath {
    /// Reads one path.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, NoPath> {
        let text = text.trim_start_matches(' ');
        let (path, rest) = one(text).map_err(|problem| problem.of(text))?;
        if rest.is_some() {
            return Err(Problem("holds a comma", "write `\\,` where it is a part of the name").of(text));
        }
        Ok(path)
    }

    /// Reads paths with commas between them, in their order.
    ///
    /// # Errors
    /// For each part that is none.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, Vec<NoPath>> {
        let (mut paths, mut problems) = (Vec::new(), Vec::new());
        let mut rest = Some(text);
        while let Some(text) = rest {
            let text = text.trim_start_matches(' ');
            match one(text) {
                Ok((path, after)) => {
                    paths.push(path);
                    rest = after;
                }
                Err(problem) => {
                    let part = text.find(',').and_then(|at| text.split_at_checked(at));
                    problems.push(problem.of(part.map_or(text, |(part, _)| part)));
                    rest = part.and_then(|(_, after)| after.get(1..));
                }
            }
        }
        if problems.is_empty() { Ok(paths) } else { Err(problems) }
    }

    /// The steps, from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for MemberPath {
    /// As it is parsed, in the one form that paths with the same meaning share.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Any => f.write_str("*")?,
                Step::Name(name) => write_name(f, name)?,
            }
        }
        Ok(())
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    for (at, c) in name.chars().enumerate() {
        let special = match c {
            '.' | ',' | '*' | '\\' | '[' | ']' | ' ' => true,
            '$' | '/' => at == 0,
            _ => false,
        };
        if special {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    Ok(())
}

/// What is wrong, and its mend.
struct Problem(&'static str, &'static str);

impl Problem {
    fn of(self, text: &str) -> NoPath {
        let shown = text.chars().filter(|c| !c.is_control()).take(64).collect::<String>();
        NoPath { text: shown.into(), what: self.0, mend: self.1 }
    }
}

/// Reads one path; what follows its comma, if there is one.
fn one(text: &str) -> Result<(MemberPath, Option<&str>), Problem> {
    const NAMES: &str = "write names with dots between them, as in `customer.ssn`";
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let (step, end, after) = step(rest)?;
        steps.push(step);
        rest = after;
        if steps.len() > STEPS_MAX || text.len().saturating_sub(rest.len()) > BYTES_MAX {
            return Err(Problem("is longer than a path may be", "at most 16 names and 256 bytes"));
        }
        match end {
            Some('.') if rest.trim_start_matches(' ').is_empty() => return Err(Problem("ends with a dot", NAMES)),
            Some('.') => {}
            Some(_) => return Ok((MemberPath(steps), Some(rest))),
            None => return Ok((MemberPath(steps), None)),
        }
    }
}

/// Reads one step; what ended it, and what follows.
fn step(text: &str) -> Result<(Step, Option<char>, &str), Problem> {
    const ESCAPE: &str = "write a backslash before it where it is a part of the name";
    let mut name = String::new();
    let (mut spaced, mut star) = (false, false);
    let mut chars = text.chars();
    let end = loop {
        let Some(c) = chars.next() else { break None };
        let meant = match c {
            '.' | ',' => break Some(c),
            c if spaced && c != ' ' => {
                return Err(Problem("holds a space", "put a comma between two fields; in a name write `\\ `"));
            }
            '\\' => match chars.next() {
                Some(c) if c.is_ascii_punctuation() || c == ' ' => c,
                _ => return Err(Problem("holds a backslash before nothing special", "write `\\\\` for a backslash")),
            },
            '*' if name.is_empty() && !star => {
                star = true;
                continue;
            }
            '*' => {
                return Err(Problem(
                    "holds a `*` that is not a whole step",
                    "`*` alone is every member; `\\*` is a star",
                ));
            }
            '[' | ']' => {
                return Err(Problem("holds a bracket", "leave it out: a path goes through every element of an array"));
            }
            '$' if name.is_empty() => return Err(Problem("starts with `$`", "write names only, from the root")),
            '/' if name.is_empty() => return Err(Problem("starts with a slash", ESCAPE)),
            ' ' => {
                spaced = true;
                continue;
            }
            c if c.is_control() => return Err(Problem("holds a control character", "leave it out")),
            c => c,
        };
        name.push(meant);
    };
    let step = match (star, name.is_empty()) {
        (true, true) => Step::Any,
        (true, false) => {
            return Err(Problem("holds a `*` that is not a whole step", "`*` alone is every member; `\\*` is a star"));
        }
        (false, true) => {
            return Err(Problem("has an empty step", "write names with dots between them, as in `customer.ssn`"));
        }
        (false, false) => Step::Name(name.into()),
    };
    Ok((step, end, chars.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Step {
        Step::Name(text.into())
    }

    #[test]
    fn names_dots_and_stars() {
        let steps = |text: &str| MemberPath::parse(text).unwrap().0;
        assert_eq!(steps("ssn"), [name("ssn")]);
        assert_eq!(steps(r"a.*.b\ c "), [name("a"), Step::Any, name("b c")]);
        assert_eq!(steps(r"a\.b.\*.\$x.p/q.é"), [name("a.b"), name("*"), name("$x"), name("p/q"), name("é")]);
        let list = MemberPath::parse_list(r" a.b , c\,d").unwrap();
        assert_eq!(list, [MemberPath(vec![name("a"), name("b")]), MemberPath(vec![name("c,d")])]);
    }

    #[test]
    fn what_looks_like_another_language_is_refused() {
        for (text, why) in [
            ("", "empty step"),
            ("a..b", "empty step"),
            ("a.", "ends with a dot"),
            ("$.a", "starts with `$`"),
            ("/a/b", "slash"),
            ("a[0].b", "bracket"),
            ("a[].b", "bracket"),
            ("a.**.b", "not a whole step"),
            ("a*", "not a whole step"),
            ("*a", "not a whole step"),
            ("a,b", "comma"),
            ("ssn history", "holds a space"),
            ("a. b", "holds a space"),
            (r"a\b", "backslash"),
            ("a\nb", "control"),
            (&"a".repeat(257), "longer"),
            (&["a"; 17].join("."), "longer"),
        ] {
            let problem = MemberPath::parse(text).expect_err(text).to_string();
            assert!(problem.contains(why), "{text}: {problem}");
        }
        let problems = MemberPath::parse_list("a, $.b, c[0], d").unwrap_err();
        assert_eq!(problems.len(), 2);
        assert!(MemberPath::parse_list("a,").is_err() && MemberPath::parse_list(",a").is_err());
    }

    fn path() -> impl Strategy<Value = MemberPath> {
        let step = prop_oneof![9 => "[a-z $./*,\\[\\]\\\\é]{1,6}".prop_map(|text| name(&text)), 1 => Just(Step::Any)];
        prop::collection::vec(step, 1..=STEPS_MAX).prop_map(MemberPath)
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(paths in prop::collection::vec(path(), 1..4)) {
            let texts: Vec<String> = paths.iter().map(MemberPath::to_string).collect();
            for (path, text) in paths.iter().zip(&texts) {
                prop_assert_eq!(&MemberPath::parse(text).unwrap(), path);
            }
            prop_assert_eq!(MemberPath::parse_list(&texts.join(", ")).unwrap(), paths);
        }

        #[test]
        fn any_text_is_a_path_or_is_refused(text in "[a-c. ,*$/\\\\\\[\\]\u{0}é]{0,24}") {
            if let Ok(paths) = MemberPath::parse_list(&text) {
                for path in paths {
                    prop_assert_eq!(MemberPath::parse(&path.to_string()).unwrap(), path);
                }
            }
        }
    }
}

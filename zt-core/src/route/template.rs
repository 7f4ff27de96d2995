//! Path templates: what `/a/{id}/files/{name}.json` matches and what its variables hold.

use std::cmp::Reverse;

use smallvec::SmallVec;

use super::normalise;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) segments: Vec<Segment>,
    /// Ends in `/**`: all that is below, and the path itself.
    pub(super) tail: bool,
    /// Ends in a slash.
    pub(super) slash: bool,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// This text, decoded.
    Literal(Box<str>),
    /// Variables with text around or between them.
    Pattern(Pattern, Names),
    /// Any one segment: a variable, or `*` without a name.
    Any(Option<Box<str>>),
}

/// Names of a pattern's variables, in order.
pub(super) type Names = Vec<Box<str>>;

/// Prefix, texts between variables, suffix: one more than there are variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    literals: Vec<Box<str>>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['?', '#']) {
            return Err(format!("`{text}` holds a query or a fragment: only a path can be matched"));
        }
        let Some(body) = text.strip_prefix('/') else { return Err(format!("`{text}` does not start with `/`")) };
        let (body, slash) = body.strip_suffix('/').map_or((body, false), |body| (body, true));
        let mut template = Self { segments: Vec::new(), tail: false, slash };
        if body.is_empty() && !slash {
            return Ok(template);
        }
        for piece in body.split('/') {
            match piece {
                _ if template.tail => return Err(format!("`{text}` has something after `**`")),
                "" => return Err(format!("`{text}` has an empty segment")),
                "**" => template.tail = true,
                "*" => template.segments.push(Segment::Any(None)),
                _ => template.segments.push(Segment::parse(piece).map_err(|what| format!("`{text}`: {what}"))?),
            }
        }
        if template.tail && slash {
            return Err(format!("`{text}` has something after `**`"));
        }
        Ok(template)
    }
}

impl Template {
    /// The same in lower case, and whether that makes a difference.
    pub(super) fn lower_case(&self) -> (Self, bool) {
        let lower = |text: &str| text.to_ascii_lowercase().into_boxed_str();
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => Segment::Literal(lower(text)),
            Segment::Pattern(pattern, names) => {
                let literals = pattern.literals.iter().map(|literal| lower(literal)).collect();
                Segment::Pattern(Pattern { literals }, names.clone())
            }
            Segment::Any(name) => Segment::Any(name.clone()),
        });
        let lower = Self { segments: segments.collect(), ..*self };
        let differs = lower != *self;
        (lower, differs)
    }

    /// Whether some path may fit both; never false where one does.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let both = self.segments.iter().zip(&other.segments).all(|(a, b)| a.overlaps(b));
        let reaches = |short: &Self, long: &Self| short.tail || short.segments.len() >= long.segments.len();
        both && reaches(self, other) && reaches(other, self)
    }
}

impl Segment {
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::Literal(text), Self::Pattern(pattern, _)) | (Self::Pattern(pattern, _), Self::Literal(text)) => {
                pattern.captures(text).is_some()
            }
            _ => true,
        }
    }

    fn parse(piece: &str) -> Result<Self, String> {
        let mut literals: Vec<Box<str>> = Vec::new();
        let mut names: Names = Vec::new();
        let mut rest = piece;
        while let Some((literal, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { return Err("`{` without `}`".to_owned()) };
            if name.is_empty() || name.contains(['{', '*', ' ']) {
                return Err(format!("`{{{name}}}` is not a variable"));
            }
            let literal = decode_literal(literal)?;
            // Nothing tells where one of two adjacent variables ends: they are one, under the first name.
            if literals.is_empty() || !literal.is_empty() {
                literals.push(literal);
                names.push(name.into());
            }
            rest = after;
        }
        let last = decode_literal(rest)?;
        if literals.is_empty() {
            return match normalise::is_dot_segment(&last) {
                true => Err("a `.` or `..` segment matches no request".to_owned()),
                false => Ok(Self::Literal(last)),
            };
        }
        literals.push(last);
        match (names.as_slice(), literals.iter().all(|literal| literal.is_empty())) {
            ([name], true) => Ok(Self::Any(Some(name.clone()))),
            _ => Ok(Self::Pattern(Pattern { literals }, names)),
        }
    }
}

impl Pattern {
    /// The value of each variable, when the segment fits. Each holds at least one character, as few as will do.
    pub(super) fn captures<'s>(&self, segment: &'s str) -> Option<SmallVec<[&'s str; 4]>> {
        let (prefix, others) = self.literals.split_first()?;
        let (suffix, between) = others.split_last()?;
        let mut rest = segment.strip_prefix(&**prefix)?.strip_suffix(&**suffix)?;
        let mut values = SmallVec::new();
        for literal in between {
            let first = rest.chars().next()?.len_utf8();
            let at = rest.get(first..)?.find(&**literal)?.saturating_add(first);
            let (value, after) = rest.split_at_checked(at)?;
            values.push(value);
            rest = after.strip_prefix(&**literal)?;
        }
        if rest.is_empty() {
            return None;
        }
        values.push(rest);
        Some(values)
    }

    /// Sorts more specific patterns first: more literal text, then the text itself.
    pub(super) fn rank(&self) -> (Reverse<usize>, &[Box<str>]) {
        (Reverse(self.literals.iter().map(|literal| literal.len()).sum()), &self.literals)
    }
}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// Text of a template, read as a request's would be.
fn decode_literal(text: &str) -> Result<Box<str>, String> {
    if text.contains(['}', '*']) {
        return Err("`}` without `{`, or a `*` that is not a whole segment".to_owned());
    }
    if text.contains(' ') {
        return Err("a raw space: write `%20`".to_owned());
    }
    match normalise::decode(text) {
        Ok(literal) => Ok(literal.into()),
        Err(finding) => Err(format!("holds {}, which is refused in every request", finding.detail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Tries every length for every variable.
    fn fits(literals: &[Box<str>], segment: &str) -> bool {
        match literals {
            [] => false,
            [last] => **last == *segment,
            [first, rest @ ..] => segment
                .strip_prefix(&**first)
                .is_some_and(|after| after.char_indices().any(|(at, c)| fits(rest, &after[at + c.len_utf8()..]))),
        }
    }

    proptest! {
        #[test]
        fn patterns_fit_when_any_choice_of_lengths_does(between in prop::collection::vec("[abé]{1,2}", 0..3), ends in ("[ab]{0,2}", "[ab]{0,2}"), segment in "[abé]{0,8}") {
            let literals: Vec<Box<str>> =
                [ends.0].into_iter().chain(between).chain([ends.1]).map(Into::into).collect();
            let expected = fits(&literals, &segment);
            prop_assert_eq!(Pattern { literals }.captures(&segment).is_some(), expected);
        }
    }

    fn captures<'s>(template: &str, segment: &'s str) -> Option<Vec<&'s str>> {
        match Template::parse(template).unwrap().segments.remove(0) {
            Segment::Pattern(pattern, names) => {
                pattern.captures(segment).inspect(|values| assert_eq!(values.len(), names.len())).map(|v| v.to_vec())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn variables_hold_at_least_one_character() {
        assert_eq!(captures("/{name}.json", "a.json"), Some(vec!["a"]));
        assert_eq!(captures("/{name}.json", "a.json.json"), Some(vec!["a.json"]));
        assert_eq!(captures("/{name}.json", ".json"), None);
        assert_eq!(captures("/v{n}", "v12"), Some(vec!["12"]));
        assert_eq!(captures("/{x}-{y}", "a-b-c"), Some(vec!["a", "b-c"]));
        assert_eq!(captures("/{x}-{y}", "--é"), Some(vec!["-", "é"]));
        assert_eq!(captures("/{x}-{y}", "é-"), None);
        assert_eq!(captures("/{a}:verb", "x:verb"), Some(vec!["x"]));
        assert_eq!(captures("/aba{x}aba", "ababa"), None);
        assert_eq!(captures("/p{a}{b}", "pxy"), Some(vec!["xy"]));
    }

    #[test]
    fn templates_that_match_nothing_are_mistakes() {
        for text in [
            "", "a", "/a//b", "//", "/**/a", "/**/", "/a/../b", "/{", "/{}", "/}", "/a{b", "/a*", "/{a*}", "/a?b",
            "/a#b", "/a%2fb", "/%zz", "/a b", "/{a/b}", "/a\\b", "/%2e",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        let read = Template::parse("/%61/{id}/*/{x}y/**").unwrap();
        assert_eq!(read.segments.len(), 4);
        assert!(read.tail && !read.slash);
        assert_eq!(read.segments[0], Segment::Literal("a".into()));
        assert!(Template::parse("/a/").unwrap().slash);
        assert!(!Template::parse("/").unwrap().slash);
    }
}

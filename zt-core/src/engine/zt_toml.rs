//! Reads `zt.toml`: every mistake at once, each with its key, line and mend.
//!
//! serde stops at the first mistake. So the entry it names is reported, cut out of the parsed document, and the
//! rest is read again, until it reads or nothing is left to cut.

use std::ops::Range;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::Config;
use crate::base::near::nearest;
use crate::model::Problem;

/// Longest configuration text, bytes.
const MAX_TEXT: usize = 16 << 20;
/// Mistakes reported before giving up.
const MAX_PROBLEMS: usize = 64;

/// A parsed configuration text: finds keys again, for the lines of later mistakes.
pub(super) struct ZtToml<'a> {
    text: &'a str,
    root: DeTable<'a>,
}

/// What a text says, and what is wrong with it.
pub(super) struct Read {
    /// The configuration without the entries that could not be read.
    pub(super) config: Option<Config>,
    /// Mistakes, in the order of their lines.
    pub(super) problems: Vec<Problem>,
}

impl<'a> ZtToml<'a> {
    /// Parses the text.
    ///
    /// # Errors
    /// Every syntax error with its line.
    pub(super) fn parse(text: &'a str) -> Result<Self, Vec<Problem>> {
        if text.len() > MAX_TEXT {
            let message = format!("the text is {} bytes long", text.len());
            return Err(vec![Problem::new("", message).mend(format!("keep it under {MAX_TEXT} bytes"))]);
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(Self { text, root: root.into_inner() });
        }
        let problem = |error: toml::de::Error| {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            Problem::new("", error.message()).at(None, Some(line), Some(column))
        };
        Err(errors.into_iter().take(MAX_PROBLEMS).map(problem).collect())
    }

    /// Reads the configuration, entry by entry where it has mistakes.
    pub(super) fn read(&self) -> Read {
        let mut rest = self.root.clone();
        let mut problems: Vec<(Range<usize>, Problem)> = Vec::new();
        let mut cut: Vec<String> = Vec::new();
        while problems.len() < MAX_PROBLEMS {
            let error = match Config::deserialize(Deserializer::from(Spanned::new(0..self.text.len(), rest.clone()))) {
                Ok(config) => return Read { config: Some(config), problems: in_order(problems) },
                Err(error) => error,
            };
            let span = error.span().unwrap_or(0..self.text.len());
            let key = find(&self.root, &span).unwrap_or_default();
            if !follows_from(&cut, &key, error.message()) {
                let (line, column) = position(self.text, span.start);
                let written = self.text.get(span.clone()).unwrap_or_default();
                let problem =
                    brackets(&key, written, error.message()).unwrap_or_else(|| explain(&key, error.message()));
                problems.push((span.clone(), problem.at(None, Some(line), Some(column))));
            }
            cut.push(key);
            if !excise(&mut rest, &span) {
                break;
            }
        }
        Read { config: None, problems: in_order(problems) }
    }

    /// Places that were counted within a string of the text (a policy, a document) are counted in the text from here.
    pub(super) fn lift(&self, problems: &mut [Problem]) {
        for problem in problems.iter_mut().filter(|p| p.file.is_none()) {
            let Some(line) = problem.line else { continue };
            let start = value_of(&self.root, &problem.key).and_then(|span| content(self.text, span));
            let Some(start) = start else {
                // Escapes move what follows them: only the key's line is sure.
                (problem.line, problem.column) = (None, None);
                continue;
            };
            let (first, before) = position(self.text, start);
            problem.line = Some(first.saturating_add(line).saturating_sub(1));
            if line == 1 {
                problem.column = problem.column.map(|column| column.saturating_add(before).saturating_sub(1));
            }
        }
    }

    /// Adds the line of each problem's key, or of the nearest table above it.
    pub(super) fn locate(&self, problems: &mut [Problem]) {
        for problem in problems.iter_mut().filter(|p| p.line.is_none() && p.file.is_none()) {
            let mut key = problem.key.as_str();
            while !key.is_empty() {
                if let Some(span) = span_of(&self.root, key) {
                    problem.line = Some(position(self.text, span.start).0);
                    break;
                }
                key = key.rfind(['.', '[']).and_then(|at| key.get(..at)).unwrap_or("");
            }
        }
    }
}

fn in_order(mut problems: Vec<(Range<usize>, Problem)>) -> Vec<Problem> {
    problems.sort_by_key(|(span, _)| span.start);
    problems.into_iter().map(|(_, problem)| problem).collect()
}

/// A key that was cut out for its own mistake must not be reported again as missing.
fn follows_from(cut: &[String], table: &str, message: &str) -> bool {
    quoted(message).next().filter(|_| message.starts_with("missing field")).is_some_and(|field| {
        let missing = if table.is_empty() { field.to_owned() } else { format!("{table}.{field}") };
        cut.contains(&missing)
    })
}

/// One table where there may be several.
fn brackets(key: &str, written: &str, message: &str) -> Option<Problem> {
    if key.ends_with(']') || !written.starts_with('[') || message != "invalid type: map, expected a sequence" {
        return None;
    }
    let header: String = key.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect();
    let problem = Problem::new(key, "one table, where there may be several");
    Some(problem.mend(format!("write `[[{header}]]`, with two brackets")))
}

fn explain(key: &str, message: &str) -> Problem {
    if message.starts_with("unknown field") {
        let mut names = quoted(message);
        let unknown = names.next().unwrap_or_default();
        if let Some(mend) = elsewhere(key, unknown) {
            return Problem::new(key, "unknown key").mend(mend);
        }
        let known: Vec<&str> = names.collect();
        let mend = match nearest(unknown, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            _ if known.is_empty() => "remove it".to_owned(),
            _ => format!("known keys here: {}", known.join(", ")),
        };
        return Problem::new(key, "unknown key").mend(mend);
    }
    if message.starts_with("missing field") {
        let field = quoted(message).next().unwrap_or_default();
        return Problem::new(key, format!("`{field}` is missing")).mend(format!("add `{field} = ...`"));
    }
    if message == "wanted string or table" {
        return Problem::new(key, "not text").mend("write one of the words that it takes, in quotes");
    }
    let message = in_words(message);
    match message.rsplit_once("; ").filter(|(head, _)| head.matches('`').count().is_multiple_of(2)) {
        Some((message, mend)) => Problem::new(key, message).mend(mend),
        None => Problem::new(key, message),
    }
}

/// A message without the names of Rust's numbers.
fn in_words(message: &str) -> String {
    const NUMBERS: [(&str, &str); 6] = [
        ("expected a nonzero u16", "expected a whole number from 1 to 65535"),
        ("expected a nonzero u32", "expected a whole number from 1 to 4294967295"),
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected u64", "expected a whole number from 0 on"),
    ];
    let found = NUMBERS.iter().find_map(|(ours, words)| Some((message.strip_suffix(ours)?, words)));
    found.map_or_else(|| message.to_owned(), |(head, words)| format!("{head}{words}"))
}

/// What to write in place of a key of other software, where the nearest name would mislead.
fn elsewhere(key: &str, unknown: &str) -> Option<&'static str> {
    match unknown {
        "jwks_url" | "jwks_uri" => Some(
            "zt fetches nothing: write `jwks_file`, or the set itself as `jwks`; a running engine takes a newer one",
        ),
        "key" | "secret" if key.starts_with("verify.api_key[") => {
            Some("a key is known by its digest: write `sha256`; `zt key new` prints both")
        }
        "key" | "public_key" if key.starts_with("verify.signature[") => {
            Some("write the key as a JWK in `jwk` or `jwk_file`")
        }
        _ => None,
    }
}

/// The names in backticks.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count();
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count();
    let from_one = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    (from_one(line), from_one(column))
}

/// The path of the entry whose key or value has this span, or of the innermost value around it.
fn find(table: &DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let mut found: Option<(usize, String)> = None;
    walk(table, "", &mut |path, key, value| {
        let exact = key == Some(span) || value == span;
        let around = value.start <= span.start && span.end <= value.end;
        let size = if exact { 0 } else { value.len().max(1) };
        if (exact || around) && found.as_ref().is_none_or(|(best, _)| size <= *best) {
            found = Some((size, path.to_owned()));
        }
    });
    found.map(|(_, path)| path)
}

/// The span of the entry at this path.
fn span_of(table: &DeTable<'_>, wanted: &str) -> Option<Range<usize>> {
    let mut found = None;
    walk(table, "", &mut |path, key, value| {
        if path == wanted {
            found = Some(key.unwrap_or(value).clone());
        }
    });
    found
}

/// The span of the value at this path.
fn value_of(table: &DeTable<'_>, wanted: &str) -> Option<Range<usize>> {
    let mut found = None;
    walk(table, "", &mut |path, _, value| {
        if path == wanted {
            found = Some(value.clone());
        }
    });
    found
}

/// Where the text of a string without escapes starts.
fn content(text: &str, string: Range<usize>) -> Option<usize> {
    let raw = text.get(string.clone())?;
    if raw.starts_with('"') && raw.contains('\\') {
        return None;
    }
    let long = raw.starts_with("\"\"\"") || raw.starts_with("'''");
    let quotes = if long { 3 } else { 1 };
    let inner = raw.get(quotes..)?;
    // A line's end right after the opening is not part of a long string.
    let skipped = match inner {
        _ if !long => 0,
        inner if inner.starts_with('\n') => 1,
        inner if inner.starts_with("\r\n") => 2,
        _ => 0,
    };
    Some(string.start.saturating_add(quotes).saturating_add(skipped))
}

/// Calls `visit` with path, key span and value span of every entry. The parser bounds the depth.
fn walk(table: &DeTable<'_>, path: &str, visit: &mut impl FnMut(&str, Option<&Range<usize>>, &Range<usize>)) {
    for (key, value) in table.iter() {
        let name: &str = key.get_ref();
        let inner = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        visit(&inner, Some(&key.span()), &value.span());
        walk_value(value.get_ref(), &inner, visit);
    }
}

fn walk_value(value: &DeValue<'_>, path: &str, visit: &mut impl FnMut(&str, Option<&Range<usize>>, &Range<usize>)) {
    match value {
        DeValue::Table(table) => walk(table, path, visit),
        DeValue::Array(array) => {
            for (index, item) in array.iter().enumerate() {
                let inner = format!("{path}[{index}]");
                visit(&inner, None, &item.span());
                walk_value(item.get_ref(), &inner, visit);
            }
        }
        _ => {}
    }
}

/// Removes the entry with this span, or the innermost one around it.
fn excise(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let matches = |candidate: &Range<usize>| candidate == span;
    remove(table, &matches) || {
        let around = |candidate: &Range<usize>| candidate.start <= span.start && span.end <= candidate.end;
        remove(table, &around)
    }
}

fn remove(table: &mut DeTable<'_>, matches: &impl Fn(&Range<usize>) -> bool) -> bool {
    let before = table.len();
    let mut inside = false;
    for (_, value) in table.iter_mut() {
        inside = inside || remove_in(value.get_mut(), matches);
    }
    if !inside {
        let cut = table.iter().filter(|(key, value)| matches(&key.span()) || matches(&value.span()));
        let cut: Vec<String> = cut.map(|(key, _)| key.get_ref().to_string()).collect();
        for name in cut {
            table.remove(name.as_str());
        }
    }
    inside || table.len() < before
}

fn remove_in(value: &mut DeValue<'_>, matches: &impl Fn(&Range<usize>) -> bool) -> bool {
    match value {
        DeValue::Table(table) => remove(table, matches),
        DeValue::Array(array) => {
            if array.iter_mut().any(|item| remove_in(item.get_mut(), matches)) {
                return true;
            }
            let (before, items) = (array.len(), std::mem::replace(array, DeArray::new()));
            items.iter().filter(|item| !matches(&item.span())).for_each(|item| array.push(item.clone()));
            array.len() < before
        }
        _ => false,
    }
}

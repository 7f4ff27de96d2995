//! What each runtime answered, against what must be and against Rust.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::Expect;

/// How many wrong answers of a runtime are shown.
const SHOWN: usize = 10;

/// One line of a runtime's answers.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    suite: String,
    pub(crate) id: String,
    /// Null where the operation failed.
    pub(crate) answer: Option<Value>,
    #[serde(default)]
    pub(crate) error: Option<String>,
}

impl Line {
    /// # Errors
    /// When the answer is not JSON.
    pub(crate) fn of(suite: &str, id: &str, answer: Result<String, String>) -> Result<String, String> {
        let (answer, error) = match answer {
            Ok(text) => (Some(serde_json::from_str(&text).map_err(|error| error.to_string())?), None),
            Err(error) => (None, Some(error)),
        };
        let line = Self { suite: suite.to_owned(), id: id.to_owned(), answer, error };
        serde_json::to_string(&line).map_err(|error| error.to_string())
    }

    fn accepted(&self) -> Option<bool> {
        self.answer.as_ref()?["accepted"].as_bool()
    }
}

#[derive(Deserialize)]
struct Asked {
    suite: String,
    id: String,
    expect: Expect,
    #[serde(default)]
    deliberate: Option<String>,
}

#[derive(Default)]
struct Row {
    cases: usize,
    valid: usize,
    deliberate: usize,
    /// By runtime: valid ones accepted, wrong answers.
    counted: Vec<(usize, usize)>,
}

/// Prints the table, what is refused on purpose, and the wrong answers.
///
/// # Errors
/// When a file is missing or any answer is wrong.
pub(crate) fn print(folder: &Path, runtimes: &[&str]) -> Result<(), String> {
    let asked: Vec<Asked> = lines(&folder.join("cases.jsonl"))?;
    let mut names = vec!["rust"];
    names.extend(runtimes);
    let answers: Vec<Vec<Line>> =
        names.iter().map(|name| lines(&folder.join(format!("{name}.jsonl")))).collect::<Result<_, _>>()?;
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut wrong: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    for (at, case) in asked.iter().enumerate() {
        let row = rows.entry(&case.suite).or_default();
        row.counted.resize(names.len(), (0, 0));
        row.cases += 1;
        row.valid += usize::from(case.expect == Expect::Accept);
        row.deliberate += usize::from(case.deliberate.is_some());
        let rust = answers[0].get(at);
        for (runtime, answers) in answers.iter().enumerate() {
            let answer = answers.get(at);
            let accepted = answer.and_then(Line::accepted);
            let due = match case.expect {
                Expect::Accept => accepted == Some(true),
                Expect::Reject => accepted == Some(false),
                Expect::Either | Expect::AsRust => accepted.is_some(),
            };
            row.counted[runtime].0 += usize::from(due && case.expect == Expect::Accept);
            // The whole answer: also the code of a refusal is the same everywhere.
            if !due || answer.is_none_or(|line| line.id != case.id) || answer != rust {
                row.counted[runtime].1 += 1;
                wrong[runtime].push(format!("{} {}: {:?} is due, got {answer:?}", case.suite, case.id, case.expect));
            }
        }
    }
    table(&rows, &names);
    on_purpose(&asked);
    let total: usize = wrong.iter().map(Vec::len).sum();
    for (name, wrong) in names.iter().zip(&wrong) {
        wrong.iter().take(SHOWN).for_each(|line| println!("{name}: {line}"));
    }
    match (total, asked.is_empty()) {
        (_, true) => Err("no case was asked".to_owned()),
        (0, _) => Ok(()),
        _ => Err(format!("{total} wrong answers")),
    }
}

fn table(rows: &BTreeMap<&str, Row>, names: &[&str]) {
    print!("\n{:16} {:>6} {:>6} {:>8}", "suite", "cases", "valid", "refused*");
    names.iter().for_each(|name| print!(" | {name:>8} ok  wrong"));
    println!();
    for (suite, row) in rows {
        print!("{suite:16} {:>6} {:>6} {:>8}", row.cases, row.valid, row.deliberate);
        row.counted.iter().for_each(|(accepted, wrong)| print!(" | {accepted:>11} {wrong:>6}"));
        println!();
    }
    println!("ok: valid cases accepted. wrong: not as due, or not as Rust answers, code included.");
}

fn on_purpose(asked: &[Asked]) {
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for case in asked {
        if let Some(why) = &case.deliberate {
            reasons.entry((&case.suite, why)).or_default().push(&case.id);
        }
    }
    println!("\n* refused on purpose although called valid:");
    for ((suite, why), ids) in reasons {
        println!("  {suite} {}: {why}", ids.join(", "));
    }
}

pub(crate) fn lines<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<Vec<T>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let read = |line: &str| serde_json::from_str(line).map_err(|error| format!("{}: {error}", path.display()));
    text.lines().map(read).collect()
}

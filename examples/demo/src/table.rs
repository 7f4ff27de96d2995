//! What happened, row by row.

use std::net::SocketAddr;
use std::{io, iter};

use crate::client::{self, Answer};
use crate::clock;
use crate::scenario::Case;

/// How the rows came out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    pub(crate) honest: usize,
    pub(crate) hostile: usize,
    pub(crate) wrong: usize,
}

/// Sends every case and prints what came of it.
pub(crate) fn run(server: SocketAddr, cases: &[Case]) -> io::Result<Score> {
    let mut score = Score::default();
    let mut part = None;
    for case in cases {
        if part.replace(case.honest()) != Some(case.honest()) {
            heading(if case.honest() { "honest requests" } else { "hostile requests" });
        }
        clock::set_hours_later(case.hours_later);
        for _ in 0..case.before {
            client::send(server, &case.request)?;
        }
        let answer = client::send(server, &case.request)?;
        let complaint = complaint(case, &answer);
        row(case, &answer, complaint.as_deref());
        score.honest += usize::from(case.honest());
        score.hostile += usize::from(!case.honest());
        score.wrong += usize::from(complaint.is_some());
    }
    Ok(score)
}

fn heading(title: &str) {
    println!("\n{title:<32} {:<9} {:>6}  {:<28} {:>7}", "outcome", "status", "first reason", "us");
    println!("{}", "-".repeat(88));
}

fn row(case: &Case, answer: &Answer, complaint: Option<&str>) {
    let code = answer.code();
    let outcome = match &code {
        Some(_) => answer.outcome().unwrap_or_default(),
        None if answer.status < 400 => "allow".to_owned(),
        None => "-".to_owned(),
    };
    let reason = code.unwrap_or_else(|| if answer.status < 400 { String::new() } else { "(HTTP server)".to_owned() });
    let micros = answer.elapsed.as_micros();
    println!("{:<32} {outcome:<9} {:>6}  {reason:<28} {micros:>7}", case.name, answer.status);
    if let Some(complaint) = complaint {
        println!("  WRONG: {complaint}");
    }
}

/// What is wrong with an answer.
fn complaint(case: &Case, answer: &Answer) -> Option<String> {
    if answer.status != case.status {
        let said = answer.body.lines().next().unwrap_or_default();
        return Some(format!("status {} was due; the answer says: {said}", case.status));
    }
    if answer.code().as_deref() != case.code {
        return Some(format!("the reason due was {}", case.code.unwrap_or("none of zt's")));
    }
    let due = case.header.into_iter().chain(iter::once("content-type").filter(|_| case.code.is_some()));
    let missing: Vec<&str> = due.filter(|name| answer.header(name).is_none()).collect();
    if missing.is_empty() { None } else { Some(format!("without the header {}", missing.join(", "))) }
}

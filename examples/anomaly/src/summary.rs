//! The end of the story, in plain text.

use std::fmt::{self, Write as _};

use crate::date;
use crate::player::BUDGET;
use crate::story::{Bucket, Story};

/// Rows of the time axis.
const ROWS: usize = 10;

pub(crate) fn of(story: &Story) -> String {
    let mut out = String::new();
    // A string takes whatever it is given.
    let _ = write(&mut out, story);
    out
}

fn write(out: &mut String, story: &Story) -> fmt::Result {
    let seconds = story.elapsed.as_secs_f64();
    writeln!(out, "{}: {} to {}, UTC", story.name, date::text(story.first), date::text(story.last))?;
    writeln!(
        out,
        "{} of {} requests in {seconds:.1} s ({:.0}/s), learned from nothing, monitor mode, budget {} %",
        story.played,
        story.events,
        story.played as f64 / seconds.max(1e-9),
        BUDGET * 100.0
    )?;
    if story.played < story.events {
        writeln!(out, "stopped at {}", date::text(story.now))?;
    }

    let dots = "-".repeat(74);
    writeln!(
        out,
        "\n{:<18}{:>10}{:>14}{:>16}{:>16}\n{dots}",
        "from", "a minute", "highest score", "normal flagged", "attacks flagged"
    )?;
    for (at, part) in story.buckets.chunks(story.buckets.len().div_ceil(ROWS)).enumerate() {
        let row = row(part);
        let start = at * story.buckets.len().div_ceil(ROWS);
        let time = story.first + start as i64 * story.bucket;
        let minutes = part.len() as f64 * story.bucket as f64 / 60e3;
        let [normal, attack] = row.flagged;
        let rate = row.requests as f64 / minutes;
        writeln!(out, "{:<18}{rate:>10.1}{:>14.1}{normal:>16}{attack:>16}", date::text(time), row.highest_score)?;
    }

    writeln!(out, "\n{:<32}{:>10}{:>10}\n{}", "outcome", "normal", "attack", "-".repeat(52))?;
    for (outcome, [normal, attack]) in &story.outcomes {
        writeln!(out, "{:<32}{normal:>10}{attack:>10}", outcome.as_str())?;
    }
    if !story.codes.is_empty() {
        writeln!(out, "\n{:<32}{:>10}{:>10}\n{}", "first reason", "normal", "attack", "-".repeat(52))?;
    }
    for (code, [normal, attack]) in &story.codes {
        writeln!(out, "{code:<32}{normal:>10}{attack:>10}")?;
    }
    campaigns(out, story)
}

fn campaigns(out: &mut String, story: &Story) -> fmt::Result {
    let kinds = story.kinds();
    if kinds.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{:<32}{:>10}{:>10}\n{}", "campaigns", "found", "of", "-".repeat(52))?;
    let found = |campaigns: &[bool]| campaigns.iter().filter(|found| **found).count();
    for (kind, campaigns) in &kinds {
        writeln!(out, "{kind:<32}{:>10}{:>10}", found(campaigns), campaigns.len())?;
    }
    let all: Vec<bool> = kinds.into_values().flatten().collect();
    writeln!(out, "{:<32}{:>10}{:>10}", "all", found(&all), all.len())?;
    let missed = story.campaigns.iter().filter(|(_, campaign)| !campaign.found).map(|(name, _)| name.as_str());
    let missed: Vec<&str> = missed.collect();
    if missed.is_empty() { Ok(()) } else { writeln!(out, "not found: {}", missed.join(", ")) }
}

/// Buckets as one.
fn row(part: &[Bucket]) -> Bucket {
    part.iter().fold(Bucket::default(), |mut row, bucket| {
        row.requests += bucket.requests;
        row.highest_score = row.highest_score.max(bucket.highest_score);
        for of in 0..2 {
            row.flagged[of] += bucket.flagged[of];
        }
        row
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;
    use crate::player::Player;
    use crate::recording::Recording;

    /// Three hours of five clients, then one of them asks for what nobody has.
    fn recorded() -> String {
        let event = |number: i64| {
            let strange = number >= 2_390;
            let path =
                if strange { format!("/v1/backups/all.sql.{number}") } else { format!("/v1/items/{}", number % 40) };
            let label = if strange { "probing" } else { "normal" };
            let mut event = json!({"id": number.to_string(), "time_ms": 1_775_239_200_000 + number * 4_500,
                "subject": format!("user-{}", number % 5), "request": {"method": "GET", "path": path}, "label": label,
                "response": {"status": 200, "body_len": 400}});
            if strange {
                event["campaign"] = json!("probing-1");
            }
            event.to_string() + "\n"
        };
        (0..2_400).map(event).collect()
    }

    #[test]
    fn a_recording_is_played_to_its_end_and_summed_up() {
        let path = std::env::temp_dir().join(format!("zt-anomaly-demo-{}.jsonl", std::process::id()));
        fs::write(&path, recorded()).unwrap();
        let recording = Recording::open(Some(&path)).unwrap();
        let mut player = Player::new(&recording, None).unwrap();
        let more = player.play_until(Instant::now() + Duration::from_secs(60)).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!more);
        let story = &player.story;
        assert_eq!((story.played, story.events, story.campaigns.len()), (2_400, 2_400, 1));
        assert_eq!(story.buckets.iter().map(|bucket| bucket.requests).sum::<u64>(), 2_400);
        assert_eq!(story.outcomes.values().map(|[_, attack]| attack).sum::<u64>(), 10);
        let text = of(story);
        assert!(text.contains("2026-04-03 18:00 to 2026-04-03 20:59"), "{text}");
        assert!(text.contains("2400 of 2400 requests") && text.contains("probing"), "{text}");
        assert!(!text.contains("stopped"), "{text}");
    }

    #[test]
    fn what_is_not_there_is_told_with_what_to_do() {
        let error = Recording::open(Some("nowhere.jsonl".as_ref())).unwrap_err().to_string();
        assert!(error.contains("nowhere.jsonl") && error.contains("--file"), "{error}");
    }
}

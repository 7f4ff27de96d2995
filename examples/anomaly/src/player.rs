//! Plays a recording through an engine.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use zt_core::model::{Event, Millis};
use zt_core::{Engine, State};

use crate::Result;
use crate::recording::Recording;
use crate::story::{Seen, Story};

/// Anybody may ask for anything, and nothing is refused: what is unusual is flagged.
const CONFIG: &str = r#"
version = 1
mode = "monitor"

[[endpoint]]
method = "*"
path = "/**"
anonymous = true

[anomaly]
budget = 0.001

[state]
seed = 1
"#;
/// Share of normal requests that may be flagged, as it is configured.
pub(crate) const BUDGET: f64 = 0.001;

/// An engine, and what it has played.
pub(crate) struct Player {
    engine: Engine,
    state: State,
    lines: Box<dyn Iterator<Item = io::Result<String>>>,
    /// Read, and not yet due.
    next: Option<(Event, String)>,
    number: u64,
    speed: Option<f64>,
    started: Option<Instant>,
    pub(crate) story: Story,
}

impl Player {
    pub(crate) fn new(recording: &Recording, speed: Option<f64>) -> Result<Self> {
        let engine = Engine::from_toml(CONFIG, &[])?;
        let state = State::new(&engine);
        let (lines, story) = (Box::new(recording.lines()?), Story::new(recording));
        Ok(Self { engine, state, lines, next: None, number: 0, speed, started: None, story })
    }

    /// Whether there is more to play afterwards.
    pub(crate) fn play_until(&mut self, deadline: Instant) -> Result<bool> {
        let started = *self.started.get_or_insert_with(Instant::now);
        loop {
            let now = Instant::now();
            self.story.elapsed = now.duration_since(started);
            if now >= deadline {
                return Ok(true);
            }
            let Some((event, line)) = self.take()? else { return Ok(false) };
            if let Some(wait) = self.due(event.time_ms).checked_sub(self.story.elapsed).filter(|wait| !wait.is_zero()) {
                self.next = Some((event, line));
                thread::sleep(wait.min(deadline - now));
                continue;
            }
            self.play(event, &line);
        }
    }

    fn take(&mut self) -> Result<Option<(Event, String)>> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        let Some(line) = self.lines.next().transpose()? else { return Ok(None) };
        self.number += 1;
        let event = serde_json::from_str(&line).map_err(|error| format!("line {}: {error}", self.number))?;
        Ok(Some((event, line)))
    }

    /// When an event is played, since the start.
    fn due(&self, time: Millis) -> Duration {
        let since = (time - self.story.first).max(0) as f64 / 1e3;
        Duration::try_from_secs_f64(self.speed.map_or(0.0, |speed| since / speed)).unwrap_or(Duration::MAX)
    }

    fn play(&mut self, event: Event, line: &str) {
        // A clock does not go back.
        let now = event.time_ms.max(self.story.now);
        let label = event.label.clone().filter(|label| label != Event::NORMAL);
        let (campaign, core) = label.as_ref().map_or((None, true), |_| campaign(line));
        let response = event.response.clone();
        let request = event.into_request();
        let decision = self.engine.decide(&self.state, &request, now);
        if let Some(response) = &response {
            self.engine.observe(&self.state, &decision, response, now);
        }
        self.story.add(&Seen { request: &request, label, campaign, core, decision: &decision });
    }
}

/// What a recording may say beside the contract: the campaign, and whether this is what it is after, or cover.
fn campaign(line: &str) -> (Option<String>, bool) {
    let told: Value = serde_json::from_str(line).unwrap_or_default();
    (told["campaign"].as_str().map(str::to_owned), told["role"].as_str() != Some("cover"))
}

//! The live chart, drawn anew some times a second; the terminal is put back as it was however it ends.

mod charts;
mod panels;

use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::Stylize as _;
use ratatui::text::Line;
use ratatui::{DefaultTerminal, Frame};

use crate::player::Player;
use crate::story::Story;
use crate::{Result, date};

const FRAME: Duration = Duration::from_millis(80);
/// Lines of the panels at most.
const PANELS: u16 = 16;

/// Plays to the end and stays there, or until somebody leaves.
pub(crate) fn play(player: &mut Player) -> Result<()> {
    let mut terminal = ratatui::try_init()?;
    let done = watch(&mut terminal, player);
    ratatui::try_restore()?;
    done
}

fn watch(terminal: &mut DefaultTerminal, player: &mut Player) -> Result<()> {
    loop {
        let more = player.play_until(Instant::now() + FRAME)?;
        terminal.draw(|frame| draw(frame, &player.story, more))?;
        if is_left(if more { Duration::ZERO } else { Duration::from_secs(3_600) })? {
            return Ok(());
        }
    }
}

/// Whether a key that leaves was pressed; waits for some event for so long.
fn is_left(patience: Duration) -> io::Result<bool> {
    let mut wait = patience;
    while event::poll(wait)? {
        wait = Duration::ZERO;
        if let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
        {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            let leaves = matches!(key.code, KeyCode::Char('q') | KeyCode::Esc);
            if leaves || control && key.code == KeyCode::Char('c') {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn draw(frame: &mut Frame<'_>, story: &Story, more: bool) {
    let panels = PANELS.min(frame.area().height / 3);
    let rows = [
        Constraint::Length(1),
        Constraint::Fill(3),
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Length(panels),
        Constraint::Length(1),
    ];
    let [head, rate, risk, flagged, below, foot] = Layout::vertical(rows).areas(frame.area());
    let columns = [Constraint::Length(38), Constraint::Length(46), Constraint::Fill(1)];
    let [codes, campaigns, list] = Layout::horizontal(columns).areas(below);

    let seconds = story.elapsed.as_secs_f64().max(1e-9);
    let told = format!(
        "  {} UTC   {} of {} requests   {:.0}/s",
        date::text(story.now),
        story.played,
        story.events,
        story.played as f64 / seconds
    );
    frame.render_widget(Line::from(vec!["zt".bold().cyan(), told.into()]), head);
    frame.render_widget(charts::rate(story, &charts::rates(story)), rate);
    charts::render_risk(frame, story, risk);
    charts::render_flagged(frame, story, flagged);
    frame.render_widget(panels::codes(story), codes);
    frame.render_widget(panels::campaigns(story), campaigns);
    frame.render_widget(panels::list(story), list);
    let keys = if more { "q leaves" } else { "played to the end; q leaves" };
    frame.render_widget(Line::from(keys).dim(), foot);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::recording::Recording;

    #[test]
    fn it_fits_on_any_terminal() {
        let recording = Recording { path: "a.jsonl".into(), events: 0, first: 0, last: 7_200_000 };
        let story = Story::new(&recording);
        for (width, height) in [(1, 1), (20, 8), (80, 24), (200, 60)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(frame, &story, true)).unwrap();
        }
    }
}

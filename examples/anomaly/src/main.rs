//! `cargo xtask demo anomaly`: recorded traffic through an engine that starts with nothing and learns as it goes, each
//! event's own time as the clock. On a terminal it is a live chart, which `q` leaves; in a pipe, a summary at the end.
//!
//! ```text
//! zt-anomaly-demo
//!   --file FILE    a recording, JSON Lines of events, `.jsonl` or `.jsonl.gz`
//!   --speed N      seconds of the recording in a second; as fast as possible without it
//! ```
//! Without `--file` it is the recording of a shop among the shared data; `ZT_DATA` names their folder.
#![expect(clippy::print_stdout, reason = "a demo is what it prints")]

mod date;
mod player;
mod recording;
mod screen;
mod story;
mod summary;

use std::error::Error;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use self::player::Player;
use self::recording::Recording;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long a part is that is played at once.
const PART: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Options::read(&arguments).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zt-anomaly-demo: {error}");
            ExitCode::from(2)
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Options {
    file: Option<PathBuf>,
    speed: Option<f64>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] if name == "--file" => options.file = Some(value.into()),
                [name, value] if name == "--speed" => {
                    let speed = value.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
                    options.speed = Some(speed.ok_or_else(|| format!("`{value}` is no speed, such as 3600"))?);
                }
                [name, ..] => {
                    return Err(format!("`{name}` is not an option; there are `--file FILE` and `--speed N`").into());
                }
                [] => {}
            }
        }
        Ok(options)
    }
}

fn run(options: &Options) -> Result<()> {
    let recording = Recording::open(options.file.as_deref())?;
    let mut player = Player::new(&recording, options.speed)?;
    if io::stdout().is_terminal() {
        screen::play(&mut player)?;
    } else {
        while player.play_until(Instant::now() + PART)? {}
    }
    print!("{}", summary::of(&player.story));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Options> {
        Options::read(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_others_refused() {
        assert_eq!(read("").unwrap(), Options::default());
        let both = Options { file: Some("a.jsonl".into()), speed: Some(60.0) };
        assert_eq!(read("--speed 60 --file a.jsonl").unwrap(), both);
        for wrong in ["--speed", "--speed 0", "--speed fast", "--file", "a.jsonl", "--loud yes"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

//! The `zt` command: checks configurations and replays recorded traffic. It reads files and calls zt-core; the logic
//! is there.

mod args;
mod authorize;
mod baseline;
mod check;
mod codes;
mod compile;
mod configuration;
mod decide;
mod diff;
mod eval;
mod events;
mod explain;
mod input;
mod key;
mod learn;
mod limits;
mod log;
mod output;
mod plot;
mod progress;
mod recorded;
mod signing;
mod snapshot;
mod whole;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command, Log, LogCommand};

/// How a command ended when it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Nothing to report: exit code 0.
    Clean,
    /// Findings: exit code 1.
    Findings,
}

/// Why a command could not do its work: bad usage or bad input, exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure(String);

fn main() -> ExitCode {
    // clap prints usage errors itself and exits with 2.
    let ending = match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Decide(arguments) => decide::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Authorize(arguments) => authorize::run(&arguments),
        Command::Learn(arguments) => learn::run(&arguments),
        Command::Merge(arguments) => learn::merge(&arguments),
        Command::Limits(arguments) => limits::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Codes(arguments) => codes::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Log(Log { command: LogCommand::Verify(arguments) }) => log::verify(&arguments),
    };
    match ending {
        Ok(Ending::Clean) => ExitCode::SUCCESS,
        Ok(Ending::Findings) => ExitCode::from(1),
        Err(Failure(message)) => {
            output::tell(&message);
            ExitCode::from(2)
        }
    }
}

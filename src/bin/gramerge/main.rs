//! The command line: the same core as the page, for large files, for CI, and for checking.
//!
//! Exit codes: 0 done, 1 refused input or failed check, 2 usage.

mod args;
mod companions;
mod inputs;
mod inspect;
mod merge;
mod output;
mod plan;
mod unfinished;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use gramerge::{Error, ErrorKind};

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Inspect(args) => inspect::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Verify(args) => verify::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            exit_code(&error)
        }
    }
}

fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(if error.kind == ErrorKind::Usage { 2 } else { 1 })
}

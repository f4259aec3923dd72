//! The command line: the same core as the page, for large files, for CI, and for checking.
//!
//! Exit codes: 0 done, 1 refused input or failed check, 2 usage; 128 and a signal's number if one
//! ended it. If the reader of standard output goes away, all but a merge end quietly, as if by
//! SIGPIPE; a merge is finished all the same.

// First, for its macros.
#[macro_use]
mod output;

mod args;
mod asked;
mod companions;
mod completions;
mod inputs;
mod inspect;
mod merge;
mod methods;
mod pending;
mod plan;
mod progress;
mod report_file;
mod stop;
mod table;
mod unfinished;
mod verify;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;
use gramerge::{Result, printable};

use args::{Cli, Command};

/// 128 and the number of SIGPIPE.
const CLOSED: u8 = 141;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return parsed(&answer),
    };
    let is_merge = matches!(cli.command, Command::Merge(_));
    let done = match cli.command {
        Command::Inspect(args) => inspect::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Methods(args) => methods::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    let is_unheard = output::is_closed() && !is_merge;
    ended(done.and_then(|code| output::check().map(|()| code)), is_unheard)
}

fn ended(done: Result<ExitCode>, is_unheard: bool) -> ExitCode {
    match done {
        Ok(_) if is_unheard => ExitCode::from(CLOSED),
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if error.kind == gramerge::ErrorKind::Usage { 2 } else { 1 })
        }
    }
}

/// Help, the version, or what is wrong with the words. Words may come from names of files, and are
/// not to steer the terminal.
fn parsed(answer: &clap::Error) -> ExitCode {
    let is_hostile = std::env::args_os().any(|word| {
        let word = word.to_string_lossy();
        word.chars().any(|c| printable(c.encode_utf8(&mut [0; 4])).chars().ne([c]))
    });
    if answer.use_stderr() && is_hostile {
        let text = answer.render().to_string();
        text.lines().for_each(|line| eprintln!("{}", printable(line)));
    } else if let (Err(error), false) = (answer.print(), answer.use_stderr()) {
        return match error.kind() {
            ErrorKind::BrokenPipe => ExitCode::from(CLOSED),
            _ => ended(Err(output::unwritable(&error)), false),
        };
    }
    ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2))
}

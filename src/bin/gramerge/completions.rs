//! `gramerge completions`: what a shell needs to complete commands and options.

use std::process::ExitCode;

use clap::CommandFactory;
use gramerge::Result;

use crate::args::{self, Cli};

pub(crate) fn run(args: &args::Completions) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gramerge", &mut script);
    println!("{}", String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}

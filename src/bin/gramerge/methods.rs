//! `gramerge methods`: the table of methods, or one of them.

use std::process::ExitCode;

use gramerge::Result;
use gramerge::methods::{TABLE, document};
use gramerge::recipe::Options;

use crate::args;
use crate::output::json;

pub(crate) fn run(args: &args::Methods) -> Result<ExitCode> {
    let chosen = match &args.name {
        Some(name) => Some(Options::of(name).spec()?),
        None => None,
    };
    match (chosen, args.json, args.markdown) {
        (Some(spec), true, _) => json(spec)?,
        (None, true, _) => json(&TABLE)?,
        (Some(spec), false, _) => println!("{}", spec.document().trim_end()),
        (None, false, true) => println!("{}", document().trim_end()),
        (None, false, false) => list(),
    }
    Ok(ExitCode::SUCCESS)
}

fn list() {
    let width = TABLE.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
    for spec in TABLE {
        println!("{:width$}  {}. {}", spec.name, spec.title, spec.needs());
    }
    println!("\n`gramerge methods NAME` tells more of one.");
}

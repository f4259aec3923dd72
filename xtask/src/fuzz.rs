//! `cargo xtask fuzz`: the fuzzer of `tests/fuzz`, for longer than in a run of all tests.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::args::Fuzz;
use crate::{Result, process};

/// Runs the fuzzer; an error if it found anything, or missed what was planted.
pub(crate) fn run(options: &Fuzz) -> Result<()> {
    let seed = options.seed.unwrap_or_else(clock);
    let name = if options.planted { "planted" } else { "long_run" };
    let mut cargo = process::cargo();
    cargo.args(["test", "--package", "gramerge", "--test", "fuzz", name, "--"]);
    cargo.args(["--ignored", "--nocapture"]);
    cargo.env("GRAMERGE_FUZZ_SECONDS", (60 * options.minutes).to_string());
    cargo.env("GRAMERGE_FUZZ_SEED", seed.to_string());
    cargo.env("GRAMERGE_FUZZ_TARGET", options.target.as_deref().unwrap_or_default());
    eprintln!("seed {seed}");
    process::run(&mut cargo)
}

/// Another number in every run; it is printed, so that a run can be had again.
fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |duration| duration.as_secs())
}

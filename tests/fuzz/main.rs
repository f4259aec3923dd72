//! A small fuzzer: valid inputs, damaged where their structure suggests, and what must hold for
//! every one of them.
//!
//! - [`headers`], [`indices`], [`grams`]: what is read; beside the format's own crate where there is
//!   one.
//! - [`merges`]: whole merges in memory, with textbook answers ([`oracle`], [`textbook`]) where those can be
//!   trusted.
//! - [`recipes`]: texts of recipes.
//! - [`commands`]: the real program and its files.
//! - [`planted`]: faults that must be found, so that finding nothing means something.
//!
//! In a run of all tests the inputs are always the same and few; `cargo xtask fuzz` goes on with
//! others. What was ever found is kept in `cases/` and judged again in every run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../hostile/allocation.rs"]
mod allocation;
mod case;
mod commands;
#[path = "../common/mod.rs"]
mod common;
mod damage;
mod drafts;
mod grams;
mod headers;
mod hunt;
mod indices;
mod json;
mod merges;
#[path = "../recipes/methods.rs"]
mod methods;
mod oracle;
mod planted;
mod random;
mod recipes;
mod textbook;

use std::time::{Duration, Instant};

use case::Case;
use hunt::{Finding, Limit, Target, hunt, hunt_all, judge, smaller};

const TARGETS: [&Target; 6] = [
    &headers::TARGET,
    &indices::TARGET,
    &grams::TARGET,
    &merges::TARGET,
    &recipes::TARGET,
    &commands::TARGET,
];

/// The seed of a run of all tests.
const SEED: u64 = 1;
/// How soon a planted fault has to be found.
const SOON: Duration = Duration::from_secs(60);
/// Inputs in which a planted fault has to be found in a run of all tests.
const FEW: u64 = 10;

fn report(finding: Finding, target: &Target) -> String {
    let Finding { case, why, n_runs } = smaller(target, finding, None);
    format!("{} after {n_runs} inputs: {why}\nkept as {}", target.name, case.save().display())
}

#[track_caller]
fn finds_nothing(target: &Target, limit: Limit, seed: u64) {
    match hunt(target, seed, limit, None) {
        Ok(n_runs) => println!("{}: {n_runs} inputs, nothing found", target.name),
        Err(finding) => panic!("{}", report(*finding, target)),
    }
}

#[test]
fn headers() {
    finds_nothing(&headers::TARGET, Limit::Runs(headers::TARGET.n_runs), SEED);
}

#[test]
fn indices() {
    finds_nothing(&indices::TARGET, Limit::Runs(indices::TARGET.n_runs), SEED);
}

#[test]
fn grams() {
    finds_nothing(&grams::TARGET, Limit::Runs(grams::TARGET.n_runs), SEED);
}

#[test]
fn merges() {
    finds_nothing(&merges::TARGET, Limit::Runs(merges::TARGET.n_runs), SEED);
}

#[test]
fn recipe_texts() {
    finds_nothing(&recipes::TARGET, Limit::Runs(recipes::TARGET.n_runs), SEED);
}

#[test]
fn command_lines() {
    finds_nothing(&commands::TARGET, Limit::Runs(commands::TARGET.n_runs), SEED);
}

/// Faults that were ever found stay mended.
#[test]
fn kept_cases() {
    for (name, case) in Case::saved() {
        let target = TARGETS.iter().find(|target| target.name == case.target).unwrap();
        assert_eq!(judge(target, &case, None), Ok(()), "{name}, found as: {}", case.found);
    }
}

#[test]
fn a_fault_in_each_target_is_seen() {
    for (fault, target) in planted::ALL {
        let n_runs = FEW * target.n_runs;
        planted::search(fault, target, SEED, Limit::Runs(n_runs)).unwrap();
    }
}

/// Wishes of the person who started `cargo xtask fuzz`, by way of the environment.
struct Wish {
    seconds: u64,
    seed: u64,
    target: String,
}

impl Wish {
    fn read() -> Self {
        let text = |name: &str| std::env::var(format!("GRAMERGE_FUZZ_{name}")).unwrap_or_default();
        let number = |name: &str, default| text(name).parse().unwrap_or(default);
        Self { seconds: number("SECONDS", 60), seed: number("SEED", SEED), target: text("TARGET") }
    }

    fn includes(&self, target: &Target) -> bool {
        self.target.is_empty() || self.target == target.name
    }
}

#[test]
#[ignore = "as long as one likes: cargo xtask fuzz"]
fn long_run() {
    let wish = Wish::read();
    let targets: Vec<_> = TARGETS.into_iter().filter(|target| wish.includes(target)).collect();
    assert!(!targets.is_empty(), "there is no target `{}`", wish.target);
    let seconds = wish.seconds / targets.len() as u64;
    let mut n_found = 0;
    for target in targets {
        let limit = Limit::Until(Instant::now() + Duration::from_secs(seconds));
        let n_runs = hunt_all(target, wish.seed, limit, None, |finding| {
            n_found += 1;
            println!("{}", report(finding, target));
            true
        });
        println!("{}: {n_runs} inputs", target.name);
    }
    assert_eq!(n_found, 0, "things were found");
}

#[test]
#[ignore = "takes up to a minute for each: cargo xtask fuzz --planted"]
fn planted_faults_are_found_soon() {
    let wish = Wish::read();
    for (fault, target) in planted::ALL {
        if wish.includes(target) {
            let began = Instant::now();
            let found = planted::search(fault, target, wish.seed, Limit::Until(began + SOON));
            let (n_runs, took) = (found.unwrap(), began.elapsed().as_secs_f64());
            println!("{fault:?} in {}: {n_runs} inputs, {took:.1} s", target.name);
        }
    }
}

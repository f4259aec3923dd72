//! The suite on this machine's graphics card, or on the software that stands in for one: one test
//! for each case. Where there is no card every one of them fails.

mod trials;

use std::process::ExitCode;
use std::sync::Mutex;

use gramerge::backend::gpu::Gpu;
use gramerge_suite::Verdict;
use gramerge_suite::gpu::{Cards, cases, large};
use libtest_mimic::{Arguments, Failed, Trial};
use pollster::block_on;

/// A build that lost cases would pass by running less.
const LEAST: usize = 300;

/// Opened by the first case that needs it.
static CARDS: Mutex<Option<Result<Cards<Gpu>, String>>> = Mutex::new(None);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Cases on one card would only wait for one another.
    arguments.test_threads.get_or_insert(1);
    let mut all = trials::all("gpu", LEAST, cases(&Cards::none()).names(), run);
    let whole = || block_on(large(4096)).map_err(Failed::from);
    all.push(Trial::test("gpu: large matrix", whole));
    libtest_mimic::run(&arguments, all).exit_code()
}

fn run(index: usize) -> Verdict {
    let cards = {
        let mut cards =
            CARDS.lock().map_err(|_| "another case stopped while it opened the card")?;
        cards.get_or_insert_with(|| block_on(Cards::open())).clone()?
    };
    block_on(cases(&cards).run_one(index))
}

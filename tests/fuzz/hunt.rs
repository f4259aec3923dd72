//! Makes inputs, judges what happens, and makes what was found small.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::Instant;

use crate::case::Case;
use crate::planted::Fault;
use crate::random::Random;

/// Nothing, or the fault in words.
pub(crate) type Verdict = Result<(), String>;

/// Something that takes untrusted input.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Makes an input.
    pub(crate) make: fn(&mut Random) -> Case,
    /// Says what is wrong with what the product does with it, or does with a fault planted.
    pub(crate) check: fn(&Case, Option<Fault>) -> Verdict,
    /// Inputs in a run of all tests.
    pub(crate) n_runs: u64,
}

/// When to stop.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Runs(u64),
    Until(Instant),
}

/// An input and what was wrong with it.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) case: Case,
    pub(crate) why: String,
    /// Inputs that were tried before.
    pub(crate) n_runs: u64,
}

/// The first thing that is found, if any, and how many inputs were tried.
pub(crate) fn hunt(
    target: &Target,
    seed: u64,
    limit: Limit,
    fault: Option<Fault>,
) -> Result<u64, Box<Finding>> {
    let mut findings = Vec::new();
    let n_runs = hunt_all(target, seed, limit, fault, |finding| {
        findings.push(finding);
        false
    });
    findings.pop().map_or(Ok(n_runs), |finding| Err(Box::new(finding)))
}

/// Hands over the first finding of every kind, as long as more are wanted.
pub(crate) fn hunt_all(
    target: &Target,
    seed: u64,
    limit: Limit,
    fault: Option<Fault>,
    mut found: impl FnMut(Finding) -> bool,
) -> u64 {
    let mut kinds = BTreeSet::new();
    for run in 0.. {
        let is_over = match limit {
            Limit::Runs(n) => run >= n,
            Limit::Until(end) => Instant::now() >= end,
        };
        if is_over {
            return run;
        }
        let case = (target.make)(&mut Random::new(seed, run));
        let Err(why) = judge(target, &case, fault) else { continue };
        if kinds.insert(kind(&why)) && !found(Finding { case, why, n_runs: run }) {
            return run;
        }
    }
    0
}

/// Judges a case; a panic counts as a fault.
pub(crate) fn judge(target: &Target, case: &Case, fault: Option<Fault>) -> Verdict {
    listen();
    QUIET.set(true);
    let judged = catch_unwind(AssertUnwindSafe(|| (target.check)(case, fault)));
    QUIET.set(false);
    judged.unwrap_or_else(|_| Err(format!("it panicked: {}", LAST.take())))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Has expected panics noted rather than printed.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if QUIET.get() { LAST.set(info.to_string()) } else { before(info) }
        }));
    });
}

/// Attempts at making a case smaller.
const MAX_ATTEMPTS: usize = 400;

/// The case without what it does not need to fail in the same way.
pub(crate) fn smaller(target: &Target, finding: Finding, fault: Option<Fault>) -> Finding {
    let Finding { mut case, why, n_runs } = finding;
    let wanted = kind(&why);
    let mut left = MAX_ATTEMPTS;
    let mut fails = |case: &Case| {
        left = left.saturating_sub(1);
        left > 0 && judge(target, case, fault).is_err_and(|why| kind(&why) == wanted)
    };
    loop {
        let smaller = candidates(&case).find(|candidate| fails(candidate));
        match smaller {
            Some(smaller) => case = smaller,
            None => break,
        }
    }
    case.found = why.clone();
    Finding { case, why, n_runs }
}

/// The words of a sentence without its numbers and names.
fn kind(why: &str) -> String {
    why.chars().filter(|c| !c.is_ascii_digit()).take(40).collect()
}

/// A case with one thing less.
fn candidates(case: &Case) -> impl Iterator<Item = Case> {
    let without_argument = (0..case.arguments.len()).map(|index| {
        let mut case = case.clone();
        case.arguments.remove(index);
        case
    });
    let without_file = (0..case.files.len()).map(|index| {
        let mut case = case.clone();
        case.files.remove(index);
        case
    });
    let shorter = (0..case.files.len()).flat_map(move |index| {
        let len = case.files[index].bytes.len();
        let parts = [2, 4, 8, 16];
        parts.into_iter().flat_map(move |n| (0..n).map(move |part| (n, part))).filter_map(
            move |(n, part)| {
                let range = len * part / n..len * (part + 1) / n;
                let mut case = case.clone();
                (!range.is_empty()).then(|| case.files[index].bytes.drain(range));
                (case.files[index].bytes.len() < len).then_some(case)
            },
        )
    });
    without_argument.chain(without_file).chain(shorter).collect::<Vec<_>>().into_iter()
}

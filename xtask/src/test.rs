//! `cargo xtask test`: every test, and an account of what did not run.

use crate::args::Part;
use crate::{Result, apt, browser, lint, process, selected};

/// What became of the steps so far.
#[derive(Debug, Default)]
pub(crate) struct Account {
    passed: Vec<String>,
    failed: Vec<(String, String)>,
    skipped: Vec<(String, String)>,
    /// Tests that a filter chose, in all steps.
    n_tests: usize,
}

impl Account {
    /// Runs a step and notes how it ended.
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        eprintln!("\n== {name}");
        match step() {
            Ok(()) => self.passed.push(name.into()),
            Err(sentence) => {
                eprintln!("{sentence}");
                self.failed.push((name.into(), sentence));
            }
        }
    }

    /// Runs a step of tests and notes how it ended, and how many tests it chose.
    fn tests(&mut self, name: &str, step: impl FnOnce() -> Result<usize>) {
        let mut n_tests = 0;
        self.step(name, || step().map(|n| n_tests = n));
        self.n_tests += n_tests;
    }

    /// Fails where a filter chose nothing, unless a test failed anyway.
    fn check_filter(&mut self, filter: &str) {
        if self.n_tests == 0 && self.failed.is_empty() {
            let why = format!("no test's name contains `{filter}`, so none ran");
            self.failed.push(("the filter".into(), why));
        }
    }

    /// Notes a step that could not be tried.
    pub(crate) fn skip(&mut self, name: &str, why: String) {
        self.skipped.push((name.into(), why));
    }

    /// Prints everything; an error if anything failed.
    fn close(self) -> Result<()> {
        println!();
        for name in &self.passed {
            println!("ran      {name}");
        }
        for (name, why) in &self.skipped {
            println!("NOT RUN  {name}: {why}");
        }
        for (name, why) in &self.failed {
            println!("FAILED   {name}: {why}");
        }
        let (passed, failed, skipped) = (self.passed.len(), self.failed.len(), self.skipped.len());
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed == 0 { Ok(()) } else { Err("not everything passed".into()) }
    }
}

/// Runs one part, or all.
pub(crate) fn run(part: Option<Part>, filter: Option<&str>) -> Result<()> {
    let mut account = Account::default();
    if part == Some(Part::Firefox) {
        run_part(Part::Firefox, filter, &mut account);
    }
    for each in Part::ALL {
        // A filter names tests, and lints have no names.
        let wanted = part.map_or(filter.is_none() || each != Part::Lint, |part| part == each);
        if wanted {
            run_part(each, filter, &mut account);
        }
    }
    if let Some(filter) = filter {
        account.check_filter(filter);
    }
    account.close()
}

fn run_part(part: Part, filter: Option<&str>, account: &mut Account) {
    match part {
        Part::Lint => lint::run(account),
        Part::Native => native(filter, account),
        Part::Web => account.tests("the suite in browser workers", || browser::web(filter)),
        Part::Firefox => {
            account.tests("the suite in Firefox", || browser::firefox(filter));
        }
        Part::E2e => account.tests("the page in a browser", || browser::e2e(filter)),
    }
}

/// In two steps: selected together, the packages would switch features on in each other's
/// dependencies, and all that this task is built from would be compiled once more.
fn native(filter: Option<&str>, account: &mut Account) {
    let tests = |packages: &[&str]| {
        let mut cargo = process::cargo();
        cargo.args(["test", "--no-fail-fast"]).args(packages).args(filter);
        // Mesa looks for a screen to choose a card by, and complains where there is none.
        cargo.env("NODEVICE_SELECT", "1");
        selected::run(&mut cargo)
    };
    account.tests("tests of the tasks", || tests(&["--package", "xtask"]));
    let others = ["--workspace", "--exclude", "xtask", "--exclude", browser::PACKAGE];
    // Where there is no graphics card, its tests run on Mesa's software one, and fail without it.
    apt::ensure(&["mesa-vulkan-drivers"]);
    account.tests("native tests", || tests(&others));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_whole() {
        let mut account = Account::default();
        account.step("good", || Ok(()));
        account.skip("absent", "there is no such tool".into());
        account.step("bad", || Err("it broke".into()));
        assert!(account.close().is_err());
    }

    #[test]
    fn a_filter_that_chooses_nothing_fails() {
        let after = |chosen: &[usize]| {
            let mut account = Account::default();
            chosen.iter().for_each(|n| account.tests("tests", || Ok(*n)));
            account.check_filter("golden");
            account.close()
        };
        assert!(after(&[0, 0]).is_err());
        assert!(after(&[0, 3]).is_ok());
    }

    #[test]
    fn a_skipped_step_is_not_a_failure() {
        let mut account = Account::default();
        account.step("good", || Ok(()));
        account.skip("absent", "there is no such tool".into());
        assert!(account.close().is_ok());
    }
}

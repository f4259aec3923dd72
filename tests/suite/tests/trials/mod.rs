//! Cases of the suite as tests of their own, so that a filter finds them.

use std::collections::BTreeSet;

use gramerge_suite::Verdict;
use libtest_mimic::{Failed, Trial};

/// A test for every name, and one that there are enough of them and none twice. `run` runs the
/// case of that place; its future may not leave the thread, so it is made there.
pub(crate) fn all(
    label: &str,
    least: usize,
    names: Vec<String>,
    run: impl Fn(usize) -> Verdict + Copy + Send + 'static,
) -> Vec<Trial> {
    let counted = count(least, &names);
    let complete = move || counted.map_err(Failed::from);
    let mut trials = vec![Trial::test(format!("{label}: no case is missing"), complete)];
    trials.extend(
        names
            .into_iter()
            .enumerate()
            .map(|(index, name)| Trial::test(name, move || run(index).map_err(Failed::from))),
    );
    trials
}

fn count(least: usize, names: &[String]) -> Verdict {
    let n = names.iter().collect::<BTreeSet<_>>().len();
    match n == names.len() && n >= least {
        true => Ok(()),
        false => Err(format!("{} cases of {n} names, not {least}", names.len())),
    }
}

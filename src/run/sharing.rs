//! Which layers are shared among workers, and who computes which rows.
//!
//! A layer is shared where it alone would keep its worker busy for longer than an even share of the
//! whole merge takes. Shares are made of the plan alone; the merged bytes do not depend on them.

use std::ops::Range;

use super::Job;
use super::jobs::LayerSize;
use crate::methods::regmean::crew::MIN_ROWS;

/// A leader's work besides products and the factor, in products with one row: assembling and
/// checking.
const LEADERS_ROWS: f64 = 64.0;

/// Helpers of each job.
pub(super) fn helpers(jobs: &[Job], n_workers: usize) -> Vec<usize> {
    let total: f64 = jobs.iter().map(Job::cost).sum();
    let of_job = |job: &Job| match job {
        Job::Solve { size, cost, .. } if cost * n_workers as f64 > total => {
            (size.n_rows / MIN_ROWS).min(n_workers).saturating_sub(1)
        }
        _ => 0,
    };
    jobs.iter().map(of_job).collect()
}

/// The rows of one worker; the leader, `place` 0, has the first ones.
pub fn rows(size: LayerSize, n_helpers: usize, place: usize) -> Range<usize> {
    let own = leaders_rows(size, n_helpers);
    if place == 0 {
        return 0..own;
    }
    let bound = |place: usize| own + (size.n_rows - own) * place / n_helpers;
    bound(place - 1)..bound(place)
}

/// With the factor worth n/6 rows of a product and r rows in all, everyone should have an even
/// share of the work.
fn leaders_rows(size: LayerSize, n_helpers: usize) -> usize {
    let (n, n_rows) = (size.n as f64, size.n_rows as f64);
    let beside = (n / 6.0 + LEADERS_ROWS) / size.n_models as f64;
    let even = (n_rows + beside) / (n_helpers + 1) as f64;
    match (even - beside).max(0.0) as usize {
        _ if n_helpers == 0 => size.n_rows,
        ..MIN_ROWS => 0,
        own => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::blocks::Block;

    fn solve(n: usize, n_rows: usize, cost: f64) -> Job {
        let size = LayerSize { n, n_rows, n_models: 2 };
        let block = Block { group: 0, parts: Vec::new() };
        Job::Solve { block, size, n_tensors: 1, cost }
    }

    #[test]
    fn only_layers_that_outlast_an_even_share_are_shared() {
        let jobs = [solve(768, 768, 5.0), solve(768, 768, 2.0), solve(768, 768, 2.0)];
        assert_eq!(helpers(&jobs, 2), [1, 0, 0]);
        assert_eq!(helpers(&jobs, 1), [0, 0, 0]);
        assert_eq!(helpers(&jobs, 8), [7, 7, 7]);
    }

    #[test]
    fn few_rows_are_not_shared() {
        assert_eq!(helpers(&[solve(3072, 100, 5.0)], 4), [0]);
        assert_eq!(helpers(&[solve(3072, 130, 5.0)], 4), [1]);
    }

    #[test]
    fn every_row_has_one_worker() {
        for (n, n_rows, n_helpers) in [(768, 768, 1), (3072, 768, 3), (96, 130, 1), (64, 999, 2)] {
            let size = LayerSize { n, n_rows, n_models: 2 };
            let mut next = 0;
            for place in 0..=n_helpers {
                let rows = rows(size, n_helpers, place);
                assert_eq!(rows.start, next, "{size:?} {n_helpers}");
                assert!(rows.is_empty() || rows.len() >= MIN_ROWS, "{size:?} {n_helpers}");
                next = rows.end;
            }
            assert_eq!(next, n_rows);
        }
    }
}

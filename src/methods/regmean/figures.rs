//! The figures of one weight's solve, for reports.

use serde::{Deserialize, Serialize};

use crate::tensor::extremes::larger;

/// The arithmetic that a solved tensor went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SolvePath {
    /// One f32 factorisation and solve.
    F32,
    /// One f64 factorisation and solve.
    F64,
    /// f64 with a small floor, iterated from the weighted mean (nearly singular Grams).
    F64Iterated,
}

/// The figures of one layer's solve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SolveReport {
    /// The arithmetic that was used.
    pub path: SolvePath,
    /// Which kernels, or which graphics card, solved it.
    pub kernels: String,
    /// Estimated 2-norm condition of the scaled sum of Grams.
    pub condition: f64,
    /// Estimated relative error of the weight against the exact solution (Frobenius).
    pub error_estimate: f64,
    /// Relative residual ‖R̂(X̂)‖ / (‖T‖ ‖X̂‖) in scaled variables, by random probes in f64.
    pub residual: f64,
    /// Input features that no Gram saw: they take the weighted mean.
    pub n_dead_features: usize,
    /// Refinement steps taken.
    pub n_iterations: usize,
    /// Size of the floor relative to the diagonal, 0 where none was needed.
    pub floor: f64,
    /// Which bound was missed and why, if one was.
    pub missed: Option<String>,
    /// What went wrong on a device before, if anything did, and what was done about it.
    pub fault: Option<String>,
}

impl SolveReport {
    /// What holds for a weight of which two blocks of rows were solved on their own.
    pub(crate) fn worse(self, other: Self) -> Self {
        let kernels = match self.kernels == other.kernels {
            true => self.kernels,
            false => format!("{}, {}", self.kernels, other.kernels),
        };
        Self {
            path: self.path.max(other.path),
            kernels,
            condition: larger(self.condition, other.condition),
            error_estimate: larger(self.error_estimate, other.error_estimate),
            residual: larger(self.residual, other.residual),
            n_dead_features: self.n_dead_features,
            n_iterations: self.n_iterations.max(other.n_iterations),
            floor: larger(self.floor, other.floor),
            missed: self.missed.or(other.missed),
            fault: self.fault.or(other.fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solve(path: SolvePath, size: f64, missed: Option<&str>) -> SolveReport {
        SolveReport {
            path,
            kernels: "scalar".into(),
            condition: size,
            error_estimate: size,
            residual: size,
            n_dead_features: 3,
            n_iterations: size as usize,
            floor: size,
            missed: missed.map(String::from),
            fault: missed.map(String::from),
        }
    }

    #[test]
    fn of_two_blocks_the_worse_counts() {
        let good = || solve(SolvePath::F32, 1.0, None);
        let bad = || solve(SolvePath::F64Iterated, 2.0, Some("why"));
        assert_eq!(good().worse(bad()), bad());
        assert_eq!(bad().worse(good()), bad());
        let lost = || solve(SolvePath::F32, f64::NAN, None);
        assert!(lost().worse(good()).error_estimate.is_nan());
        assert!(good().worse(lost()).error_estimate.is_nan());
        let card = SolveReport { kernels: "card".into(), ..good() };
        assert_eq!(card.worse(bad()).kernels, "card, scalar");
    }
}

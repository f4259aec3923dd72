//! What happened to every tensor: the figures behind the page's Report and `--report FILE.json`.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::format::hex;
use crate::io::{MAX_READ_BYTES, Source};
use crate::recipe::Options;
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
    pub(super) fn worse(self, other: Self) -> Self {
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

/// One tensor of the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorReport {
    /// Its full name.
    pub name: String,
    /// `regress`, `average`, `copy` or `keep`.
    pub action: String,
    /// Relative distance ‖W − W_i‖ / ‖W_i‖ from each parent, in order (empty for copies).
    pub distances: Vec<f64>,
    /// The solve, for regressed tensors.
    pub solve: Option<SolveReport>,
    /// Plain remark: values rounded to infinity, NaN carried over.
    pub note: Option<String>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Its name, without a folder.
    pub name: String,
    /// Its length.
    pub len_bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl WrittenFile {
    /// Reads all of it; `go_on` is asked before every piece.
    ///
    /// # Errors
    /// As the source's, and `go_on`'s.
    pub async fn of(
        name: &str,
        source: &impl Source,
        go_on: impl Fn() -> Result<()>,
    ) -> Result<Self> {
        let len_bytes = source.len_bytes();
        let mut piece = vec![0; len_bytes.min(MAX_READ_BYTES as u64 / 8) as usize];
        let mut digest = Sha256::new();
        let mut offset_bytes = 0;
        while offset_bytes < len_bytes {
            go_on()?;
            let rest = (len_bytes - offset_bytes).min(piece.len() as u64);
            source.read_into(offset_bytes, &mut piece[..rest as usize]).await?;
            digest.update(&piece[..rest as usize]);
            offset_bytes += rest;
        }
        Ok(Self { name: name.into(), len_bytes, sha256: hex(&digest.finalize()) })
    }
}

/// The whole merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the tool.
    pub version: String,
    /// Which kernels ran: `native`, `simd128`, `relaxed-simd`, …, and which graphics card.
    pub kernels: String,
    /// The settings.
    pub options: Options,
    /// Names of the models, in order.
    pub models: Vec<String>,
    /// One entry per tensor, in output order.
    pub tensors: Vec<TensorReport>,
    /// Largest error estimate of all solved tensors.
    pub worst_error_estimate: f64,
    /// Plain sentences: the plan's warnings and what was found while merging.
    pub warnings: Vec<String>,
    /// Bytes of all output files.
    pub written_bytes: u64,
    /// The output files; empty until they have been read again.
    pub files: Vec<WrittenFile>,
    /// Wall-clock time of the merge.
    pub elapsed_millis: f64,
    /// Workers that computed.
    pub n_workers: usize,
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

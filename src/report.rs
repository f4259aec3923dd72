//! What happened to every tensor: the figures behind the page's Report and `--report FILE.json`.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::format::hex;
use crate::io::{MAX_READ_BYTES, Source};
pub use crate::methods::regmean::{SolvePath, SolveReport};
use crate::recipe::Options;

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
    /// The recipe that makes this merge again, in YAML; its paths are as the files were given.
    pub recipe: String,
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

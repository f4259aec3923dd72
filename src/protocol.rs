//! Every message between the page and its workers, declared once.
//!
//! They cross as plain objects by serde-wasm-bindgen; `www/protocol.d.ts` mirrors them for the
//! type checker. `File` objects travel beside the request, since they are not data.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::merge::report::WrittenFile;
use crate::merge::{Inventory, Options, Plan, Report, Selection};
use crate::sample::Evaluation;

/// From the page to the coordinating worker. Each carries an `id` that its answers repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Read the headers of the files that travel beside this message (`files: File[]`), which have
    /// these paths. Replaces all earlier files.
    Inspect {
        /// One path per file.
        paths: Vec<String>,
    },
    /// Say what a merge would do.
    Plan {
        /// The models.
        selection: Selection,
        /// The settings.
        options: Options,
    },
    /// Do it.
    Merge {
        /// The models.
        selection: Selection,
        /// The settings.
        options: Options,
        /// Upper limit on compute workers.
        max_workers: usize,
    },
    /// After a merge: read the merged file again for its digest.
    Digest,
    /// After a merge of the sample: count right answers on its held-out images.
    Evaluate,
}

/// From the coordinating worker to the page.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Response {
    /// Answer to [`Request::Inspect`].
    Inventory {
        /// All files and the suggested grouping.
        inventory: Inventory,
    },
    /// Answer to [`Request::Plan`].
    Plan {
        /// The plan.
        plan: Plan,
    },
    /// Any number of these before [`Response::Done`].
    Progress(Progress),
    /// Answer to [`Request::Merge`]; the merged `File` travels beside it (`file: File`).
    Done {
        /// What happened.
        report: Report,
    },
    /// Answer to [`Request::Digest`].
    Digest {
        /// The merged file.
        file: WrittenFile,
    },
    /// Answer to [`Request::Evaluate`].
    Accuracy {
        /// Each model, the plain average and the merged model.
        evaluation: Evaluation,
    },
    /// Any request may fail.
    Failed {
        /// What, where, what to do.
        error: Error,
        /// The whole sentence.
        message: String,
    },
}

/// How far a merge has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Progress {
    /// Finished tensors.
    pub tensors_done: usize,
    /// All tensors.
    pub tensors_total: usize,
    /// Finished share of the estimated work, 0 to 1.
    pub fraction: f64,
    /// Bytes of the output written so far.
    pub written_bytes: u64,
    /// The tensor or layer that was finished last.
    pub current: String,
}

/// What the coordinating worker must know before it hands out jobs.
#[derive(Debug, Clone, Serialize)]
pub struct Opening {
    /// The jobs that solve layers.
    pub solves: Vec<usize>,
    /// Length of the output.
    pub total_bytes: u64,
    /// How many workers to start.
    pub n_workers: usize,
    /// How many further workers compute rows of each job. Jobs are known by their index, the most
    /// expensive first.
    pub n_helpers: Vec<usize>,
}

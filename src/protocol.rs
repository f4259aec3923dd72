//! Every message between the page and its workers, declared once.
//!
//! They cross as plain objects by serde-wasm-bindgen; `www/protocol.d.ts` mirrors them for the
//! type checker. `File` objects travel beside the request, since they are not data.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::checkpoint::{Inventory, Selection};
use crate::methods::Spec;
use crate::plan::Plan;
use crate::recipe::Options;
use crate::report::Report;
use crate::report::WrittenFile;
use crate::sample::Evaluation;

/// From the page to the coordinating worker, as `{type: "plan", …}`. Each carries an `id` that its
/// answers repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Do it. Beside it travel files that go with the result as they are (`extras: File[]`), and the
    /// place that the output is to go to at once, if the user picked one (`target`).
    Merge {
        /// The models.
        selection: Selection,
        /// The settings.
        options: Options,
        /// Upper limit on compute workers.
        max_workers: usize,
    },
    /// Copy merged files, and what belongs to them, to a place that the user picked; they travel
    /// beside this message (`files`, `extras`, `target`). The coordinating worker's own matter.
    Save {},
    /// After a merge: read the merged files, which travel beside this message, for their digests.
    Digest {},
    /// After a merge of the sample: count right answers on its held-out images. The merged files
    /// travel beside it.
    Evaluate {},
}

/// From the coordinating worker to the page.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Response {
    /// Answer to [`Request::Inspect`].
    Inventory {
        /// All files and the suggested grouping.
        inventory: Inventory,
        /// The table of methods, of which settings are drawn.
        methods: &'static [Spec],
    },
    /// Answer to [`Request::Plan`].
    Plan {
        /// The plan.
        plan: Plan,
    },
    /// Any number of these before [`Response::Done`].
    Progress(Progress),
    /// Answer to [`Request::Merge`]; the merged files travel beside it (`files: File[]`), and what
    /// belongs to them (`extras: File[]`).
    Done {
        /// What happened.
        report: Report,
    },
    /// Answer to [`Request::Save`]; the files at their new place travel beside it (`files: File[]`).
    Saved,
    /// Answer to [`Request::Digest`].
    Digest {
        /// The merged files, in order.
        files: Vec<WrittenFile>,
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
    /// The files of the output, one behind the other.
    pub files: Vec<OpenedFile>,
    /// The index of the shards, as JSON.
    pub index: Option<String>,
    /// How many workers to start.
    pub n_workers: usize,
    /// How many further workers compute rows of each job. Jobs are known by their index, the most
    /// expensive first.
    pub n_helpers: Vec<usize>,
}

/// One file of the output.
#[derive(Debug, Clone, Serialize)]
pub struct OpenedFile {
    /// Its name.
    pub name: String,
    /// Where it starts in the range of all files.
    pub start_bytes: u64,
    /// Its length.
    pub len_bytes: u64,
}

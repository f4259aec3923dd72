//! What a set of files is: checkpoints, Gram files, shards, and which of them belong together.
//!
//! Made from names and headers alone. The grouping is a suggestion; the user may correct it by
//! handing back another [`Selection`].

use serde::{Deserialize, Serialize};

use crate::Error;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A safetensors file with weights.
    Checkpoint,
    /// A safetensors file with Gram matrices.
    Gram,
    /// A `*.safetensors.index.json`.
    Index,
    /// Held-out images of the sample, for counting right answers after a merge.
    Heldout,
    /// Configuration or a tokenizer, which may go with the merged model as it is.
    Companion,
    /// Something a merge does not need.
    Other,
    /// A file that claims to be a checkpoint and cannot be read as one; see its error.
    Bad,
}

/// One file of the inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path or name, as the user gave it.
    pub path: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// What it is.
    pub kind: FileKind,
    /// Number of tensors in it.
    pub n_tensors: usize,
    /// Number of elements in all its tensors.
    pub n_parameters: u64,
    /// Its dtypes, sorted by name.
    pub dtypes: Vec<String>,
    /// Free-text provenance of a Gram file.
    pub source: Option<String>,
    /// Why it is [`FileKind::Bad`].
    pub error: Option<Error>,
}

/// How it is known that a Gram file belongs to its model, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GramEvidence {
    /// Its fingerprint is that of the model's weights, and of no other model's.
    Fingerprint,
    /// It is alone in a folder with the model.
    Folder,
    /// Its `source` names the model.
    Source,
    /// Its name is like the model's.
    Name,
    /// Nothing but its place in the list: to be confirmed by the user.
    Order,
    /// The user chose it.
    Chosen,
}

/// One model of a merge: its files (indices into the inventory) and its Gram file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SelectedModel {
    /// Shown name: the file's or folder's.
    pub name: String,
    /// The checkpoint's file or shards, as indices into [`Inventory::files`].
    pub files: Vec<usize>,
    /// The `*.index.json` that lists the shards, if there is one.
    pub index: Option<usize>,
    /// Its Gram file.
    pub gram: Option<usize>,
    /// How that Gram file was found, if it was.
    #[serde(default)]
    pub gram_evidence: Option<GramEvidence>,
}

/// Which files are merged, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Selection {
    /// The models, in order.
    pub models: Vec<SelectedModel>,
    /// The model that they were fine-tuned from, if it is given.
    #[serde(default)]
    pub base: Option<SelectedModel>,
}

/// All files with a suggested grouping.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Inventory {
    /// One entry per file, in the order given.
    pub files: Vec<FileEntry>,
    /// The suggested grouping.
    pub suggestion: Selection,
    /// Plain sentences about what did not fit: a Gram file without a model, a missing shard.
    pub warnings: Vec<String>,
}

//! From a heap of files to models: what each file is, which shards form one checkpoint, which Gram
//! file belongs to which model.
//!
//! Must not know: file systems or browsers; it sees paths as text, and headers.
//! Invariants: every file has exactly one entry, in the order given; a file is in at most one
//! model; what is left over is named in a warning, never dropped in silence. The result is a
//! suggestion, which the user may change.

use std::collections::BTreeSet;
use std::sync::Arc;

use around::Around;
use companions::is_companion;

use super::inventory::{FileEntry, FileKind, Inventory, Selection};
use crate::format::{GramFile, Header, ShardIndex, adapter, has_gram_name, is_gram_header};
use crate::order::filled;
use crate::{Error, printable};

mod around;
mod companions;
mod grams;
mod models;
mod names;
#[cfg(test)]
mod tests;

pub use companions::COMPANIONS;
pub(crate) use grams::{Fits, gram_contradicts};

/// Metadata key that marks the sample's held-out images.
const HELDOUT_KEY: &str = "gramerge_heldout";

/// One file as it was found.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Path or name, as the user gave it; folders end in `/` or `\`.
    pub path: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// What reading its beginning gave.
    pub outcome: Outcome,
}

/// What reading a file's beginning gave.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is a safetensors file.
    Header(Arc<Header>),
    /// It is a `*.safetensors.index.json`.
    Index(Arc<ShardIndex>),
    /// It is nothing that a merge needs.
    Other,
    /// It should be one of these but is not readable as such.
    Bad(Error),
}

impl Seen {
    fn header(&self) -> Option<&Header> {
        match &self.outcome {
            Outcome::Header(header) => Some(header),
            _ => None,
        }
    }

    fn index(&self) -> Option<&ShardIndex> {
        match &self.outcome {
            Outcome::Index(index) => Some(index),
            _ => None,
        }
    }
}

/// Says what the files are, and suggests which belong together.
///
/// `fits` says what the fingerprints of Gram files say, where the models have been sampled.
pub fn inventory(files: &[Seen], fits: &Fits<'_>) -> Inventory {
    let around = Around::of(files);
    let entries: Vec<FileEntry> = files.iter().map(|seen| entry(seen, &around)).collect();
    let mut warnings = repeated_paths(files);
    warnings.extend(entries.iter().filter_map(file_warning));
    let mut models = models::group(files, &entries, &mut warnings);
    grams::attach(&entries, &mut models, fits, &mut warnings);
    Inventory { files: entries, suggestion: Selection { models, base: None }, warnings }
}

fn entry(seen: &Seen, around: &Around<'_>) -> FileEntry {
    let (kind, source, error) = classify(seen, around);
    let tensors = seen.header().map(|header| header.tensors.as_slice()).unwrap_or_default();
    let dtypes: BTreeSet<&str> = filled(tensors.iter().map(|tensor| tensor.dtype.name()));
    FileEntry {
        path: seen.path.clone(),
        size_bytes: seen.size_bytes,
        kind,
        n_tensors: tensors.len(),
        n_parameters: seen.header().map_or(0, Header::n_parameters),
        dtypes: dtypes.into_iter().map(str::to_owned).collect(),
        source,
        error,
    }
}

fn classify(seen: &Seen, around: &Around<'_>) -> (FileKind, Option<String>, Option<Error>) {
    match &seen.outcome {
        Outcome::Bad(_) if around.is_needless(&seen.path) => (FileKind::Other, None, None),
        Outcome::Other if is_companion(&seen.path) => (FileKind::Companion, None, None),
        Outcome::Other => (FileKind::Other, None, None),
        Outcome::Index(_) => (FileKind::Index, None, None),
        Outcome::Bad(error) => (FileKind::Bad, None, Some(error.clone())),
        Outcome::Header(header) if header.metadata.contains_key(HELDOUT_KEY) => {
            (FileKind::Heldout, None, None)
        }
        Outcome::Header(header) if is_gram_header(header, &seen.path) => {
            match GramFile::new(header) {
                Ok(gram) => (FileKind::Gram, gram.source, None),
                Err(error) => (FileKind::Bad, None, Some(error.file(&seen.path))),
            }
        }
        Outcome::Header(header) => match adapter(header).or_else(|| around.adapter(&seen.path)) {
            Some(error) => (FileKind::Bad, None, Some(error.file(&seen.path))),
            None => (FileKind::Checkpoint, None, None),
        },
    }
}

fn file_warning(entry: &FileEntry) -> Option<String> {
    let path = printable(&entry.path);
    match (entry.kind, &entry.error) {
        (FileKind::Bad, Some(error)) => {
            let error = error.clone().file(&entry.path);
            Some(format!("A file cannot be used. {error}."))
        }
        (FileKind::Checkpoint, _) if entry.n_tensors == 0 => {
            Some(format!("`{path}` has no tensors."))
        }
        (FileKind::Checkpoint, _) if has_gram_name(&entry.path) => Some(format!(
            "`{path}` is called a Gram file, but its tensors are not all square or packed \
             matrices, so it counts as a checkpoint."
        )),
        _ => None,
    }
}

fn repeated_paths(files: &[Seen]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let paths = files.iter().map(|file| file.path.as_str());
    let repeated: BTreeSet<&str> = filled(paths.filter(|path| !seen.insert(*path)));
    let sentence = |path: &&str| format!("`{}` is there more than once.", printable(path));
    repeated.iter().map(sentence).collect()
}

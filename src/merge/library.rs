//! Files whose headers have been read: what both shells make inventories and merges of.

use std::sync::Arc;

use super::files::{Model, Models};
use super::group_files::{Outcome, Seen, inventory};
use super::inventory::{Inventory, SelectedModel, Selection};
use crate::format::{Header, ShardIndex, TensorFile, read_header, wrong_file};
use crate::io::{Source, read_range};
use crate::{Error, Result};

const INDEX_SUFFIX: &str = ".safetensors.index.json";

/// A set of files, each looked at once.
#[derive(Debug)]
pub struct Library<S> {
    entries: Vec<(S, Seen)>,
}

impl<S> Default for Library<S> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<S: Source + Clone> Library<S> {
    /// Reads the headers of all files. A file that is none is part of the inventory, not an error.
    pub async fn open(sources: Vec<S>) -> Self {
        let mut entries = Vec::new();
        for source in sources {
            let outcome = look(&source).await;
            let (path, size_bytes) = (source.name().to_owned(), source.len_bytes());
            entries.push((source, Seen { path, size_bytes, outcome }));
        }
        Self { entries }
    }

    /// What the files are, and a suggested grouping.
    pub fn inventory(&self) -> Inventory {
        self.inventory_of(self.entries.len())
    }

    /// The inventory of the first `n` files alone.
    pub fn inventory_of(&self, n: usize) -> Inventory {
        let seen: Vec<Seen> = self.entries.iter().take(n).map(|(_, seen)| seen.clone()).collect();
        inventory(&seen)
    }

    /// The selected models, ready to be planned and merged.
    ///
    /// # Errors
    /// `Input` for a file that cannot be read or shards that do not belong together; `Usage` for
    /// a selection of fewer than two models or of files that are not there.
    pub fn models(&self, selection: &Selection) -> Result<Models<S>> {
        Models::new(selection.models.iter().map(|model| self.model(model)).collect::<Result<_>>()?)
    }

    /// One model of a selection.
    ///
    /// # Errors
    /// As [`Self::models`].
    pub fn model(&self, selected: &SelectedModel) -> Result<Model<S>> {
        if selected.files.is_empty() {
            return Err(Error::usage(format!(
                "model `{}` has no checkpoint file",
                crate::printable(&selected.name)
            )));
        }
        let files: Vec<TensorFile<S>> =
            selected.files.iter().map(|index| self.file(*index)).collect::<Result<_>>()?;
        if let Some(index) = selected.index {
            self.check_shards(index, &files)?;
        }
        let gram = selected.gram.map(|index| self.file(index)).transpose()?;
        Model::new(selected.name.clone(), files, gram)
    }

    /// A file of the inventory, opened.
    ///
    /// # Errors
    /// `Input` if it is not a safetensors file; `Usage` if there is none of that index.
    pub fn file(&self, index: usize) -> Result<TensorFile<S>> {
        let (source, seen) = self.entry(index)?;
        match &seen.outcome {
            Outcome::Header(header) => {
                Ok(TensorFile { source: source.clone(), header: Arc::clone(header) })
            }
            Outcome::Bad(error) => Err(error.clone().file(&seen.path)),
            Outcome::Index(_) | Outcome::Other => {
                Err(Error::input("it is not a safetensors file").file(&seen.path))
            }
        }
    }

    fn entry(&self, index: usize) -> Result<&(S, Seen)> {
        self.entries.get(index).ok_or_else(|| Error::usage(format!("there is no file {index}")))
    }

    fn check_shards(&self, index: usize, files: &[TensorFile<S>]) -> Result<()> {
        let (_, seen) = self.entry(index)?;
        let Outcome::Index(index) = &seen.outcome else {
            return Err(Error::input("it is not a shard index").file(&seen.path));
        };
        let present: Vec<(&str, &Header)> =
            files.iter().map(|file| (file_name(file.source.name()), &*file.header)).collect();
        index.check(&present).map(|_| ()).map_err(|error| error.file(&seen.path))
    }
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

async fn look(source: &impl Source) -> Outcome {
    let name = source.name();
    if name.ends_with(INDEX_SUFFIX) {
        return match index(source).await {
            Ok(index) => Outcome::Index(Arc::new(index)),
            Err(error) => Outcome::Bad(error.file(name)),
        };
    }
    if name.ends_with(".safetensors") {
        return match read_header(source).await {
            Ok(header) => Outcome::Header(Arc::new(header)),
            Err(error) => Outcome::Bad(error.file(name)),
        };
    }
    // A checkpoint in another format deserves a word; a tokenizer does not.
    match weights_in_another_format(source).await {
        Some(error) => Outcome::Bad(error.file(name)),
        None => Outcome::Other,
    }
}

async fn index(source: &impl Source) -> Result<ShardIndex> {
    ShardIndex::check_len(source.len_bytes())?;
    ShardIndex::parse(&read_range(source, 0, source.len_bytes()).await?)
}

async fn weights_in_another_format(source: &impl Source) -> Option<Error> {
    const ENDINGS: [&str; 7] = [".bin", ".pt", ".pth", ".pkl", ".gguf", ".ckpt", ".h5"];
    let name = source.name();
    ENDINGS.iter().any(|ending| name.ends_with(ending)).then_some(())?;
    let start = read_range(source, 0, source.len_bytes().min(512)).await.ok()?;
    wrong_file(&start, name)
}

//! Files whose headers have been read: what both shells make inventories and merges of.

use std::sync::Arc;

use super::files::Model;
use super::group_files::{Fits, Outcome, Seen, inventory};
use super::inventory::{Inventory, SelectedModel, Selection};
use crate::format::{
    GramFile, Header, Heads, ShardIndex, TensorFile, is_gram_header, read_header, wrong_file,
};
use crate::io::{Source, read_range};
use crate::{Error, Result};

const INDEX_SUFFIX: &str = ".safetensors.index.json";

/// A set of files, each looked at once.
#[derive(Debug)]
pub struct Library<S> {
    entries: Vec<Entry<S>>,
}

/// One file, and what has been read of it.
#[derive(Debug)]
struct Entry<S> {
    source: S,
    seen: Seen,
    heads: Heads,
}

impl<S> Default for Library<S> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<S: Source + Clone> Library<S> {
    /// Reads the headers of all files. A file that is none is part of the inventory, not an error.
    /// Where Gram files have fingerprints, a few elements of the weights are read as well.
    pub async fn open(sources: Vec<S>) -> Self {
        let library = Self::open_headers(sources).await;
        library.sample().await;
        library
    }

    /// As [`Self::open`], for files that another has judged: reads headers alone.
    pub async fn open_headers(sources: Vec<S>) -> Self {
        let mut entries = Vec::new();
        for source in sources {
            let outcome = look(&source).await;
            let (path, size_bytes) = (source.name().to_owned(), source.len_bytes());
            let seen = Seen { path, size_bytes, outcome };
            entries.push(Entry { source, seen, heads: Heads::default() });
        }
        Self { entries }
    }

    /// What the files are, and a suggested grouping.
    pub fn inventory(&self) -> Inventory {
        self.inventory_of(self.entries.len())
    }

    /// The inventory of the first `n` files alone.
    pub fn inventory_of(&self, n: usize) -> Inventory {
        self.grouped(n, &|gram, model| {
            let gram = self.fingerprinted(gram)?;
            self.weights(model)?.fits(&gram)
        })
    }

    fn grouped(&self, n: usize, fits: &Fits<'_>) -> Inventory {
        let seen: Vec<Seen> = self.entries.iter().take(n).map(|entry| entry.seen.clone()).collect();
        inventory(&seen, fits)
    }

    /// Reads what tells which Gram file was made of which model.
    async fn sample(&self) {
        let grams: Vec<GramFile> =
            (0..self.entries.len()).filter_map(|index| self.fingerprinted(index)).collect();
        if grams.is_empty() {
            return;
        }
        for model in &self.grouped(self.entries.len(), &|_, _| None).suggestion.models {
            let Some(model) = self.weights(model) else { continue };
            for gram in &grams {
                model.sample(gram).await;
            }
        }
    }

    /// A Gram file, if it is one and has a fingerprint.
    fn fingerprinted(&self, index: usize) -> Option<GramFile> {
        match &self.entries.get(index)?.seen {
            Seen { path, outcome: Outcome::Header(header), .. } if is_gram_header(header, path) => {
                GramFile::new(header).ok().filter(|gram| gram.fingerprint.is_some())
            }
            _ => None,
        }
    }

    /// A model without its Gram file.
    fn weights(&self, selected: &SelectedModel) -> Option<Model<S>> {
        let weights = SelectedModel { gram: None, ..selected.clone() };
        self.model(&weights).ok()
    }

    /// The selected models, in order; the base is not among them.
    ///
    /// # Errors
    /// `Input` for a file that cannot be read or shards that do not belong together; `Usage` for
    /// a selection of files that are not there.
    pub fn models(&self, selection: &Selection) -> Result<Vec<Model<S>>> {
        selection.models.iter().map(|model| self.model(model)).collect()
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
        let Entry { source, seen, heads } = self.entry(index)?;
        match &seen.outcome {
            Outcome::Header(header) => {
                Ok(TensorFile::known(source.clone(), Arc::clone(header), heads.clone()))
            }
            Outcome::Bad(error) => Err(error.clone().file(&seen.path)),
            Outcome::Index(_) | Outcome::Other => {
                Err(Error::input("it is not a safetensors file").file(&seen.path))
            }
        }
    }

    fn entry(&self, index: usize) -> Result<&Entry<S>> {
        self.entries.get(index).ok_or_else(|| Error::usage(format!("there is no file {index}")))
    }

    fn check_shards(&self, index: usize, files: &[TensorFile<S>]) -> Result<()> {
        let seen = &self.entry(index)?.seen;
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

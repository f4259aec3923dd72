//! The opened inputs of a merge: each model's tensors, wherever its shards keep them, and its
//! Gram file.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::{GramEntry, GramFile, GramMatch, GramMatches, TensorFile, TensorInfo, adapter};
use crate::io::Source;
use crate::order::filled;
use crate::{Error, Result};

/// One model: its checkpoint's files and its Gram file, opened.
#[derive(Debug)]
pub struct Model<S> {
    /// Shown name.
    pub name: String,
    files: Vec<TensorFile<S>>,
    gram: Option<OpenedGram<S>>,
    /// Tensor name to (file, place in its header).
    by_name: BTreeMap<String, (usize, usize)>,
}

/// A Gram file, and what it has for the model's weights.
#[derive(Debug)]
struct OpenedGram<S> {
    file: TensorFile<S>,
    gram: GramFile,
    matches: GramMatches,
}

impl<S: Source> Model<S> {
    /// Takes a model's opened files.
    ///
    /// # Errors
    /// `Input` if two shards hold the same tensor, if they hold an adapter, or if the Gram file is
    /// none.
    pub fn new(
        name: impl Into<String>,
        files: Vec<TensorFile<S>>,
        gram: Option<TensorFile<S>>,
    ) -> Result<Self> {
        let mut by_name = BTreeMap::new();
        for (file_index, file) in files.iter().enumerate() {
            if let Some(error) = adapter(&file.header) {
                return Err(error.file(file.source.name()));
            }
            for (index, tensor) in file.header.tensors.iter().enumerate() {
                if by_name.insert(tensor.name.clone(), (file_index, index)).is_some() {
                    return Err(Error::input("two shards of one model hold this tensor")
                        .file(file.source.name())
                        .tensor(&tensor.name)
                        .advice("check that the shards belong to one checkpoint"));
                }
            }
        }
        let names = || by_name.keys().map(String::as_str);
        let gram = gram.map(|gram| open_gram(gram, names())).transpose()?;
        Ok(Self { name: name.into(), files, gram, by_name })
    }

    /// Where a tensor is.
    pub fn get(&self, name: &str) -> Option<(&TensorFile<S>, &TensorInfo)> {
        let (file, index) = *self.by_name.get(name)?;
        let file = &self.files[file];
        Some((file, &file.header.tensors[index]))
    }

    /// As [`Self::get`], for a tensor that the plan has found.
    ///
    /// # Errors
    /// `Input` if it is not there.
    pub fn require(&self, name: &str) -> Result<(&TensorFile<S>, &TensorInfo)> {
        self.get(name).ok_or_else(|| {
            Error::input(format!("it is missing in model `{}`", crate::printable(&self.name)))
                .tensor(name)
        })
    }

    /// All tensor names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The checkpoint's files.
    pub fn files(&self) -> &[TensorFile<S>] {
        &self.files
    }

    /// The file, or the folder of its shards.
    pub fn path(&self) -> String {
        match &self.files[..] {
            [] => String::new(),
            [file] => file.source.name().to_owned(),
            [first, ..] => {
                let path = first.source.name();
                path.rsplit_once(['/', '\\']).map_or(".", |(folder, _)| folder).to_owned()
            }
        }
    }

    /// What the Gram file says, if there is one.
    pub fn gram(&self) -> Option<&GramFile> {
        self.gram.as_ref().map(|opened| &opened.gram)
    }

    /// The Gram file.
    pub fn gram_file(&self) -> Option<&TensorFile<S>> {
        self.gram.as_ref().map(|opened| &opened.file)
    }

    /// The Gram file's name.
    pub fn gram_name(&self) -> Option<&str> {
        self.gram_file().map(|file| file.source.name())
    }

    /// What the Gram file has for a weight.
    pub fn gram_match(&self, weight: &str) -> Option<&GramMatch> {
        self.gram.as_ref()?.matches.get(weight)
    }

    /// A weight's Gram matrix, if there is one and no doubt about it.
    pub fn gram_entry(&self, weight: &str) -> Option<&GramEntry> {
        let opened = self.gram.as_ref()?;
        opened.gram.entries.get(opened.matches.get(weight)?.key()?)
    }

    /// Whether the Gram file has anything for the weights.
    pub fn has_gram_matches(&self) -> bool {
        self.gram.as_ref().is_some_and(|opened| !opened.matches.is_empty())
    }

    /// Keys of the Gram matrices that no weight asks for.
    pub fn unmatched_grams(&self) -> Vec<String> {
        let Some(OpenedGram { gram, matches, .. }) = &self.gram else { return Vec::new() };
        let asked: BTreeSet<&str> = filled(matches.values().filter_map(GramMatch::key));
        gram.entries.keys().filter(|key| !asked.contains(key.as_str())).cloned().collect()
    }

    /// Where the Gram matrix of that key is.
    ///
    /// # Errors
    /// `Input` if it is not there.
    pub fn gram_tensor(&self, entry: &GramEntry) -> Result<(&TensorFile<S>, &TensorInfo)> {
        self.gram_file()
            .and_then(|file| Some((file, file.header.get(&entry.key)?)))
            .ok_or_else(|| Error::input("its Gram matrix is missing").tensor(&entry.key))
    }
}

fn open_gram<'a, S: Source>(
    file: TensorFile<S>,
    weights: impl Iterator<Item = &'a str>,
) -> Result<OpenedGram<S>> {
    let gram = GramFile::new(&file.header).map_err(|error| error.file(file.source.name()))?;
    let matches = gram.matches(weights);
    Ok(OpenedGram { file, gram, matches })
}

/// All models of a merge, in order.
#[derive(Debug)]
pub struct Models<S> {
    /// The models.
    pub list: Vec<Model<S>>,
    /// The model that they were fine-tuned from, where it is given.
    pub base: Option<Model<S>>,
}

impl<S: Source> Models<S> {
    /// Takes at least one model. How many a method needs, the plan says.
    ///
    /// # Errors
    /// `Usage` if there is none.
    pub fn new(list: Vec<Model<S>>) -> Result<Self> {
        match list.is_empty() {
            true => {
                Err(Error::usage("there is no model to merge")
                    .advice("give two checkpoints or more"))
            }
            false => Ok(Self { list, base: None }),
        }
    }

    /// These models with the one that they were fine-tuned from.
    #[must_use]
    pub fn with_base(self, base: Option<Model<S>>) -> Self {
        Self { base, ..self }
    }

    /// Every file that is read.
    pub fn sources(&self) -> impl Iterator<Item = &S> {
        let models = self.list.iter().chain(&self.base);
        models.flat_map(|model| model.files.iter().chain(model.gram_file())).map(|f| &f.source)
    }
}

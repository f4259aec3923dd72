//! From paths to opened models.

use std::path::{Path, PathBuf};

use gramerge::format::ShardIndex;
use gramerge::io::native::FileSource;
use gramerge::merge::inventory::{FileKind, SelectedModel};
use gramerge::merge::{Inventory, Library, Models};
use gramerge::{Error, Result, printable};
use pollster::block_on;

use crate::args::Inputs;

/// All files of the given paths; folders are searched one level deep.
pub(crate) fn library(paths: &[PathBuf]) -> Result<Library<FileSource>> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(files_of(path)?);
    }
    open(&files)
}

/// These files and no others.
fn open(files: &[PathBuf]) -> Result<Library<FileSource>> {
    let sources = files.iter().map(|file| FileSource::open(file)).collect::<Result<_>>()?;
    Ok(block_on(Library::open(sources)))
}

/// The models of a command line, with their Gram files.
pub(crate) fn models(inputs: &Inputs) -> Result<Models<FileSource>> {
    if !inputs.gram.is_empty() && inputs.gram.len() != inputs.models.len() {
        let (grams, models) = (inputs.gram.len(), inputs.models.len());
        return Err(Error::usage(format!("{grams} Gram files for {models} models"))
            .advice("give one per model, in the same order"));
    }
    let mut list = Vec::new();
    for (index, path) in inputs.models.iter().enumerate() {
        list.push(model(path, inputs.gram.get(index))?);
    }
    let models = Models::new(list)?;
    block_on(models.sample());
    Ok(models)
}

/// One model alone, as for `verify`'s output.
pub(crate) fn model(
    path: &Path,
    gram: Option<&PathBuf>,
) -> Result<gramerge::merge::Model<FileSource>> {
    let mut files = files_of(path)?;
    let n_checkpoint_files = files.len();
    files.extend(gram.cloned());
    let library = open(&files)?;
    let inventory = library.inventory();
    let mut selected = only_model(path, &inventory, n_checkpoint_files)?;
    selected.gram = gram.map(|_| n_checkpoint_files);
    selected.name = name_of(path);
    library.model(&selected)
}

/// The one model among a path's own files.
fn only_model(path: &Path, inventory: &Inventory, n_files: usize) -> Result<SelectedModel> {
    let shown = path.display().to_string();
    let own = |model: &&SelectedModel| model.files.iter().all(|file| *file < n_files);
    let mut models: Vec<&SelectedModel> = inventory.suggestion.models.iter().filter(own).collect();
    match (models.pop(), models.is_empty()) {
        (Some(model), true) => Ok(model.clone()),
        (Some(_), false) => {
            Err(Error::input("the folder holds several models").file(shown).advice("name one file"))
        }
        (None, _) => Err(why_none(inventory, n_files, shown)),
    }
}

/// Why a path holds no model.
fn why_none(inventory: &Inventory, n_files: usize, shown: String) -> Error {
    let own = &inventory.files[..n_files.min(inventory.files.len())];
    if let Some(error) = own.iter().find_map(|file| file.error.clone()) {
        return error;
    }
    let is_gram = own.iter().any(|file| file.kind == FileKind::Gram);
    let what = match is_gram {
        true => "it is a Gram file, not a checkpoint",
        false => "there is no safetensors checkpoint in it",
    };
    Error::input(what).file(shown).advice("give a .safetensors file or a folder of one model")
}

/// A file's or folder's own name.
fn name_of(path: &Path) -> String {
    let name = path.file_name().or_else(|| path.parent()?.file_name());
    let name = name.map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into());
    for ending in [".safetensors.index.json", ".safetensors"] {
        if let Some(stem) = name.strip_suffix(ending) {
            return stem.to_owned();
        }
    }
    name
}

/// A file, an index with its shards, or what a folder holds.
fn files_of(path: &Path) -> Result<Vec<PathBuf>> {
    let shown = path.display().to_string();
    if path.is_dir() {
        return folder(path, &shown);
    }
    if shown.ends_with(".safetensors.index.json") {
        return shards(path, &shown);
    }
    if !path.exists() {
        return Err(Error::io("there is no such file").file(shown).advice("check the path"));
    }
    Ok(vec![path.to_owned()])
}

fn folder(path: &Path, shown: &str) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| Error::io(format!("{error}")).file(shown);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn shards(index: &Path, shown: &str) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| Error::io(format!("{error}")).file(shown);
    ShardIndex::check_len(std::fs::metadata(index).map_err(failed)?.len())?;
    let json = std::fs::read(index).map_err(failed)?;
    let listed = ShardIndex::parse(&json).map_err(|error| error.file(shown))?;
    let folder = index.parent().unwrap_or(Path::new("."));
    let mut files = vec![index.to_owned()];
    for shard in listed.shards() {
        let file = folder.join(shard);
        if !file.exists() {
            let what = format!("its shard `{}` is not beside it", printable(shard));
            return Err(Error::input(what).file(shown).advice("download the missing shard"));
        }
        files.push(file);
    }
    Ok(files)
}

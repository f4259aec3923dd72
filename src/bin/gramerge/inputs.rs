//! From paths to opened models.

use std::path::{Path, PathBuf};

use gramerge::checkpoint::file_name;
use gramerge::checkpoint::inventory::{FileEntry, FileKind, SelectedModel};
use gramerge::checkpoint::{Inventory, Library, Models};
use gramerge::format::{ShardIndex, ShardName, missing_numbers};
use gramerge::io::native::FileSource;
use gramerge::io::{Source, read_range};
use gramerge::plan::needs;
use gramerge::{Error, Result, printable};
use pollster::block_on;
use same_file::Handle;

use crate::args::Inputs;
use crate::asked::Asked;
use crate::progress::Watched;

const INDEX_SUFFIX: &str = ".safetensors.index.json";

/// All files of the given paths; folders are searched one level deep.
pub(crate) fn library(paths: &[PathBuf]) -> Result<Library<Watched>> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(files_of(path)?);
    }
    open(&files)
}

/// These files and no others.
fn open(files: &[PathBuf]) -> Result<Library<Watched>> {
    let sources =
        files.iter().map(|file| FileSource::open(file).map(Watched)).collect::<Result<_>>()?;
    Ok(block_on(Library::open(sources)))
}

/// The models of a command line, with their Gram files and their base; prints what is remarkable about
/// the files.
pub(crate) fn models(asked: &Asked) -> Result<Models<Watched>> {
    let Asked { inputs, options, .. } = asked;
    if !inputs.gram.is_empty() && inputs.gram.len() != inputs.models.len() {
        let (grams, models) = (inputs.gram.len(), inputs.models.len());
        return Err(Error::usage(format!("{grams} Gram files for {models} models"))
            .advice("give one per model, in the same order"));
    }
    let spec = options.spec()?;
    let mut list = Vec::new();
    for (index, path) in inputs.models.iter().enumerate() {
        list.push(model(path, inputs.gram.get(index))?);
    }
    let base = inputs.base.as_ref().map(|path| model(path, None)).transpose()?;
    let models = needs::arrange(spec, list, base)?;
    asked.check_layers(&models)?;
    block_on(models.sample());
    Ok(models)
}

/// One model alone, as for `verify`'s output.
pub(crate) fn model(
    path: &Path,
    gram: Option<&PathBuf>,
) -> Result<gramerge::checkpoint::Model<Watched>> {
    let mut files = files_of(path)?;
    if path.is_dir() {
        let indices = files.iter().filter(|file| is_index(file));
        indices.map(|index| shards(index)).collect::<Result<Vec<_>>>()?;
    }
    let n_own = files.len();
    files.extend(gram.cloned());
    let library = open(&files)?;
    let inventory = library.inventory_of(n_own);
    let mut selected = only_model(path, &inventory)?;
    selected.gram = gram.map(|_| n_own);
    selected.name = name_of(path);
    let model = library.model(&selected)?;
    warn(&inventory.warnings);
    Ok(model)
}

/// Prints warnings.
pub(crate) fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

/// Refuses to write over a file that is read.
pub(crate) fn require_no_input(output: &Path, inputs: &Inputs) -> Result<()> {
    let Ok(own) = Handle::from_path(output) else { return Ok(()) };
    for path in inputs.models.iter().chain(&inputs.gram).chain(&inputs.base) {
        for input in files_of(path)? {
            if Handle::from_path(&input).is_ok_and(|input| input == own) {
                let what = "it is an input of this merge, and not written over";
                let shown = output.display().to_string();
                return Err(Error::usage(what).file(shown).advice("choose another name"));
            }
        }
    }
    Ok(())
}

/// The one model among a path's own files.
fn only_model(path: &Path, inventory: &Inventory) -> Result<SelectedModel> {
    let shown = path.display().to_string();
    // Without its index nobody can say whether a model is whole.
    let is_index = |file: &&FileEntry| file.path.ends_with(INDEX_SUFFIX);
    if let Some(error) = inventory.files.iter().filter(is_index).find_map(|f| f.error.clone()) {
        return Err(error);
    }
    match &inventory.suggestion.models[..] {
        [model] => {
            require_all_shards(model, inventory).map_err(|error| error.file(shown))?;
            Ok(model.clone())
        }
        [] => Err(why_none(inventory, shown)),
        _ => {
            Err(Error::input("the folder holds several models").file(shown).advice("name one file"))
        }
    }
}

/// Refuses a model whose files' own names say that there are more.
fn require_all_shards(model: &SelectedModel, inventory: &Inventory) -> Result<()> {
    let path = |file: &usize| file_name(&inventory.files[*file].path);
    let shards = model.files.iter().filter_map(|file| ShardName::parse(path(file)));
    let shards: Vec<ShardName<'_>> = shards.collect();
    let (None, Some(ShardName { stem, total, .. })) = (model.index, shards.first()) else {
        return Ok(());
    };
    let present: Vec<u32> = shards.iter().map(|shard| shard.number).collect();
    let (n_missing, first) = missing_numbers(&present, *total);
    let Some(first) = first.first() else { return Ok(()) };
    let name = format!("{}-{first:05}-of-{total:05}.safetensors", printable(stem));
    let what = match n_missing {
        1 => format!("one of its {total} shards is missing: `{name}`"),
        _ => format!("{n_missing} of its {total} shards are missing, the first is `{name}`"),
    };
    Err(Error::input(what).advice("put all shards beside one another"))
}

/// Why a path holds no model.
fn why_none(inventory: &Inventory, shown: String) -> Error {
    let own = &inventory.files;
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
    for ending in [INDEX_SUFFIX, ".safetensors"] {
        if let Some(stem) = name.strip_suffix(ending) {
            return stem.to_owned();
        }
    }
    name
}

/// A file, an index with its shards, or what a folder holds.
pub(crate) fn files_of(path: &Path) -> Result<Vec<PathBuf>> {
    let shown = path.display().to_string();
    if path.is_dir() {
        return folder(path, &shown);
    }
    if is_index(path) {
        return shards(path);
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

fn is_index(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(INDEX_SUFFIX.as_bytes())
}

/// An index and its shards, all of which must be beside it.
fn shards(index: &Path) -> Result<Vec<PathBuf>> {
    let shown = &*index.display().to_string();
    let source = FileSource::open(index)?;
    ShardIndex::check_len(source.len_bytes()).map_err(|error| error.file(shown))?;
    let json = block_on(read_range(&source, 0, source.len_bytes()))?;
    let listed = ShardIndex::parse(&json).map_err(|error| error.file(shown))?;
    if listed.shards().is_empty() {
        let what = "it lists no shards";
        return Err(Error::input(what).file(shown).advice("download the model's index again"));
    }
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

//! Which checkpoint files form one model, and what it is called.
//!
//! Invariants: an index claims the files beside it that it lists; then shards by their numbered
//! names; every other checkpoint is a model by itself. Models come in the order of their first
//! files.

use std::collections::BTreeMap;

use super::Seen;
use super::names::{base_name, folder, stem};
use crate::checkpoint::inventory::{FileEntry, FileKind, SelectedModel};
use crate::format::{Header, ShardName, check_disjoint, missing_numbers};
use crate::order::sort_by_key;
use crate::{Error, printable};

/// The models among the files. Their Gram files come later.
pub(super) fn group(
    files: &[Seen],
    entries: &[FileEntry],
    warnings: &mut Vec<String>,
) -> Vec<SelectedModel> {
    let mut free: Vec<usize> =
        (0..files.len()).filter(|&i| entries[i].kind == FileKind::Checkpoint).collect();
    let mut models = indexed(files, &mut free, warnings);
    models.extend(numbered(files, &mut free, warnings));
    models.extend(free.into_iter().map(|file| model(vec![file], None)));
    sort_by_key(&mut models, |model| model.files.first().copied());
    name(files, &mut models);
    models
}

fn model(files: Vec<usize>, index: Option<usize>) -> SelectedModel {
    SelectedModel { files, index, ..SelectedModel::default() }
}

/// Takes the files out of `free` that `belongs` accepts.
fn take(free: &mut Vec<usize>, belongs: impl Fn(usize) -> bool) -> Vec<usize> {
    free.extract_if(.., |file| belongs(*file)).collect()
}

/// One model per index that has at least one of its shards beside it.
fn indexed(
    files: &[Seen],
    free: &mut Vec<usize>,
    warnings: &mut Vec<String>,
) -> Vec<SelectedModel> {
    let mut models = Vec::new();
    for (at, seen) in files.iter().enumerate() {
        let Some(index) = seen.index() else { continue };
        let is_listed = |file: usize| {
            let path = &files[file].path;
            folder(path) == folder(&seen.path) && index.lists(base_name(path))
        };
        let shards = take(free, is_listed);
        match index.check(&headers(files, &shards)) {
            Ok(found) => warnings.extend(found.iter().map(|w| about(&seen.path, w))),
            Err(error) => warnings.push(sentence(error, &seen.path)),
        }
        if !shards.is_empty() {
            models.push(model(shards, Some(at)));
        }
    }
    models
}

/// One model per folder, stem and number of shards.
fn numbered(
    files: &[Seen],
    free: &mut Vec<usize>,
    warnings: &mut Vec<String>,
) -> Vec<SelectedModel> {
    let shard_name = |file: usize| ShardName::parse(base_name(&files[file].path));
    let mut sets: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for file in take(free, |file| shard_name(file).is_some()) {
        if let Some(ShardName { stem, total, .. }) = shard_name(file) {
            sets.entry((folder(&files[file].path), stem, total)).or_default().push(file);
        }
    }
    let mut models = Vec::new();
    for ((_, stem, total), mut shards) in sets {
        sort_by_key(&mut shards, |&file| shard_name(file).map(|name| name.number));
        let numbers: Vec<_> =
            shards.iter().filter_map(|&file| Some(shard_name(file)?.number)).collect();
        warnings.extend(missing(stem, &numbers, total));
        if let Err(error) = check_disjoint(&headers(files, &shards)) {
            warnings.push(sentence(error, stem));
        }
        models.push(model(shards, None));
    }
    models
}

fn missing(stem: &str, numbers: &[u32], total: u32) -> Option<String> {
    let (n_missing, first) = missing_numbers(numbers, total);
    let file = |number: &u32| format!("`{}-{number:05}-of-{total:05}`", printable(stem));
    let names = first.iter().map(file).collect::<Vec<_>>().join(", ");
    let more = if first.len() < n_missing as usize { ", …" } else { "" };
    (n_missing > 0).then(|| format!("{n_missing} of {total} shards are missing: {names}{more}."))
}

fn headers<'a>(files: &'a [Seen], shards: &[usize]) -> Vec<(&'a str, &'a Header)> {
    let named = |&file: &usize| Some((base_name(&files[file].path), files[file].header()?));
    shards.iter().filter_map(named).collect()
}

fn about(path: &str, warning: &str) -> String {
    format!("`{}`: {warning}", printable(path))
}

fn sentence(error: Error, path: &str) -> String {
    format!("{}.", error.file(path))
}

/// Names models by their files, by their folders where the files' names coincide, by whole paths
/// where those do too.
fn name(files: &[Seen], models: &mut [SelectedModel]) {
    let first_path = |model: &SelectedModel| match model.files.first() {
        Some(&file) => files[file].path.clone(),
        None => String::new(),
    };
    let paths: Vec<String> = models.iter().map(first_path).collect();
    let by_file: Vec<&str> = paths.iter().map(|path| file_label(path)).collect();
    let by_folder: Vec<&str> = paths.iter().map(|path| base_name(folder(path))).collect();
    for (i, model) in models.iter_mut().enumerate() {
        let is_only = |labels: &[&str]| labels.iter().filter(|l| **l == labels[i]).count() == 1;
        let label = match by_folder[i] {
            _ if is_only(&by_file) => by_file[i],
            folder if !folder.is_empty() && is_only(&by_folder) => folder,
            _ => &paths[i],
        };
        model.name = label.to_owned();
    }
}

fn file_label(path: &str) -> &str {
    ShardName::parse(base_name(path)).map_or(stem(path), |name| name.stem)
}

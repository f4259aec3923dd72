//! Which Gram file belongs to which model.
//!
//! A Gram file of another model gives a merge that looks fine and is wrong, so evidence is used in
//! order of its strength: the fingerprint of the weights; alone together in a folder, unless the
//! file itself disagrees; the file's own `source`; names; and only then, if exactly as many are left
//! on both sides, the order given, with a warning. None goes against a fingerprint.

use std::collections::BTreeMap;

use super::names::{agreement, base_name, folder, mentions, stem, words};
use crate::checkpoint::inventory::{FileEntry, FileKind, GramEvidence, SelectedModel};
use crate::order::filled;
use crate::printable;

/// Names shorter than this occur in ordinary sentences.
const MIN_MENTION_CHARS: usize = 3;
/// Half of all words: below it, agreement of names is chance.
const CLEAR_AGREEMENT: usize = 500;

/// What a model is called: its shown name and its checkpoint files' paths.
pub(crate) type ModelNames = (String, Vec<String>);

/// Whether a Gram file, by its index, was made of a model, as its fingerprint says; `None` where
/// that is not known.
pub(crate) type Fits<'a> = dyn Fn(usize, &SelectedModel) -> Option<bool> + 'a;

/// Evidence that a Gram file belongs to a model, both by index: larger is stronger, 0 is none.
type Evidence<'a> = dyn Fn(usize, usize) -> usize + 'a;

/// Gives every model at most one Gram file, and warns of those that remain.
pub(super) fn attach(
    files: &[FileEntry],
    models: &mut [SelectedModel],
    fits: &Fits<'_>,
    warnings: &mut Vec<String>,
) {
    let mut free: Vec<usize> =
        (0..files.len()).filter(|&i| files[i].kind == FileKind::Gram).collect();
    let named: Vec<ModelNames> = models.iter().map(|model| names_of(files, model)).collect();
    let made_of: BTreeMap<usize, Vec<usize>> =
        filled(free.iter().map(|&gram| (gram, fitting(gram, models, fits))));
    // A Gram file that fits some models belongs to none of the others.
    let may = |gram: usize, model: usize| {
        made_of.get(&gram).is_none_or(|models| models.is_empty() || models.contains(&model))
    };
    let printed = |gram: usize, model: usize| {
        usize::from(made_of.get(&gram).is_some_and(|models| models.contains(&model)))
    };
    let beside = |gram: usize, model: usize| {
        let FileEntry { path, source, .. } = &files[gram];
        let is_beside = is_beside(path, &named[model]);
        let contradicts = gram_contradicts(&named, path, source.as_deref(), model);
        usize::from(is_beside && contradicts.is_none())
    };
    let sourced =
        |gram: usize, model: usize| by_source(files[gram].source.as_deref(), &named[model]);
    let alike = |gram: usize, model: usize| by_name(&files[gram].path, &named[model]);
    let ways: [(GramEvidence, &Evidence<'_>); 4] = [
        (GramEvidence::Fingerprint, &printed),
        (GramEvidence::Folder, &beside),
        (GramEvidence::Source, &sourced),
        (GramEvidence::Name, &alike),
    ];
    for (kind, evidence) in ways {
        let score = |gram, model| if may(gram, model) { evidence(gram, model) } else { 0 };
        pair(models, &mut free, kind, &score);
    }
    in_order(files, models, &mut free, &may, warnings);
    let n_models = models.len();
    warnings.extend(free.iter().map(|&gram| without_model(&files[gram], n_models)));
}

fn fitting(gram: usize, models: &[SelectedModel], fits: &Fits<'_>) -> Vec<usize> {
    (0..models.len()).filter(|&model| fits(gram, &models[model]) == Some(true)).collect()
}

fn names_of(files: &[FileEntry], model: &SelectedModel) -> ModelNames {
    let paths = model.files.iter().map(|&file| files[file].path.clone()).collect();
    (model.name.clone(), paths)
}

/// Pairs Gram files and models that are each other's only best match, until none is left.
fn pair(
    models: &mut [SelectedModel],
    free: &mut Vec<usize>,
    kind: GramEvidence,
    evidence: &Evidence<'_>,
) {
    let score = |&gram: &usize| (0..models.len()).map(|model| evidence(gram, model)).collect();
    let scores: Vec<Vec<usize>> = free.iter().map(score).collect();
    let mut open: Vec<usize> = (0..free.len()).collect();
    while let Some((row, model)) = open.iter().find_map(|&row| {
        let free_models = (0..models.len()).filter(|&m| models[m].gram.is_none());
        let model = only_best(free_models.map(|m| (m, scores[row][m])))?;
        let rival = only_best(open.iter().map(|&r| (r, scores[r][model])))?;
        (rival == row).then_some((row, model))
    }) {
        models[model].gram = Some(free[row]);
        models[model].gram_evidence = Some(kind);
        open.retain(|&other| other != row);
    }
    *free = open.into_iter().map(|row| free[row]).collect();
}

/// The one item with the highest score above 0, unless two share it.
fn only_best<T>(scored: impl Iterator<Item = (T, usize)>) -> Option<T> {
    let mut best: Option<T> = None;
    let mut best_score = 0;
    for (item, score) in scored {
        if score > best_score {
            (best, best_score) = (Some(item), score);
        } else if score == best_score {
            best = None;
        }
    }
    best
}

fn is_beside(gram_path: &str, (_, paths): &ModelNames) -> bool {
    paths.iter().any(|path| folder(path) == folder(gram_path))
}

/// How clearly a Gram file's provenance names a model: by file, by name or stem, by folder.
fn by_source(source: Option<&str>, (name, paths): &ModelNames) -> usize {
    let Some(source) = source else { return 0 };
    let says = |name: &str| name.chars().count() >= MIN_MENTION_CHARS && mentions(source, name);
    let any = |part: fn(&str) -> &str| paths.iter().any(|path| says(part(path)));
    if paths.iter().any(|path| path.contains(['/', '\\']) && says(path)) {
        4
    } else if any(base_name) {
        3
    } else if source == name || says(name) || any(stem) {
        2
    } else {
        usize::from(any(|path| base_name(folder(path))))
    }
}

fn by_name(gram_path: &str, (name, paths): &ModelNames) -> usize {
    let gram = words(gram_path);
    let scores = paths.iter().map(|path| agreement(&gram, &words(path)));
    scores.chain([agreement(&gram, &words(name))]).max().unwrap_or(0)
}

fn in_order(
    files: &[FileEntry],
    models: &mut [SelectedModel],
    free: &mut Vec<usize>,
    may: &dyn Fn(usize, usize) -> bool,
    warnings: &mut Vec<String>,
) {
    let waiting: Vec<usize> = (0..models.len()).filter(|&m| models[m].gram.is_none()).collect();
    let pairs = || waiting.iter().copied().zip(free.iter().copied());
    if waiting.len() != free.len() || !pairs().all(|(model, gram)| may(gram, model)) {
        return;
    }
    for (model, gram) in waiting.into_iter().zip(free.drain(..)) {
        let model = &mut models[model];
        (model.gram, model.gram_evidence) = (Some(gram), Some(GramEvidence::Order));
        let (path, name) = (printable(&files[gram].path), printable(&model.name));
        warnings.push(format!(
            "Nothing but its place in the list says that the Gram file `{path}` belongs to \
             `{name}`; check it."
        ));
    }
}

fn without_model(gram: &FileEntry, n_models: usize) -> String {
    let path = printable(&gram.path);
    match n_models {
        0 => format!(
            "The Gram file `{path}` waits for its model: add the checkpoint that it was made of, \
             and those to merge with, each with a Gram file of its own."
        ),
        _ => format!(
            "The Gram file `{path}` fits no model by fingerprint, folder, source or name; assign \
             it by hand."
        ),
    }
}

/// A warning if a Gram file's own source or its name clearly means another model of the selection
/// than `attached`, the index of the one that it is used for.
pub(crate) fn gram_contradicts(
    models: &[ModelNames],
    gram_path: &str,
    gram_source: Option<&str>,
    attached: usize,
) -> Option<String> {
    let (current, _) = models.get(attached)?;
    let best = |score: &dyn Fn(&ModelNames) -> usize, least: usize| {
        let scored = models.iter().enumerate().map(|(i, model)| (i, score(model)));
        only_best(scored.filter(|(_, score)| *score >= least))
    };
    let sourced = best(&|model| by_source(gram_source, model), 1);
    let meant = sourced.or_else(|| best(&|model| by_name(gram_path, model), CLEAR_AGREEMENT))?;
    let why = if sourced.is_some() { "its source" } else { "its name" };
    let (path, other) = (printable(gram_path), printable(&models[meant].0));
    (meant != attached).then(|| {
        let name = printable(current);
        format!("The Gram file `{path}` is used for `{name}`, but {why} points to `{other}`.")
    })
}

//! One file under two names: a model merged with itself, or a Gram file that serves two models.
//!
//! Seldom meant, and always possible: so it is a warning.

use std::path::{Path, PathBuf};

use gramerge::io::native::FileSource;
use gramerge::merge::Models;
use gramerge::printable;
use same_file::Handle;

/// A sentence for every pair.
pub(crate) fn warnings(models: &Models<FileSource>, grams: &[PathBuf]) -> Vec<String> {
    let first = models.list.iter().filter_map(|model| Some(model.files().first()?.source.path()));
    let checkpoints: Vec<&Path> = first.collect();
    let grams: Vec<&Path> = grams.iter().map(PathBuf::as_path).collect();
    // The plan warns of one path that is given twice.
    let models = pairs(&checkpoints).filter(|(a, b)| a != b).map(|(a, b)| {
        let (a, b) = (shown(a), shown(b));
        format!("`{a}` and `{b}` are one file: a model is merged with itself.")
    });
    let grams = pairs(&grams).map(|(a, b)| match a == b {
        true => format!("`{}` is the Gram file of two models.", shown(a)),
        false => format!("`{}` and `{}` are one Gram file for two models.", shown(a), shown(b)),
    });
    models.chain(grams).collect()
}

fn shown(file: &Path) -> String {
    printable(&file.display().to_string())
}

/// Files that are the same as one before.
fn pairs<'a>(files: &[&'a Path]) -> impl Iterator<Item = (&'a Path, &'a Path)> + use<'a> {
    let handles: Vec<_> = files.iter().map(|file| Handle::from_path(file).ok()).collect();
    let (n, files) = (files.len(), files.to_vec());
    let twin = move |at: usize| {
        let own = handles[at].as_ref()?;
        let twin = handles[..at].iter().position(|other| other.as_ref() == Some(own))?;
        Some((files[twin], files[at]))
    };
    (0..n).filter_map(twin)
}

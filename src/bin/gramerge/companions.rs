//! Small files that belong to a model beside its tensors: passed through as they are.

use std::path::{Path, PathBuf};

use gramerge::merge::group_files::COMPANIONS;
use gramerge::{Error, Result};

use crate::unfinished::Unfinished;

/// Copies what stands beside the model at `path`; how many files.
pub(crate) fn pass_through(path: &Path, output: &Unfinished) -> Result<usize> {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let beside = |name: &str| folder.map_or_else(|| PathBuf::from(name), |dir| dir.join(name));
    let mut n_copied = 0;
    for name in COMPANIONS {
        let path = beside(name);
        if path.is_file() {
            let failed = |error: std::io::Error| {
                Error::io(format!("cannot be read ({error})")).file(path.display().to_string())
            };
            output.add(name, &std::fs::read(&path).map_err(failed)?)?;
            n_copied += 1;
        }
    }
    Ok(n_copied)
}

//! Small files that belong to a model beside its tensors: passed through as they are.

use std::path::{Path, PathBuf};

use gramerge::checkpoint::group_files::COMPANIONS;
use gramerge::io::native::FileSource;
use gramerge::{Error, Result};

use crate::unfinished::Unfinished;

/// Copies what stands beside the model at `path`.
pub(crate) fn pass_through(path: &Path, output: &Unfinished) -> Result<()> {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let beside = |name: &str| folder.map_or_else(|| PathBuf::from(name), |dir| dir.join(name));
    for name in COMPANIONS {
        let path = beside(name);
        if path.symlink_metadata().is_ok() {
            let source = FileSource::open(&path).map_err(|error| Error {
                advice: Some("pass no files through, with --files-from 0".into()),
                ..error
            })?;
            output.add(name, &mut source.file())?;
        }
    }
    Ok(())
}

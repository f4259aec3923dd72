//! One file that gets its name when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gramerge::io::native::write_all_at;
use gramerge::{Error, Result};
use tempfile::TempPath;

use super::temporary::{self, Temporary};
use super::{busy, exists, failed, leftovers};

/// The file's name in its temporary folder.
const NAME: &str = "unfinished";

/// A file in a temporary folder.
#[derive(Debug)]
pub(crate) struct Staged {
    target: PathBuf,
    force: bool,
    temporary: Temporary,
    file: Arc<File>,
}

impl Staged {
    /// Begins the file, once `check` has agreed; what dead runs left goes first, but for what holds
    /// one of the `spared`.
    pub(crate) fn new(
        target: &Path,
        force: bool,
        spared: &[PathBuf],
        check: impl FnOnce() -> Result<()>,
    ) -> Result<Self> {
        check_free(target, force)?;
        if leftovers::clear(target, spared) && !force {
            return Err(busy(target));
        }
        check()?;
        let begun = Temporary::beside(target).and_then(|begun| Ok((begun.add(NAME)?, begun)));
        let (file, temporary) = begun.map_err(|error| failed(target, &error))?;
        Ok(Self { target: target.to_owned(), force, temporary, file: Arc::new(file) })
    }

    /// The open file.
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Writes all of it at once.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<()> {
        write_all_at(&self.file, bytes, 0).map_err(|error| failed(&self.target, &error))
    }

    /// Everything is written: gives it its name.
    pub(crate) fn publish(self) -> Result<()> {
        let Self { target, force, temporary, file } = self;
        file.sync_all().map_err(|error| failed(&target, &error))?;
        drop(file);
        temporary.publish(|folder| {
            let file = folder.join(NAME);
            match force {
                true => check_free(&target, true).and_then(|()| replace(&file, &target)),
                false => rename(&file, &target),
            }?;
            // The file has its name: a folder that stays is for the next run.
            let _left = temporary::remove_emptied(folder).is_err();
            Ok(())
        })
    }
}

/// Refuses a name that is taken. Even by force only a regular file is replaced: behind a link, a
/// device or a pipe is something else than meets the eye.
pub(crate) fn check_free(target: &Path, force: bool) -> Result<()> {
    match fs::symlink_metadata(target) {
        Ok(found) if !found.is_file() => {
            let what = "something that is no regular file has this name, and is not replaced";
            Err(Error::usage(what).file(target.display().to_string()).advice("choose another name"))
        }
        Ok(_) if !force => Err(exists(target, "choose another name, or overwrite it with --force")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(target, &error)),
        _ => Ok(()),
    }
}

/// Gives a file a name that nothing else has.
pub(super) fn rename(temporary: &Path, target: &Path) -> Result<()> {
    let whole = TempPath::try_from_path(temporary).map_err(|error| failed(target, &error))?;
    let Err(refused) = whole.persist_noclobber(target) else { return Ok(()) };
    match fs::symlink_metadata(target) {
        Ok(_) => Err(exists(target, "it came while this run was writing: choose another name")),
        // A disk that knows neither links nor renaming without replacing.
        Err(_) => refused.path.persist(target).map_err(|refused| failed(target, &refused.error)),
    }
}

fn replace(temporary: &Path, target: &Path) -> Result<()> {
    fs::rename(temporary, target).map_err(|error| failed(target, &error))
}

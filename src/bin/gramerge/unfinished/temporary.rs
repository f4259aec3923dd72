//! Temporary folders beside or in the output that is wanted, each held by its mark's lock for as
//! long as its run lives.
//!
//! Invariants: nothing that is there is opened; a folder has its name only from a run.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use gramerge::Result;
use tempfile::Builder;

use super::mark;
use crate::pending::{Kept, remove_empty};

/// A temporary name's middle, behind the output's name.
const INFIX: &str = ".gramerge-";
/// A temporary name's end.
const SUFFIX: &str = ".partial";
/// Letters and digits that cannot be guessed.
const N_RANDOM: usize = 12;
/// A folder in an existing folder that is to be filled: one name, so that two runs cannot both.
pub(super) const INSIDE: &str = ".gramerge.partial";
/// In the moment before it is locked, a folder may be taken for a dead run's, and removed.
const ATTEMPTS: usize = 8;

/// A temporary folder with its locked mark.
#[derive(Debug)]
pub(super) struct Temporary {
    kept: Kept,
    mark: File,
}

impl Temporary {
    /// A new folder beside `target`.
    pub(super) fn beside(target: &Path) -> io::Result<Self> {
        Self::begin(|| Ok((beside(target)?, Vec::new())))
    }

    /// A new folder beside `target`, whose parents are made, too.
    pub(super) fn below_parents(target: &Path) -> io::Result<Self> {
        Self::begin(|| {
            let made = make_parents(target)?;
            let path = beside(target).inspect_err(|_| remove_empty(&made))?;
            Ok((path, made))
        })
    }

    /// A new folder in `target`, a folder.
    pub(super) fn inside(target: &Path) -> io::Result<Self> {
        Self::begin(|| {
            let path = inside(target);
            fs::create_dir(&path)?;
            Ok((path, Vec::new()))
        })
    }

    fn begin(make: impl Fn() -> io::Result<(PathBuf, Vec<PathBuf>)>) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let kept = Kept::begin(&make)?;
            match kept.add(mark::NAME) {
                Ok(mark) if mark::begin(&mark, kept.path())? => return Ok(Self { kept, mark }),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Makes a new file in it.
    pub(super) fn add(&self, name: &str) -> io::Result<File> {
        mark::list(&self.mark, name)?;
        self.kept.add(name)
    }

    /// Gives what is in it its own name by `publish`; if that fails, all is removed.
    pub(super) fn publish(self, publish: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let Self { kept, mark } = self;
        // Held as long as it can be: there, a folder with an open file cannot be renamed.
        let _held = (!cfg!(windows)).then_some(mark);
        kept.publish(publish)
    }
}

/// The folder that a run keeps in an existing folder.
pub(super) fn inside(target: &Path) -> PathBuf {
    target.join(INSIDE)
}

/// Removes the mark, and the folder that holds nothing else by now.
pub(super) fn remove_emptied(folder: &Path) -> io::Result<()> {
    fs::remove_file(folder.join(mark::NAME))?;
    fs::remove_dir(folder)
}

/// Whether a name is one that a run has for `target`'s.
pub(super) fn is_for(name: &OsStr, target: &OsStr) -> bool {
    let random = || {
        let rest = name.as_encoded_bytes().strip_prefix(target.as_encoded_bytes())?;
        rest.strip_prefix(INFIX.as_bytes())?.strip_suffix(SUFFIX.as_bytes())
    };
    random().is_some_and(|random| {
        random.len() == N_RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
    })
}

/// The folder that holds `target`.
pub(super) fn parent(target: &Path) -> &Path {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn beside(target: &Path) -> io::Result<PathBuf> {
    let mut prefix: OsString = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?.into();
    prefix.push(INFIX);
    let made = Builder::new()
        .prefix(&prefix)
        .suffix(SUFFIX)
        .rand_bytes(N_RANDOM)
        .make_in(parent(target), |path| fs::create_dir(path))?;
    Ok(made.into_parts().1.keep()?)
}

/// Makes the folders that are missing above `target`; those made, the deepest first.
fn make_parents(target: &Path) -> io::Result<Vec<PathBuf>> {
    let parent = parent(target);
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let made: Vec<PathBuf> = parent.ancestors().take_while(missing).map(Path::to_owned).collect();
    fs::create_dir_all(parent).inspect_err(|_| remove_empty(&made))?;
    Ok(made)
}

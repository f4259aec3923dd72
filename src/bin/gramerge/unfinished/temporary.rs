//! Temporary names beside the one that is wanted, each held by a lock for as long as its run lives.
//!
//! Invariants: nothing that is there is opened; a name that is not locked belongs to nobody.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fs4::TryLockError;
use tempfile::Builder;

use crate::pending::{Kept, create_new, remove_empty};

/// A temporary name's end.
const SUFFIX: &str = ".partial";
/// Letters and digits that cannot be guessed.
const N_RANDOM: usize = 12;
/// A folder in an existing folder that is to be filled: one name, so that two runs cannot both.
const INSIDE: &str = ".gramerge.partial";
/// In the moment before it is locked, a name may be taken for a dead run's, and removed.
const ATTEMPTS: usize = 8;

/// A new file beside `target`, locked.
pub(super) fn file(target: &Path) -> io::Result<(Kept, File)> {
    for _ in 0..ATTEMPTS {
        let (path, file) = beside(target, create_new)?;
        let kept = Kept::file(path);
        if is_ours(&file, kept.path()) {
            return Ok((kept, file));
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// A new folder beside `target`, whose parents are made, too; with its first file, locked.
pub(super) fn folder_beside(target: &Path, first: &str) -> io::Result<(Kept, File)> {
    folder(first, || {
        let made = make_parents(target)?;
        match beside(target, |path| fs::create_dir(path)) {
            Ok((path, ())) => Ok(Kept::folder(path, made)),
            Err(error) => {
                remove_empty(&made);
                Err(error)
            }
        }
    })
}

/// A new folder in `target`, a folder; with its first file, locked.
pub(super) fn folder_inside(target: &Path, first: &str) -> io::Result<(Kept, File)> {
    folder(first, || {
        let path = inside(target);
        fs::create_dir(&path)?;
        Ok(Kept::folder(path, Vec::new()))
    })
}

fn folder(first: &str, make: impl Fn() -> io::Result<Kept>) -> io::Result<(Kept, File)> {
    for _ in 0..ATTEMPTS {
        let kept = make()?;
        match kept.add(first) {
            Ok(file) if is_ours(&file, &kept.path().join(first)) => return Ok((kept, file)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// The folder that a run keeps in an existing folder.
pub(super) fn inside(target: &Path) -> PathBuf {
    target.join(INSIDE)
}

/// Whether a name is one that a run has for `target`'s.
pub(super) fn is_for(name: &OsStr, target: &OsStr) -> bool {
    let random = || {
        let rest = name.as_encoded_bytes().strip_prefix(target.as_encoded_bytes())?;
        rest.strip_prefix(b".")?.strip_suffix(SUFFIX.as_bytes())
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

fn beside<T>(target: &Path, make: impl FnMut(&Path) -> io::Result<T>) -> io::Result<(PathBuf, T)> {
    let mut prefix: OsString = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?.into();
    prefix.push(".");
    let made = Builder::new()
        .prefix(&prefix)
        .suffix(SUFFIX)
        .rand_bytes(N_RANDOM)
        .make_in(parent(target), make)?;
    let (thing, path) = made.into_parts();
    Ok((path.keep()?, thing))
}

/// Makes the folders that are missing above `target`; those made, the deepest first.
fn make_parents(target: &Path) -> io::Result<Vec<PathBuf>> {
    let parent = parent(target);
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let made: Vec<PathBuf> = parent.ancestors().take_while(missing).map(Path::to_owned).collect();
    fs::create_dir_all(parent).inspect_err(|_| remove_empty(&made))?;
    Ok(made)
}

/// Locks a new file, unless another run has taken it for a dead one's. Where a disk knows no locks,
/// others leave it alone.
fn is_ours(file: &File, path: &Path) -> bool {
    match fs4::FileExt::try_lock(file) {
        Ok(()) | Err(TryLockError::Error(_)) => path.exists(),
        Err(TryLockError::WouldBlock) => false,
    }
}

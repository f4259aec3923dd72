//! What runs to the same place left when they were killed: named, and removed.
//!
//! A name is a dead run's if it is one that a run gives itself, and nobody holds its lock. Whatever
//! else lies there stays.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fs4::TryLockError;
use gramerge::printable;

use super::temporary::{inside, is_for, parent};

/// Whose a temporary name is.
enum Owner {
    Dead,
    Alive,
    Unknown(io::Error),
}

/// Removes what dead runs to `target` left; whether a living run is writing there.
pub(super) fn clear(target: &Path) -> bool {
    let mut is_busy = false;
    for path in names(target) {
        let shown = path.display().to_string();
        let shown = printable(&shown);
        match remove(&path) {
            Owner::Dead => {
                eprintln!("warning: `{shown}`, left by a run that was killed, is removed");
            }
            Owner::Alive => is_busy = true,
            Owner::Unknown(error) => eprintln!(
                "warning: `{shown}` lies here from another run, and could not be removed ({error}); \
                 remove it if no merge is running"
            ),
        }
    }
    is_busy
}

fn names(target: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    if let (Some(own), Ok(entries)) = (target.file_name(), fs::read_dir(parent(target))) {
        let beside = entries.flatten().filter(|entry| is_for(&entry.file_name(), own));
        names.extend(beside.map(|entry| entry.path()));
    }
    names.extend(Some(inside(target)).filter(|path| path.symlink_metadata().is_ok()));
    names.sort();
    names
}

fn remove(path: &Path) -> Owner {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => unless_locked(path, || fs::remove_file(path)),
        Ok(found) if found.is_dir() => match first_file(path) {
            Some(first) => unless_locked(&first, || fs::remove_dir_all(path)),
            // A run that has just begun may have an empty one: it tries again.
            None => fs::remove_dir(path),
        },
        Ok(_) => return Owner::Unknown(io::Error::other("it is neither a file nor a folder")),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => Owner::Dead,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Owner::Alive,
        Err(error) => Owner::Unknown(error),
    }
}

/// The first file of tensors: its lock stands for its folder.
fn first_file(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "safetensors")).min()
}

/// Holds the lock of `path` meanwhile; `WouldBlock` if somebody else does.
fn unless_locked(path: &Path, remove: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => remove(),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

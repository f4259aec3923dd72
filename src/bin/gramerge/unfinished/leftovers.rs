//! What runs to the same place left when they were killed: named, and removed.
//!
//! A folder is a dead run's if it has a name that a run gives itself and the mark of one, of the same
//! user, that nobody holds. Only what the mark lists is removed, and nothing of a folder that holds
//! more, or something that this run reads. Whatever else lies there stays.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gramerge::printable;

use super::mark::{self, foreign};
use super::temporary::{inside, is_for, parent};

/// Whose a temporary name is.
enum Owner {
    Dead,
    Alive,
    Unknown(io::Error),
}

/// Removes what dead runs to `target` left, but for what holds one of the `spared`, which are
/// canonical; whether a living run is writing there.
pub(super) fn clear(target: &Path, spared: &[PathBuf]) -> bool {
    let mut is_busy = false;
    for path in names(target) {
        let shown = path.display().to_string();
        let shown = printable(&shown);
        match remove(&path, spared) {
            Owner::Dead => {
                eprintln!("warning: `{shown}`, left by a run that was killed, is removed");
            }
            Owner::Alive => is_busy = true,
            Owner::Unknown(error) => eprintln!(
                "warning: `{shown}` lies here and is left as it is ({error}); remove it if it is \
                 not needed"
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

fn remove(folder: &Path, spared: &[PathBuf]) -> Owner {
    match try_remove(folder, spared) {
        Ok(()) => Owner::Dead,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Owner::Alive,
        Err(error) => Owner::Unknown(error),
    }
}

fn try_remove(folder: &Path, spared: &[PathBuf]) -> io::Result<()> {
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || !mark::is_own(&found) {
        return Err(foreign("it is no folder of this user's"));
    }
    let canonical = folder.canonicalize()?;
    if spared.iter().any(|path| path.starts_with(&canonical)) {
        return Err(foreign("this merge uses what is in it"));
    }
    // A run that has just begun may have an empty one: it tries again.
    if fs::read_dir(folder)?.next().is_none() {
        return fs::remove_dir(folder);
    }
    let (_held, listed) = mark::take(folder)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_listed = listed.iter().any(|listed| **listed == *name);
        if name != mark::NAME && !(is_listed && entry.file_type()?.is_file()) {
            return Err(foreign("it holds what no run made"));
        }
        files.push(entry.path());
    }
    // The mark last, so that what is left of a removal that fails is still a run's.
    files.sort_by_key(|path| path.ends_with(mark::NAME));
    files.iter().try_for_each(fs::remove_file)?;
    fs::remove_dir(folder)
}

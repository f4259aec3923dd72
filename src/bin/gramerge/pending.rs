//! Folders that a run has begun under temporary names, and what becomes of them when the run ends.
//!
//! Must not know: what is in the files.
//! Invariants: whatever is listed here is removed when its owner is dropped, at a signal and at a
//! panic; a thing gets its own name under the same lock, so it is either published or removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use gramerge::{Result, printable};

static PENDING: Mutex<Pending> = Mutex::new(Pending { things: Vec::new(), n_published: 0 });

struct Pending {
    things: Vec<Thing>,
    n_published: usize,
}

/// A folder under a temporary name.
struct Thing {
    path: PathBuf,
    /// Folders that were made to hold it, the deepest first.
    made: Vec<PathBuf>,
}

/// A thing under a temporary name: it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// Makes a folder, and takes charge of it and of the folders made to hold it, the deepest first.
    /// A signal waits until it is listed.
    pub(crate) fn begin(
        make: impl FnOnce() -> io::Result<(PathBuf, Vec<PathBuf>)>,
    ) -> io::Result<Self> {
        let mut pending = locked();
        pending.things.reserve(1);
        let (path, made) = make()?;
        pending.things.push(Thing { path: path.clone(), made });
        Ok(Self { path })
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a new file in the folder, which a signal may be removing.
    pub(crate) fn add(&self, name: &str) -> io::Result<fs::File> {
        let _held = locked();
        create_new(&self.path.join(name))
    }

    /// Gives it its own name by `publish`; if that fails, it is removed.
    pub(crate) fn publish(self, publish: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let mut pending = locked();
        let published = publish(&self.path);
        if published.is_ok() {
            pending.things.retain(|thing| thing.path != self.path);
            pending.n_published += 1;
        }
        drop(pending);
        published
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut pending = locked();
        let at = pending.things.iter().position(|thing| thing.path == self.path);
        let failed = at.and_then(|at| pending.things.swap_remove(at).remove());
        // Whoever reads the warning may keep it waiting, which is not to keep a signal waiting.
        drop(pending);
        failed.iter().for_each(|failed| eprintln!("{failed}"));
    }
}

impl Thing {
    /// Removes it, or says why it could not.
    fn remove(self) -> Option<String> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let path = self.path.display().to_string();
                Some(format!("warning: `{}` could not be removed ({error})", printable(&path)))
            }
            _ => {
                remove_empty(&self.made);
                None
            }
        }
    }
}

/// Removes folders that hold nothing.
pub(crate) fn remove_empty(folders: &[PathBuf]) {
    for folder in folders {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// A new file, never one that is there.
pub(crate) fn create_new(path: &Path) -> io::Result<fs::File> {
    fs::File::options().read(true).write(true).create_new(true).open(path)
}

/// Removes everything, and keeps whoever wants to publish or to begin something waiting for ever:
/// for a process that ends at once. How many things had been published before, and what could not be
/// removed.
pub(crate) fn end() -> (usize, Vec<String>) {
    let mut pending = locked();
    let failed = pending.things.drain(..).filter_map(Thing::remove).collect();
    let n_published = pending.n_published;
    std::mem::forget(pending);
    (n_published, failed)
}

/// Removes everything from inside a panic or an abort, unless it struck in the middle of publishing.
pub(crate) fn abandon() {
    let mut pending = match PENDING.try_lock() {
        Ok(pending) => pending,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return,
    };
    pending.things.drain(..).for_each(|thing| drop(thing.remove()));
}

fn locked() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signal's thread waits for the lock: there is no moment between making and listing.
    #[test]
    fn a_folder_is_made_and_listed_under_one_lock() {
        let place = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let (path, above) = (place.path().join("above/below"), place.path().join("above"));
        let begun = Kept::begin(|| {
            assert!(matches!(PENDING.try_lock(), Err(TryLockError::WouldBlock)));
            fs::create_dir_all(&path)?;
            Ok((path.clone(), vec![above.clone()]))
        });
        assert!(locked().things.iter().any(|thing| thing.path == path));
        drop(begun);
        assert!(!above.exists());
    }
}

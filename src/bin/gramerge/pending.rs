//! What a run has begun under temporary names, and what becomes of it when the run ends.
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

/// A file or folder under a temporary name.
struct Thing {
    path: PathBuf,
    is_folder: bool,
    /// Folders that were made to hold it, the deepest first.
    made: Vec<PathBuf>,
}

/// A thing under a temporary name: it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// Takes charge of a file.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::new(path, false, Vec::new())
    }

    /// Takes charge of a folder, and of the folders `made` to hold it, the deepest first.
    pub(crate) fn folder(path: PathBuf, made: Vec<PathBuf>) -> Self {
        Self::new(path, true, made)
    }

    fn new(path: PathBuf, is_folder: bool, made: Vec<PathBuf>) -> Self {
        locked().things.push(Thing { path: path.clone(), is_folder, made });
        Self { path }
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
        if let Some(at) = pending.things.iter().position(|thing| thing.path == self.path) {
            pending.things.swap_remove(at).remove();
        }
    }
}

impl Thing {
    fn remove(self) {
        let removed = match self.is_folder {
            true => fs::remove_dir_all(&self.path),
            false => fs::remove_file(&self.path),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let path = self.path.display().to_string();
                eprintln!("warning: `{}` could not be removed ({error})", printable(&path));
            }
            _ => remove_empty(&self.made),
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
/// for a process that ends at once. How many things had been published before.
pub(crate) fn end() -> usize {
    let mut pending = locked();
    pending.things.drain(..).for_each(Thing::remove);
    let n_published = pending.n_published;
    std::mem::forget(pending);
    n_published
}

/// Removes everything from inside a panic or an abort, unless it struck in the middle of publishing.
pub(crate) fn abandon() {
    let mut pending = match PENDING.try_lock() {
        Ok(pending) => pending,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return,
    };
    pending.things.drain(..).for_each(Thing::remove);
}

fn locked() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

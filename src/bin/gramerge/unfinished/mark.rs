//! The mark in a run's temporary folder: a file that names what the run makes there, and whose lock
//! says that the run lives.
//!
//! Invariant: a name is listed before its file is made, so that whatever is not listed is another's.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use fs4::TryLockError;

/// The mark's own name.
pub(super) const NAME: &str = ".gramerge-run";
/// The mark's first entry; behind it, as behind every name, is a zero byte.
const FIRST: &str = "gramerge: files of a run that go when it ends";
/// More than any run lists.
const MAX_BYTES: u64 = 1 << 24;

/// Lists a name.
pub(super) fn list(mut mark: &File, name: &str) -> io::Result<()> {
    mark.write_all(format!("{name}\0").as_bytes())
}

/// Locks and begins a new mark, unless another run has taken its folder for a dead one's. Where a
/// disk knows no locks, others leave it alone.
pub(super) fn begin(mark: &File, folder: &Path) -> io::Result<bool> {
    let is_ours = match fs4::FileExt::try_lock(mark) {
        Ok(()) | Err(TryLockError::Error(_)) => folder.join(NAME).exists(),
        Err(TryLockError::WouldBlock) => false,
    };
    if is_ours {
        list(mark, FIRST)?;
    }
    Ok(is_ours)
}

/// The locked mark of a dead run's folder, and the names it lists; `WouldBlock` if its run lives.
pub(super) fn take(folder: &Path) -> io::Result<(File, Vec<String>)> {
    let path = folder.join(NAME);
    let found = fs::symlink_metadata(&path).map_err(|_| foreign("it has no mark of a run"))?;
    if !found.is_file() || !is_own(&found) {
        return Err(foreign("its mark is another's"));
    }
    let mark = File::options().read(true).write(true).open(path)?;
    match fs4::FileExt::try_lock(&mark) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut listed = String::new();
    (&mark).take(MAX_BYTES).read_to_string(&mut listed)?;
    let mut names = listed.split_terminator('\0').map(str::to_owned);
    match names.next() {
        // A run that was killed before its first word.
        None => Ok((mark, Vec::new())),
        Some(first) if first == FIRST => Ok((mark, names.collect())),
        Some(_) => Err(foreign("its mark is another's")),
    }
}

/// Whether this user owns it.
#[cfg(unix)]
pub(super) fn is_own(found: &fs::Metadata) -> bool {
    // SAFETY: it has no preconditions and cannot fail.
    std::os::unix::fs::MetadataExt::uid(found) == unsafe { libc::geteuid() }
}

#[cfg(windows)]
pub(super) fn is_own(_found: &fs::Metadata) -> bool {
    true
}

pub(super) fn foreign(why: &str) -> io::Error {
    io::Error::other(why.to_owned())
}

//! Files of the operating system.
//!
//! Only regular files: a pipe or a device has no length, cannot be read at any place, and may keep
//! its reader waiting for ever.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::Source;
use crate::{Error, Result};

mod position;

pub use position::{read_exact_at, write_all_at};

/// A file opened for reading.
#[derive(Debug, Clone)]
pub struct FileSource {
    name: String,
    path: PathBuf,
    file: Arc<File>,
    len_bytes: u64,
    modified: Option<SystemTime>,
}

impl FileSource {
    /// Opens a file; its path is its name in errors.
    ///
    /// # Errors
    /// `Io` if it is not there, not readable, or not a regular file.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error| failure(&name, "cannot be opened", &error);
        // Before it is opened, since opening a pipe waits for its other end.
        require_regular(&std::fs::metadata(path).map_err(failed)?, &name)?;
        Self::of(path, Arc::new(File::open(path).map_err(failed)?))
    }

    /// Takes a file that is open for reading.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of(path: &Path, file: Arc<File>) -> Result<Self> {
        let name = path.display().to_string();
        let found = file.metadata().map_err(|error| failure(&name, "cannot be read", &error))?;
        require_regular(&found, &name)?;
        let (len_bytes, modified) = (found.len(), found.modified().ok());
        Ok(Self { name, path: path.to_owned(), file, len_bytes, modified })
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }
}

fn require_regular(found: &Metadata, name: &str) -> Result<()> {
    let (what, advice) = match (found.is_file(), found.is_dir()) {
        (true, _) => return Ok(()),
        (_, true) => ("it is a folder", "name a file in it"),
        _ => (
            "it is no regular file (a pipe, a socket or a device)",
            "copy what it gives to a file, and name that",
        ),
    };
    Err(Error::io(what).file(name).advice(advice))
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    async fn read_into(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        read_exact_at(&self.file, buffer, offset_bytes)
            .map_err(|error| failure(&self.name, "cannot be read", &error))
    }

    /// By its length and time of change.
    async fn check(&self) -> Result<()> {
        let found = self.file.metadata();
        let found = found.map_err(|error| failure(&self.name, "cannot be read", &error))?;
        if (found.len(), found.modified().ok()) == (self.len_bytes, self.modified) {
            return Ok(());
        }
        Err(Error::io("the file has changed while it was read")
            .file(&self.name)
            .advice("start again when nothing writes to it"))
    }
}

fn failure(name: &str, what: &str, error: &std::io::Error) -> Error {
    Error::io(format!("{what} ({error})")).file(name)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_grew_or_was_touched_is_noticed() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        std::fs::write(&path, "whole").expect("a file");
        let source = FileSource::open(&path).expect("a source");
        assert_eq!(pollster::block_on(source.check()), Ok(()));
        let mut file = File::options().append(true).open(&path).expect("the file");
        file.write_all(b"more").expect("more");
        let changed = pollster::block_on(source.check()).expect_err("it grew");
        assert!(changed.to_string().contains("changed while it was read"), "{changed}");
        file.set_len(5).expect("its old length");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("another time");
        assert!(pollster::block_on(source.check()).is_err(), "it was touched");
    }
}

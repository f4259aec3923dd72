//! Files of the operating system.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::Source;
use crate::{Error, Result};

/// A file opened for reading.
#[derive(Debug, Clone)]
pub struct FileSource {
    name: String,
    file: Arc<File>,
    len_bytes: u64,
    modified: Option<SystemTime>,
}

impl FileSource {
    /// Opens a file; its path is its name in errors.
    ///
    /// # Errors
    /// `Io` if it is not there or not readable.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error| failure(&name, "cannot be opened", &error);
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        let (len_bytes, modified) = (found.len(), found.modified().ok());
        Ok(Self { name, file: Arc::new(file), len_bytes, modified })
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    async fn read_into(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        self.file
            .read_exact_at(buffer, offset_bytes)
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

//! Files of the operating system.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::Source;
use crate::{Error, Result};

/// A file opened for reading.
#[derive(Debug, Clone)]
pub struct FileSource {
    name: String,
    file: Arc<File>,
    len_bytes: u64,
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
        let len_bytes = file.metadata().map_err(failed)?.len();
        Ok(Self { name, file: Arc::new(file), len_bytes })
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
}

fn failure(name: &str, what: &str, error: &std::io::Error) -> Error {
    Error::io(format!("{what} ({error})")).file(name)
}

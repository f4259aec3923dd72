//! How things are printed, and the output file.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gramerge::io::Sink;
use gramerge::{Error, Result};

/// Prints a value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<()> {
    let text = to_json(value)?;
    // A closed pipe is the reader's wish, not an error.
    let _closed = writeln!(std::io::stdout(), "{text}").is_err();
    Ok(())
}

/// A value as indented JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Error::io(format!("it cannot be written as JSON ({error})")))
}

/// A size for people.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut size = n as f64 / 1e3;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1e3;
        unit += 1;
    }
    if n < 1000 { format!("{n} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

/// The output under a temporary name, until it is whole.
pub(crate) struct Unfinished {
    target: PathBuf,
    temporary: PathBuf,
    file: Arc<File>,
    finished: bool,
}

impl Unfinished {
    pub(crate) fn create(target: &Path, force: bool) -> Result<Self> {
        let shown = target.display().to_string();
        if target.exists() && !force {
            return Err(Error::usage("the output exists already")
                .file(shown)
                .advice("choose another name, or overwrite it with --force"));
        }
        let mut temporary = target.as_os_str().to_owned();
        temporary.push(format!(".{}.partial", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let file = File::create(&temporary).map_err(|error| failed(&temporary, &error))?;
        let (target, file) = (target.to_owned(), Arc::new(file));
        Ok(Self { target, temporary, file, finished: false })
    }

    /// A writer for one thread.
    pub(crate) fn writer(&self) -> Writer {
        Writer { path: self.temporary.clone(), file: Arc::clone(&self.file) }
    }

    /// Everything is written: give it its name.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.file.sync_all().map_err(|error| failed(&self.temporary, &error))?;
        std::fs::rename(&self.temporary, &self.target)
            .map_err(|error| failed(&self.target, &error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished && std::fs::remove_file(&self.temporary).is_err() {
            eprintln!("warning: `{}` could not be removed", self.temporary.display());
        }
    }
}

/// Writes pieces of the output from one thread.
pub(crate) struct Writer {
    path: PathBuf,
    file: Arc<File>,
}

impl Sink for Writer {
    async fn write_at(&mut self, offset_bytes: u64, bytes: Vec<u8>) -> Result<()> {
        self.file.write_all_at(&bytes, offset_bytes).map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::io(format!("it cannot be written ({error})")).file(path.display().to_string())
}

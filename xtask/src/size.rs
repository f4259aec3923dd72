//! How long a stage took and how big its result is.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Result;

/// A named piece of work that is being timed.
pub(crate) struct Stage {
    name: String,
    began: Instant,
}

impl Stage {
    /// Starts the clock.
    pub(crate) fn begin(name: String) -> Stage {
        Stage { name, began: Instant::now() }
    }

    /// Prints the time, and the size of the file that came out.
    pub(crate) fn end(self, file: &Path) -> Result<()> {
        let seconds = self.began.elapsed().as_secs_f64();
        let size = Size::of(file)?;
        eprintln!("  {:<32} {seconds:7.1} s  {size}", self.name);
        Ok(())
    }
}

/// Bytes on disk and on the wire.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Size {
    /// As stored.
    pub(crate) raw_bytes: u64,
    /// As a static host sends it.
    pub(crate) gzip_bytes: u64,
}

impl Size {
    /// Of a file, or of every file in a folder but type declarations, which no browser asks for.
    pub(crate) fn of(path: &Path) -> Result<Size> {
        measure(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kilobytes = |bytes: u64| bytes as f64 / 1000.0;
        write!(
            f,
            "{:8.1} kB, {:7.1} kB with gzip",
            kilobytes(self.raw_bytes),
            kilobytes(self.gzip_bytes)
        )
    }
}

fn measure(path: &Path) -> std::io::Result<Size> {
    if path.is_dir() {
        let mut sum = Size::default();
        for entry in fs::read_dir(path)? {
            let entry = entry?.path();
            if entry.to_string_lossy().ends_with(".d.ts") {
                continue;
            }
            let part = measure(&entry)?;
            sum.raw_bytes += part.raw_bytes;
            sum.gzip_bytes += part.gzip_bytes;
        }
        return Ok(sum);
    }
    let bytes = fs::read(path)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes)?;
    Ok(Size { raw_bytes: bytes.len() as u64, gzip_bytes: encoder.finish()?.len() as u64 })
}

//! Files that a browser's user has chosen, read in a worker.
//!
//! Slices are read synchronously; each checks that the file is still the one that was chosen,
//! which a stream over the whole file would not.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DomException, File, FileReaderSync};

use super::Source;
use crate::{Error, Result};

/// A chosen file.
#[derive(Debug, Clone)]
pub struct WebFile {
    path: String,
    file: File,
    reader: FileReaderSync,
}

impl WebFile {
    /// `path` is its name in errors.
    ///
    /// # Errors
    /// `Device` outside a worker, where files cannot be read synchronously.
    pub fn new(path: String, file: File) -> Result<Self> {
        let reader = FileReaderSync::new()
            .map_err(|_| Error::device("files can be read in a worker only"))?;
        Ok(Self { path, file, reader })
    }

    fn slice(&self, offset_bytes: u64, len_bytes: usize) -> Result<ArrayBuffer, JsValue> {
        let (start, end) = (offset_bytes as f64, (offset_bytes + len_bytes as u64) as f64);
        let blob = self.file.slice_with_f64_and_f64(start, end)?;
        self.reader.read_as_array_buffer(&blob)
    }
}

impl Source for WebFile {
    fn name(&self) -> &str {
        &self.path
    }

    fn len_bytes(&self) -> u64 {
        self.file.size() as u64
    }

    async fn read_into(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        let read = self.slice(offset_bytes, buffer.len());
        let bytes = Uint8Array::new(&read.map_err(|error| failure(&self.path, &error))?.into());
        if bytes.length() as usize != buffer.len() {
            return Err(changed(&self.path));
        }
        bytes.copy_to(buffer);
        Ok(())
    }
}

/// The browser's own words are about permissions, whatever the reason.
fn failure(path: &str, error: &JsValue) -> Error {
    let name = error.dyn_ref::<DomException>().map(DomException::name).unwrap_or_default();
    match name.as_str() {
        "NotFoundError" => Error::io("the file is gone").file(path).advice("choose it again"),
        "NotReadableError" => changed(path),
        _ => Error::io(format!("it cannot be read ({name})")).file(path),
    }
}

fn changed(path: &str) -> Error {
    Error::io("the file has changed since it was chosen, or may no longer be read")
        .file(path)
        .advice("choose it again")
}

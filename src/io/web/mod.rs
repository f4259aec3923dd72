//! Files that a browser's user has chosen, read in a worker.
//!
//! Short reads come from a slice that was read ahead, synchronously; each slice checks that the file
//! is still the one that was chosen. Long reads, one behind the other, are streamed.

mod stream;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DomException, File, FileReaderSync};

use super::Source;
use crate::{Error, Result};
use stream::Stream;

/// Shorter reads are not worth a stream.
const MIN_STREAMED_BYTES: usize = 1 << 20;
/// What a short read reads ahead: a slice of it takes hardly longer than one of a few bytes.
const AHEAD_BYTES: u64 = 1 << 20;

/// A chosen file.
#[derive(Debug, Clone)]
pub struct WebFile {
    path: String,
    file: File,
    reader: FileReaderSync,
    /// Where the last long read ended.
    stream: Rc<RefCell<Option<Stream>>>,
    /// The last slice and where it begins.
    ahead: Rc<RefCell<Option<(u64, Uint8Array)>>>,
}

impl WebFile {
    /// `path` is its name in errors.
    ///
    /// # Errors
    /// `Internal` outside a worker, where files cannot be read synchronously.
    pub fn new(path: String, file: File) -> Result<Self> {
        let reader = FileReaderSync::new()
            .map_err(|_| Error::internal("files can be read in a worker only"))?;
        Ok(Self { path, file, reader, stream: Rc::default(), ahead: Rc::default() })
    }

    fn slice(&self, offset_bytes: u64, len_bytes: u64) -> Result<Uint8Array, JsValue> {
        let (start, end) = (offset_bytes as f64, (offset_bytes + len_bytes) as f64);
        let blob = self.file.slice_with_f64_and_f64(start, end)?;
        Ok(Uint8Array::new(&self.reader.read_as_array_buffer(&blob)?.into()))
    }

    fn read_ahead(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        let mut ahead = self.ahead.borrow_mut();
        let kept = ahead.take().filter(|kept| part(kept, offset_bytes, buffer.len()).is_some());
        let slice = match kept {
            Some(kept) => kept,
            None => {
                let read = self.slice(offset_bytes, AHEAD_BYTES);
                (offset_bytes, read.map_err(|error| failure(&self.path, &error))?)
            }
        };
        let bytes = part(&slice, offset_bytes, buffer.len()).ok_or_else(|| changed(&self.path))?;
        bytes.copy_to(buffer);
        *ahead = Some(slice);
        Ok(())
    }

    /// Taken for as long as it is read from: a read that fails leaves none behind.
    fn stream_at(&self, offset_bytes: u64) -> Result<Stream> {
        let kept = self.stream.borrow_mut().take();
        match kept.filter(|stream| stream.continues_at(offset_bytes)) {
            Some(stream) => Ok(stream),
            None => {
                Stream::open(&self.file, offset_bytes).map_err(|error| failure(&self.path, &error))
            }
        }
    }

    async fn read_streamed(&self, mut offset_bytes: u64, mut buffer: &mut [u8]) -> Result<()> {
        while !buffer.is_empty() {
            let mut stream = self.stream_at(offset_bytes)?;
            let read = stream.read(buffer).await.map_err(|error| failure(&self.path, &error))?;
            let len = read.ok_or_else(|| changed(&self.path))?;
            self.stream.replace(Some(stream));
            offset_bytes += len as u64;
            buffer = &mut buffer[len..];
        }
        Ok(())
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
        match buffer.len() {
            ..MIN_STREAMED_BYTES => self.read_ahead(offset_bytes, buffer),
            _ => self.read_streamed(offset_bytes, buffer).await,
        }
    }

    /// Nothing is read ahead.
    async fn read_spot(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        let read = self.slice(offset_bytes, buffer.len() as u64);
        let bytes = read.map_err(|error| failure(&self.path, &error))?;
        if bytes.length() as usize != buffer.len() {
            return Err(changed(&self.path));
        }
        bytes.copy_to(buffer);
        Ok(())
    }

    /// A browser refuses to read any byte of a file that is not the one that was chosen.
    async fn check(&self) -> Result<()> {
        let last = self.len_bytes().saturating_sub(1);
        self.slice(last, 1).map(|_| ()).map_err(|error| failure(&self.path, &error))
    }
}

/// So many bytes of a slice that begins at `start`, if it has them.
fn part((start, slice): &(u64, Uint8Array), offset_bytes: u64, len: usize) -> Option<Uint8Array> {
    let from = offset_bytes.checked_sub(*start)?;
    let end = from + len as u64;
    (end <= u64::from(slice.length())).then(|| slice.subarray(from as u32, end as u32))
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

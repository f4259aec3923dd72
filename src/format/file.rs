//! One safetensors file: its header, and reads of its tensors.
//!
//! Must not know: what tensors mean, which medium the bytes come from.
//! Invariants: no read leaves its tensor; no allocation exceeds the file's own length; errors name
//! file and tensor.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::fingerprint::HEAD_ELEMENTS;
use super::header::{Header, PREFIX_BYTES, TensorInfo, header_len};
use super::sniff::{SNIFF_BYTES, wrong_file};
use crate::error::ErrorKind;
use crate::io::{Source, read_range};
use crate::{Error, Result};

/// An open file with its header.
#[derive(Debug, Clone)]
pub struct TensorFile<S> {
    /// Where the bytes come from.
    pub source: S,
    /// What is in them.
    pub header: Arc<Header>,
    heads: Heads,
}

/// Bytes of tensors that were once read, by their places among the file's data. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heads(Arc<Mutex<BTreeMap<Place, Arc<[u8]>>>>);

/// Where bytes begin and end.
type Place = (u64, u64);

/// How many elements of a tensor's middle are read.
const MIDDLE_ELEMENTS: u64 = 1024;

impl<S: Source> TensorFile<S> {
    /// Reads the header and checks it against the file's length.
    ///
    /// # Errors
    /// `Input` if it is no whole safetensors file, saying what it is instead where that shows;
    /// `Io` if it cannot be read.
    pub async fn open(source: S) -> Result<Self> {
        let header = Arc::new(read_header(&source).await?);
        Ok(Self::known(source, header, Heads::default()))
    }

    /// A file whose header has been read.
    pub(crate) fn known(source: S, header: Arc<Header>, heads: Heads) -> Self {
        Self { source, header, heads }
    }

    /// Reads a tensor's first [`HEAD_ELEMENTS`], or all of fewer, once.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_head(&self, tensor: &TensorInfo) -> Result<Arc<[u8]>> {
        self.read_once(tensor, 0..head_bytes(tensor)).await
    }

    /// What [`Self::read_head`] has read.
    pub fn head(&self, tensor: &TensorInfo) -> Option<Arc<[u8]>> {
        self.known_bytes(tensor, 0..head_bytes(tensor))
    }

    /// Reads elements from a tensor's middle, where they are less special than its first ones, or
    /// all of few; once.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_middle(&self, tensor: &TensorInfo) -> Result<Arc<[u8]>> {
        self.read_once(tensor, middle_bytes(tensor)).await
    }

    /// What [`Self::read_middle`] has read.
    pub fn middle(&self, tensor: &TensorInfo) -> Option<Arc<[u8]>> {
        self.known_bytes(tensor, middle_bytes(tensor))
    }

    async fn read_once(&self, tensor: &TensorInfo, bytes: Range<u64>) -> Result<Arc<[u8]>> {
        if let Some(known) = self.known_bytes(tensor, bytes.clone()) {
            return Ok(known);
        }
        let mut read = vec![0; (bytes.end - bytes.start) as usize];
        let offset_bytes = self.offset_of(tensor, bytes.start, read.len() as u64)?;
        let done = self.source.read_spot(offset_bytes, &mut read).await;
        done.map_err(|error| self.at(error, tensor))?;
        let read: Arc<[u8]> = read.into();
        if let Ok(mut heads) = self.heads.0.lock() {
            heads.insert(place(tensor, &bytes), Arc::clone(&read));
        }
        Ok(read)
    }

    fn known_bytes(&self, tensor: &TensorInfo, bytes: Range<u64>) -> Option<Arc<[u8]>> {
        match bytes.is_empty() {
            true => Some(Arc::default()),
            false => self.heads.0.lock().ok()?.get(&place(tensor, &bytes)).cloned(),
        }
    }

    /// Reads a whole tensor of this file.
    ///
    /// # Errors
    /// `Io` as the source's; `Memory` if it cannot be had.
    pub async fn read(&self, tensor: &TensorInfo) -> Result<Vec<u8>> {
        self.read_range(tensor, 0..tensor.len_bytes()).await
    }

    /// Reads a range of a tensor's bytes, counted from its own start.
    ///
    /// # Errors
    /// As [`Self::read`], and `Usage` if the range leaves the tensor.
    pub async fn read_range(&self, tensor: &TensorInfo, bytes: Range<u64>) -> Result<Vec<u8>> {
        let len_bytes = bytes.end.saturating_sub(bytes.start);
        let offset_bytes = self.offset_of(tensor, bytes.start, len_bytes)?;
        let read = read_range(&self.source, offset_bytes, len_bytes).await;
        read.map_err(|error| self.at(error, tensor))
    }

    /// Fills `buffer` with the tensor's bytes from `offset_bytes` on, counted from its own start.
    ///
    /// # Errors
    /// `Usage` if the range leaves the tensor; `Io` as the source's.
    pub async fn read_part(
        &self,
        tensor: &TensorInfo,
        offset_bytes: u64,
        buffer: &mut [u8],
    ) -> Result<()> {
        let offset_bytes = self.offset_of(tensor, offset_bytes, buffer.len() as u64)?;
        let read = self.source.read_into(offset_bytes, buffer).await;
        read.map_err(|error| self.at(error, tensor))
    }

    /// The place in the file of a range within a tensor.
    fn offset_of(&self, tensor: &TensorInfo, offset_bytes: u64, len_bytes: u64) -> Result<u64> {
        let is_inside = offset_bytes
            .checked_add(len_bytes)
            .is_some_and(|end_bytes| end_bytes <= tensor.len_bytes());
        let begin_bytes = self.header.data_start_bytes.checked_add(tensor.begin_bytes);
        let place = begin_bytes.and_then(|begin_bytes| begin_bytes.checked_add(offset_bytes));
        place.filter(|_| is_inside).ok_or_else(|| {
            let what = format!(
                "{len_bytes} bytes from {offset_bytes} on are not within its {} bytes",
                tensor.len_bytes()
            );
            self.at(Error::usage(what), tensor)
        })
    }

    fn at(&self, error: Error, tensor: &TensorInfo) -> Error {
        error.file(self.source.name()).tensor(&tensor.name)
    }
}

fn head_bytes(tensor: &TensorInfo) -> u64 {
    tensor.len_bytes().min(HEAD_ELEMENTS * tensor.dtype.bits().div_ceil(8))
}

/// Whole elements, as many as are read and as far from either end as can be.
fn middle_bytes(tensor: &TensorInfo) -> Range<u64> {
    let element_bytes = tensor.dtype.bits().div_ceil(8);
    let n = tensor.len_bytes() / element_bytes;
    let n_read = n.min(MIDDLE_ELEMENTS);
    let first = (n - n_read) / 2;
    first * element_bytes..(first + n_read) * element_bytes
}

fn place(tensor: &TensorInfo, bytes: &Range<u64>) -> Place {
    (tensor.begin_bytes + bytes.start, tensor.begin_bytes + bytes.end)
}

/// Reads a file's header alone.
///
/// # Errors
/// As [`TensorFile::open`].
pub async fn read_header(source: &impl Source) -> Result<Header> {
    let start = read_start(source).await?;
    let error = match parse_header(source, &start).await {
        Ok(header) => return Ok(header),
        Err(error) => error,
    };
    let recognised = match error.kind {
        ErrorKind::Input => wrong_file(&start, source.name()),
        _ => None,
    };
    Err(recognised.unwrap_or(error).file(source.name()))
}

async fn read_start(source: &impl Source) -> Result<Vec<u8>> {
    let len_bytes = source.len_bytes().min(SNIFF_BYTES as u64);
    read_range(source, 0, len_bytes).await.map_err(|error| error.file(source.name()))
}

async fn parse_header(source: &impl Source, start: &[u8]) -> Result<Header> {
    let Some(prefix) = start.first_chunk() else {
        return Err(Error::input("the file is too short for a header").advice("download it again"));
    };
    let json_len_bytes = header_len(*prefix, source.len_bytes())?;
    let json = read_range(source, PREFIX_BYTES, json_len_bytes).await?;
    Header::parse(&json, source.len_bytes())
}

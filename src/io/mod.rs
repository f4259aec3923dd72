//! Where bytes come from and go to. The only modules that touch files are below this one.
//!
//! Invariants: offsets are u64 (files over 4 GiB are normal, also in a 32-bit tab); a read either
//! fills the whole buffer or fails by the source's name.

pub mod memory;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
mod together;
#[cfg(target_arch = "wasm32")]
pub mod web;

use crate::Result;
pub(crate) use together::together;

/// The largest piece read at once: bounds memory, and keeps a browser's reads below its own limit.
pub const MAX_READ_BYTES: usize = 64 << 20;

/// Random-access input. `&self`, so that one source can feed several tensors.
#[expect(async_fn_in_trait, reason = "generic use only; no Send bound is wanted in a browser")]
pub trait Source {
    /// The name that errors carry: a path as the user gave it.
    fn name(&self) -> &str;
    /// Total length in bytes, as seen when the source was opened.
    fn len_bytes(&self) -> u64;
    /// Fills `buffer` from `offset_bytes`, or fails.
    ///
    /// # Errors
    /// `Io` if the range is not there, the file changed or vanished, or permission was withdrawn.
    async fn read_into(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()>;
    /// As [`Self::read_into`], of a few bytes with nothing to be read beside them.
    ///
    /// # Errors
    /// As [`Self::read_into`].
    async fn read_spot(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        self.read_into(offset_bytes, buffer).await
    }
    /// Checks that the source is still what it was when it was opened.
    ///
    /// # Errors
    /// `Io` if it is not.
    async fn check(&self) -> Result<()>;
}

/// Reads a whole range into new memory, in pieces of at most [`MAX_READ_BYTES`].
///
/// # Errors
/// As [`Source::read_into`]; also `Memory` if it cannot be had.
pub async fn read_range(
    source: &impl Source,
    offset_bytes: u64,
    len_bytes: u64,
) -> Result<Vec<u8>> {
    let mut buffer = allocate(len_bytes).map_err(|error| error.file(source.name()))?;
    let mut offset_bytes = offset_bytes;
    for piece in buffer.chunks_mut(MAX_READ_BYTES) {
        source.read_into(offset_bytes, piece).await?;
        offset_bytes += piece.len() as u64;
    }
    Ok(buffer)
}

/// Zeros, or a sentence where the memory cannot be had.
pub(crate) fn allocate(len_bytes: u64) -> Result<Vec<u8>> {
    let refuse = || {
        let refused = len_bytes.div_ceil(1_000_000);
        crate::Error::memory(format!("{refused} MB more memory were refused"))
            .advice("close other programs or tabs, use fewer workers, or use the command line")
    };
    let len = usize::try_from(len_bytes).map_err(|_| refuse())?;
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(len).map_err(|_| refuse())?;
    buffer.resize(len, 0);
    Ok(buffer)
}

/// Where merged bytes go. Pieces come in any order and never overlap.
#[expect(async_fn_in_trait, reason = "generic use only; no Send bound is wanted in a browser")]
pub trait Sink {
    /// Writes `bytes` at `offset_bytes` of the output.
    ///
    /// # Errors
    /// `Io` if the disk is full or permission was withdrawn.
    async fn write_at(&mut self, offset_bytes: u64, bytes: &[u8]) -> Result<()>;
}

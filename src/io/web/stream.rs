//! A long run of a file, read in order.
//!
//! A stream moves twice as many bytes per second as slices that are read one by one, but notices
//! only at its start that the file has changed. So it covers a bounded slice, and whoever publishes
//! what was made of a file reads a byte of it afterwards.

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::ReadableStreamReaderMode;
use web_sys::{File, ReadableStreamByobReader, ReadableStreamGetReaderOptions};

/// How much one stream covers.
const SLICE_BYTES: u64 = 64 << 20;
/// What one read asks for; browsers give less.
const BUFFER_BYTES: u32 = 1 << 20;

/// Bytes `next_bytes..end_bytes` of a file, still to come.
#[derive(Debug)]
pub(super) struct Stream {
    reader: ReadableStreamByobReader,
    buffer: ArrayBuffer,
    next_bytes: u64,
    end_bytes: u64,
}

impl Stream {
    /// Starts to read at `offset_bytes`.
    pub(super) fn open(file: &File, offset_bytes: u64) -> Result<Self, JsValue> {
        let end_bytes = (offset_bytes + SLICE_BYTES).min(file.size() as u64);
        let slice = file.slice_with_f64_and_f64(offset_bytes as f64, end_bytes as f64)?;
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        let reader = slice.stream().get_reader_with_options(&options).unchecked_into();
        let buffer = ArrayBuffer::new(BUFFER_BYTES);
        Ok(Self { reader, buffer, next_bytes: offset_bytes, end_bytes })
    }

    /// Whether the next byte is the one at that offset.
    pub(super) fn continues_at(&self, offset_bytes: u64) -> bool {
        self.next_bytes == offset_bytes && self.next_bytes < self.end_bytes
    }

    /// Some of the next bytes, at least one; how many. None if the file ends before it should.
    pub(super) async fn read(&mut self, out: &mut [u8]) -> Result<Option<usize>, JsValue> {
        let wanted = out.len().min(BUFFER_BYTES as usize) as u32;
        let view = Uint8Array::new_with_byte_offset_and_length(&self.buffer, 0, wanted);
        let answer = JsFuture::from(self.reader.read_with_array_buffer_view(&view)).await?;
        let value = Reflect::get(&answer, &"value".into())?;
        let Ok(bytes) = value.dyn_into::<Uint8Array>() else { return Ok(None) };
        self.buffer = bytes.buffer().unchecked_into();
        let len = bytes.length() as usize;
        bytes.copy_to(&mut out[..len]);
        self.next_bytes += len as u64;
        Ok((len > 0).then_some(len))
    }
}

impl Drop for Stream {
    /// The browser need not read ahead any more; whether it says so does not matter.
    fn drop(&mut self) {
        let cancelled = JsFuture::from(self.reader.cancel());
        spawn_local(async { drop(cancelled.await) });
    }
}

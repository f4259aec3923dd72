//! Output pieces on their way to the worker that holds the file.

use js_sys::{ArrayBuffer, Function, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::io::Sink;
use crate::{Error, Result};

/// Hands each piece to `write(offset_bytes, bytes)`. The next one is made while it is written, but not
/// handed over before: the queue stays short. The promise gives the piece's buffer back, which carries
/// the next one: browsers collect large buffers so late that a fresh one each time would take
/// hundreds of megabytes.
pub(super) struct Pieces {
    write: Function,
    /// The piece that is being written.
    pending: Option<JsFuture>,
    spare: Option<ArrayBuffer>,
}

impl Pieces {
    pub(super) fn new(write: Function) -> Self {
        Self { write, pending: None, spare: None }
    }

    /// Waits until all is written.
    pub(super) async fn settle(&mut self) -> Result<()> {
        if let Some(pending) = self.pending.take() {
            self.spare = pending.await.map_err(failure)?.dyn_into().ok();
        }
        Ok(())
    }

    fn piece(&mut self, bytes: &[u8]) -> Uint8Array {
        let len = bytes.len() as u32;
        let spare = self.spare.take().filter(|spare| spare.byte_length() >= len);
        let buffer = spare.unwrap_or_else(|| ArrayBuffer::new(len));
        let piece = Uint8Array::new_with_byte_offset_and_length(&buffer, 0, len);
        piece.copy_from(bytes);
        piece
    }
}

impl Sink for Pieces {
    async fn write_at(&mut self, offset_bytes: u64, bytes: &[u8]) -> Result<()> {
        self.settle().await?;
        let piece = self.piece(bytes);
        let offset = JsValue::from_f64(offset_bytes as f64);
        let written = self.write.call2(&JsValue::NULL, &offset, &piece).map_err(failure)?;
        self.pending = written.dyn_into::<Promise>().ok().map(JsFuture::from);
        Ok(())
    }
}

fn failure(error: JsValue) -> Error {
    let why = error.as_string().unwrap_or_else(|| format!("{error:?}"));
    Error::io(format!("the merged model cannot be written ({why})"))
        .advice("free some disk space and try again")
}

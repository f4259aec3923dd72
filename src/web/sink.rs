//! Output pieces on their way to the worker that holds the file.

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::io::Sink;
use crate::{Error, Result};

/// Hands each piece to `write(offset_bytes, bytes)` and waits for it: the queue stays short.
pub(super) struct Pieces {
    write: Function,
}

impl Pieces {
    pub(super) fn new(write: Function) -> Self {
        Self { write }
    }
}

impl Sink for Pieces {
    async fn write_at(&mut self, offset_bytes: u64, bytes: Vec<u8>) -> Result<()> {
        let piece = Uint8Array::from(&bytes[..]);
        drop(bytes);
        let offset = JsValue::from_f64(offset_bytes as f64);
        let written = self.write.call2(&JsValue::NULL, &offset, &piece).map_err(failure)?;
        match written.dyn_into::<Promise>() {
            Ok(promise) => JsFuture::from(promise).await.map(|_| ()).map_err(failure),
            Err(_) => Ok(()),
        }
    }
}

fn failure(error: JsValue) -> Error {
    let why = error.as_string().unwrap_or_else(|| format!("{error:?}"));
    Error::io(format!("the merged model cannot be written ({why})"))
        .advice("free some disk space and try again")
}

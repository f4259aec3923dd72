//! Output pieces on their way out of a computing worker.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::io::Sink;
use crate::{Error, Result};

#[wasm_bindgen]
extern "C" {
    /// The worker's way to the output.
    pub type Outlet;
    /// `bytes` are lent for the call only. Whatever is returned is waited for.
    #[wasm_bindgen(method, catch)]
    fn write(
        this: &Outlet,
        offset_bytes: f64,
        bytes: &[u8],
    ) -> std::result::Result<JsValue, JsValue>;
}

/// Hands each piece to an outlet. The next one is made while it is written, but not handed over
/// before: the queue stays short.
pub(super) struct Pieces {
    outlet: Outlet,
    /// The piece that is being written.
    pending: Option<JsFuture>,
}

impl Pieces {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self { outlet, pending: None }
    }

    /// Waits until all is written.
    pub(super) async fn settle(&mut self) -> Result<()> {
        match self.pending.take() {
            Some(pending) => pending.await.map(|_| ()).map_err(failure),
            None => Ok(()),
        }
    }
}

impl Sink for Pieces {
    async fn write_at(&mut self, offset_bytes: u64, bytes: &[u8]) -> Result<()> {
        self.settle().await?;
        let written = self.outlet.write(offset_bytes as f64, bytes).map_err(failure)?;
        self.pending = written.dyn_into::<Promise>().ok().map(JsFuture::from);
        Ok(())
    }
}

fn failure(error: JsValue) -> Error {
    let why = error.as_string().unwrap_or_else(|| format!("{error:?}"));
    Error::io(format!("the merged model cannot be written ({why})"))
        .advice("free some disk space and try again")
}

//! A layer's helpers in other workers, by way of the worker that holds all ends.

use std::cell::Cell;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::methods::regmean::Crew;
use crate::methods::regmean::crew::{Arithmetic, Payload, Shared};
use crate::{Error, Result};

#[wasm_bindgen]
extern "C" {
    /// The leader's way to its helpers.
    pub type Helpers;
    #[wasm_bindgen(method)]
    fn publish(this: &Helpers, is_double: bool, factor: Uint8Array);
    #[wasm_bindgen(method, catch)]
    async fn collect(this: &Helpers) -> std::result::Result<Array, JsValue>;

    /// A factor as it arrives at a helper.
    pub type Factor;
    #[wasm_bindgen(method, getter, js_name = isDouble)]
    fn is_double(this: &Factor) -> bool;
    #[wasm_bindgen(method, getter)]
    fn bytes(this: &Factor) -> Uint8Array;
}

/// The helpers of one job.
pub struct WebCrew {
    helpers: Helpers,
    own_rows: Cell<Option<usize>>,
}

impl WebCrew {
    /// `own_rows` is what the leader computes where it has helpers at all.
    pub fn new(helpers: Helpers, own_rows: Option<usize>) -> Self {
        Self { helpers, own_rows: Cell::new(own_rows) }
    }
}

impl Crew for WebCrew {
    type Rows = Uint8Array;

    /// Helpers help once: what is solved anew in f64 is solved alone.
    fn own_rows(&self, n_rows: usize) -> usize {
        self.own_rows.take().unwrap_or(n_rows)
    }

    async fn publish(&self, arithmetic: Arithmetic, factor: &[u8]) -> Result<()> {
        self.helpers.publish(arithmetic == Arithmetic::Double, Uint8Array::from(factor));
        Ok(())
    }

    async fn collect(&self) -> Result<Vec<Uint8Array>> {
        let rows = self.helpers.collect().await.map_err(|error| lost(&error))?;
        Ok(rows.iter().map(JsCast::unchecked_into).collect())
    }
}

impl Payload for Uint8Array {
    fn len_bytes(&self) -> usize {
        self.length() as usize
    }

    fn copy_to(&self, out: &mut [u8]) {
        self.copy_to(out);
    }
}

/// Waits for the factor; nothing comes where the leader needs no help.
///
/// # Errors
/// `Internal` if the promise is broken.
pub async fn arriving(factor: js_sys::Promise) -> Result<Option<Shared<Uint8Array>>> {
    let factor = JsFuture::from(factor).await.map_err(|error| lost(&error))?;
    if factor.is_undefined() {
        return Ok(None);
    }
    let factor: Factor = factor.unchecked_into();
    let arithmetic = if factor.is_double() { Arithmetic::Double } else { Arithmetic::Single };
    Ok(Some(Shared { arithmetic, factor: factor.bytes() }))
}

fn lost(error: &JsValue) -> Error {
    Error::internal(format!("a layer that workers share was interrupted ({error:?})"))
}

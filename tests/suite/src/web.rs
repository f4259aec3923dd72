//! The suite's one entry for a browser's worker.

use gramerge::backend::cpu::{Native, Portable};
use wasm_bindgen::prelude::wasm_bindgen;

/// Runs everything on this build's kernels; answers with JSON.
#[wasm_bindgen]
pub fn run_suite() -> String {
    let mut finished = crate::run::<Native<f32>, Native<f64>>("best");
    finished.extend(crate::run::<Portable<f32>, Portable<f64>>("portable"));
    serde_json::to_string(&finished).unwrap_or_else(|error| error.to_string())
}

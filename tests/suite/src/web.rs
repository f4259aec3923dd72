//! The suite's entries for a browser's worker. Each answers with JSON.

use gramerge::backend::cpu::{Native, Portable};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::Finished;

/// Runs everything on this build's kernels.
#[wasm_bindgen]
pub async fn run_suite() -> String {
    let mut finished = crate::run_cpu::<Native<f32>, Native<f64>>("best").await;
    finished.extend(crate::run_cpu::<Portable<f32>, Portable<f64>>("portable").await);
    json(&finished)
}

/// Runs everything on the browser's graphics card.
#[cfg(feature = "gpu")]
#[wasm_bindgen]
pub async fn run_gpu_suite() -> String {
    json(&crate::gpu::run().await)
}

fn json(finished: &[Finished]) -> String {
    serde_json::to_string(finished).unwrap_or_else(|error| error.to_string())
}

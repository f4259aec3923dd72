//! Merge fine-tuned checkpoints by RegMean, without their training data.
//!
//! # Layout
//!
//! - [`format`]: bytes to tensors and back. Knows no merging and no browser.
//! - [`merge`]: plans, the RegMean mathematics, averaging, reports. Does no I/O of its own.
//! - [`backend`]: matrix kernels behind one small trait. Knows no tensor names.
//! - [`engine`]: who solves the layers of a merge, and what happens when a device fails.
//! - [`io`]: sources and sinks of bytes: files here, `Blob`s in a browser.
//! - [`protocol`]: every message between the page and its workers, declared once.
//! - [`sample`]: runs the bundled digits classifier on its held-out images.
//! - `web`: the surface that the page's workers call (browser builds only).

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod backend;
pub mod dtype;
pub mod engine;
mod error;
mod extremes;
pub mod format;
pub mod io;
pub mod merge;
mod order;
pub mod protocol;
pub mod sample;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::{Error, ErrorKind, Result, printable};
pub use extremes::larger;

/// The version that provenance metadata and reports carry.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

//! Merge fine-tuned checkpoints by RegMean, without their training data.
//!
//! # Rooms
//!
//! - [`tensor`]: element types, orientation, arithmetic that loses nothing.
//! - [`io`]: sources and sinks of bytes: files here, `Blob`s in a browser.
//! - [`format`](mod@format): bytes to tensors and back. Knows no merging and no browser.
//! - [`checkpoint`]: which files are which, and a model as one set of tensors.
//! - [`recipe`]: what the user asks for.
//! - [`gram`]: a Gram matrix, of which half is held.
//! - [`backend`]: matrix kernels behind one small trait. Knows no tensor names.
//! - [`methods`]: the ways to combine models.
//! - [`plan`]: what happens to every tensor and why, from headers alone.
//! - [`engine`]: who solves the layers of a merge, and what happens when a device fails.
//! - [`run`]: walks a plan job by job; every job is independent of every other.
//! - [`verify`]: checks a finished merge, trusting nothing of it.
//! - [`report`]: what happened to every tensor.
//! - [`protocol`]: every message between the page and its workers, declared once.
//! - [`sample`]: runs the bundled digits classifier on its held-out images.
//! - `web`: the surface that the page's workers call (browser builds only).

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod backend;
pub mod checkpoint;
pub mod engine;
mod error;
pub mod format;
pub mod gram;
pub mod io;
pub mod methods;
mod order;
pub mod plan;
pub mod protocol;
pub mod recipe;
pub mod report;
pub mod run;
pub mod sample;
pub mod tensor;
pub mod verify;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::{Error, ErrorKind, Result, printable};

/// The version that provenance metadata and reports carry.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

//! What is measured, the same natively and in a browser's worker.
//!
//! - [`data`]: seeded Gram matrices and weights, cheap to make.
//! - [`case`]: one named piece of work, prepared once and run many times.
//! - [`matrix`], [`layer`], [`convert`]: the cases; [`peak`] is what they are compared with.
//! - `gpu`: the same on a graphics card.
//! - `shared`: a layer that several workers solve together.
//! - [`bert`]: a whole merge of BERT's shape, from memory, by the product's own jobs.
//!
//! Timing is not done here: natively the driver has a clock, in a browser the worker has.

pub mod bert;
pub mod case;
pub mod convert;
pub mod data;
#[cfg(feature = "gpu")]
pub mod gpu;
mod held;
pub mod layer;
pub mod matrix;
mod memory;
pub mod peak;
#[cfg(target_arch = "wasm32")]
pub mod shared;
#[cfg(target_arch = "wasm32")]
pub mod web;

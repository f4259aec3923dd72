//! The ways to combine models, written once over [`crate::backend::Backend`] or element by element.
//!
//! - [`average`]: the weighted mean.
//! - [`regmean`]: the solve with Gram matrices.

pub mod average;
pub mod regmean;

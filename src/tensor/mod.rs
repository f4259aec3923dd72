//! Numbers and how tensors store them: element types, orientation, arithmetic that loses nothing.
//!
//! Knows no files, no merging and no names of tensors.
//!
//! - [`dtype`]: element types, and the way from f64 to each of them with one rounding.
//! - [`stored`]: stored bytes seen as a matrix.
//! - [`orientation`]: how a linear layer's weight lies in its file.
//! - `extremes`, `pair`, `powers`, `sums`: arithmetic that neither overflows nor loses what counts.

pub mod dtype;
pub(crate) mod extremes;
pub mod orientation;
pub(crate) mod pair;
pub(crate) mod powers;
pub mod stored;
pub(crate) mod sums;

pub use dtype::{Dtype, DtypeClass};
pub use extremes::larger;
pub use orientation::Orientation;
pub use stored::Stored;

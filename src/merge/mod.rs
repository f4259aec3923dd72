//! Merging: from an inventory of files to a plan, from a plan to a merged checkpoint.
//!
//! - [`inventory`], [`options`], [`plan`], [`report`]: data, the same in both shells.
//! - [`regmean`]: the mathematics, written once over [`crate::backend::Backend`].
//! - [`average`]: the weighted mean, for everything without a Gram matrix.
//! - [`run`]: walks a plan job by job; every job is independent of every other.
//! - `sums`, `pair`, `powers`: arithmetic that neither overflows nor loses what counts.
//! - [`verify`]: recomputes residuals of a finished merge, trusting nothing of it.
//!
//! Nothing here opens a file or knows a browser: bytes come through [`crate::io::Source`].

pub mod average;
mod files;
pub mod group_files;
pub mod inventory;
mod library;
pub mod options;
mod pair;
pub mod plan;
mod powers;
pub mod regmean;
pub mod report;
pub mod run;
mod samples;
mod sums;
pub mod verify;
mod written;

pub use files::{Model, Models};
pub use inventory::{Inventory, Selection};
pub use library::{Library, file_name};
pub use options::Options;
pub use plan::Plan;
pub use report::Report;

//! Checkpoints: which files are which, which belong together, and a model as one set of tensors.
//!
//! - `library`: files whose headers have been read, each looked at once.
//! - [`inventory`], [`group_files`]: what files are, and a suggested grouping, as data.
//! - `files`: a model's tensors and its Gram matrices, wherever they are stored.
//! - [`pattern`]: names in natural order, and the pattern that numbered ones share.
//! - `samples`: a few elements of every weight, which tell what belongs together.
//!
//! Knows nothing of what is to be done with a model. Bytes come through [`crate::io::Source`].

mod files;
pub mod group_files;
pub mod inventory;
mod library;
pub mod pattern;
pub(crate) mod samples;

pub use files::{Model, Models};
pub use inventory::{Inventory, Selection};
pub use library::{Library, file_name};

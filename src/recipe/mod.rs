//! What the user asks for, as data: the settings of a merge, with their defaults and limits.

mod options;

pub use options::{Device, Keep, Method, Options, Precision};

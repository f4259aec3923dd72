//! What the user asks for, as data: the settings of a merge, with their defaults and limits.
//!
//! - `options`: all settings.
//! - `setting`, `scope`, `layers`: a parameter's value for each model and tensor.

mod layers;
mod options;
mod scope;
mod setting;

pub use crate::methods::regmean::Precision;
pub use layers::{Layers, Place};
pub use options::{Device, Keep, Options, WEIGHT, shares};
pub use scope::{Scope, find};
pub use setting::{Filtered, Setting};

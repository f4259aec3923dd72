//! What the user asks for, as data: the settings of a merge, with their defaults and limits.
//!
//! - `options`: all settings.
//! - `setting`, `scope`, `layers`: a parameter's value for each model and tensor.
//! - `document`: a whole merge, as recipes say it.
//! - `read`, `write`: the text of a recipe; `yaml`: its syntax; `nearest`: misspelt names.

mod document;
mod known;
mod layers;
mod nearest;
mod options;
mod read;
mod scope;
mod setting;
mod setting_json;
mod write;
mod yaml;

pub use crate::methods::regmean::Precision;
pub use document::{BaseModel, KnownMethod, KnownParameter, Recipe, RecipeModel};
pub use known::read;
pub use layers::{Layers, Place};
pub use options::{Device, Keep, Options, WEIGHT, shares};
pub use read::read as read_for;
pub use scope::{Scope, find};
pub use setting::{Filtered, Setting};
pub use write::write;

//! The ways to combine models: a method is one file here, and one row in [`TABLE`].
//!
//! - [`spec`]: what the table says of a method; help, fields, recipe keys and documents come from it.
//! - `document`: the same as text.
//! - [`elementwise`]: the way through a tensor; [`measures`]: what is counted on it.
//! - [`average`]: the weighted mean.
//! - [`deltas`]: weighted sums of differences from a base model, which several methods share.
//! - [`regmean`]: the solve with Gram matrices, written once over [`crate::backend::Backend`].
//!
//! Knows no files and no recipes: a method is handed the values of its settings for a tensor.

pub mod average;
mod breadcrumbs;
mod dare;
pub mod deltas;
mod document;
pub mod elementwise;
pub mod measures;
mod model_stock;
pub mod regmean;
mod slerp;
pub mod spec;
mod task_arithmetic;
mod ties;

pub use document::document;
pub use elementwise::{Elementwise, Facts};
pub use measures::Measures;
pub use spec::{Base, Coefficients, Combine, Kind, Param, Spec, Statistic, Values};

/// All methods, in the order in which they are offered.
pub static TABLE: &[Spec] = &[
    average::SPEC,
    regmean::SPEC,
    task_arithmetic::SPEC,
    ties::SPEC,
    dare::LINEAR,
    dare::TIES,
    breadcrumbs::SPEC,
    slerp::SPEC,
    model_stock::SPEC,
];

/// The method of that name, or of that other name.
///
/// ```
/// assert_eq!(gramerge::methods::find("linear").map(|spec| spec.name), Some("average"));
/// ```
pub fn find(name: &str) -> Option<&'static Spec> {
    TABLE.iter().find(|spec| spec.name == name || spec.aliases.contains(&name))
}

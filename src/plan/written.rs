//! The files that a merge will write: their layout and metadata, known from the plan.
//!
//! Invariant: the same inputs and settings give the same headers.

use std::collections::BTreeMap;

use super::Plan;
use crate::checkpoint::Models;
use crate::format::OutputLayout;
use crate::io::Source;
use crate::order::filled;
use crate::recipe::{Method, Options};
use crate::{Result, VERSION};

/// Lays out the output of a plan.
///
/// # Errors
/// As [`OutputLayout::new`].
pub(crate) fn layout<S: Source>(
    plan: &Plan,
    models: &Models<S>,
    options: &Options,
) -> Result<OutputLayout> {
    let tensors = plan
        .tensors
        .iter()
        .map(|tensor| (tensor.name.clone(), tensor.dtype_out, tensor.shape.clone()));
    OutputLayout::new(tensors, &provenance(models, options), options.max_shard_bytes()?)
}

/// Metadata of the output: enough to make it again, and the same for the same inputs.
fn provenance<S: Source>(models: &Models<S>, options: &Options) -> BTreeMap<String, String> {
    let names: Vec<&str> = models.list.iter().map(|model| model.name.as_str()).collect();
    let shares = options.normalised_coefficients(names.len());
    let mut metadata: BTreeMap<String, String> = filled([
        ("format".into(), "pt".into()),
        ("merged_by".into(), format!("gramerge {VERSION}")),
        ("merge_models".into(), json(&names)),
        ("merge_coefficients".into(), json(&shares)),
    ]);
    match options.method {
        Method::Average => metadata.insert("merge_method".into(), "average".into()),
        Method::Regmean => {
            metadata.insert("merge_alpha".into(), options.alpha.to_string());
            metadata.insert("merge_method".into(), "regmean".into())
        }
    };
    metadata
}

/// A list as JSON, which cannot fail for names and numbers.
fn json(list: &impl serde::Serialize) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

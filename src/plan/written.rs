//! The files that a merge will write: their layout and metadata, known from the plan.
//!
//! Invariant: the same inputs and settings give the same headers.

use std::collections::BTreeMap;

use super::Plan;
use crate::checkpoint::Models;
use crate::format::OutputLayout;
use crate::io::Source;
use crate::methods::{Coefficients, average, regmean};
use crate::order::filled;
use crate::recipe::Options;
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
    OutputLayout::new(tensors, &provenance(models, options)?, options.max_shard_bytes()?)
}

/// Metadata of the output: enough to make it again, and the same for the same inputs.
fn provenance<S: Source>(
    models: &Models<S>,
    options: &Options,
) -> Result<BTreeMap<String, String>> {
    let spec = options.spec()?;
    let names: Vec<&str> = models.list.iter().map(|model| model.name.as_str()).collect();
    let mut metadata: BTreeMap<String, String> = filled([
        ("format".into(), "pt".into()),
        ("merged_by".into(), format!("gramerge {VERSION}")),
        ("merge_models".into(), json(&names)),
        ("merge_method".into(), spec.name.into()),
    ]);
    let coefficients = match spec.coefficients {
        Coefficients::Shares | Coefficients::SharesUnlessOff => {
            Some(options.normalised_coefficients(names.len()))
        }
        Coefficients::Factors => Some(options.given_coefficients(names.len())),
        Coefficients::Unused => None,
    };
    if let Some(coefficients) = coefficients {
        metadata.insert("merge_coefficients".into(), json(&coefficients));
    }
    if let Some(base) = &models.base {
        metadata.insert("merge_base".into(), base.name.clone());
    }
    let alpha = options.value_of_all(&regmean::ALPHA);
    if let (true, Some(alpha)) = (spec.name == regmean::SPEC.name, alpha) {
        metadata.insert("merge_alpha".into(), alpha.to_string());
    } else if spec.name != average::SPEC.name || !options.scopes.is_empty() {
        metadata.insert("merge_settings".into(), json(&options.scopes));
    }
    Ok(metadata)
}

/// A list as JSON, which cannot fail for names and numbers.
fn json(list: &impl serde::Serialize) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

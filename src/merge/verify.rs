//! Checks a finished merge against its inputs, trusting nothing of how it was made.
//!
//! For a regressed weight the residual R(X) of the output is formed in f64 from the stored bytes
//! and solved once: ‖R(X) S⁻¹‖ is the output's distance from the exact solution. An averaged
//! weight must be the mean, rounded; a copied or kept one must be the same bytes.

use serde::Serialize;

use super::average::average;
use super::files::Model;
use super::plan::blocks::blocks;
use super::plan::{Action, PlannedTensor};
use super::regmean;
use super::run::{Merge, action_name};
use crate::backend::Backend;
use crate::dtype::{Dtype, decode};
use crate::extremes::larger;
use crate::format::{TensorFile, TensorInfo};
use crate::io::Source;
use crate::{Error, Result};

/// What was found about one tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// Its name.
    pub name: String,
    /// What the plan says happens to it.
    pub action: &'static str,
    /// Relative distance from the exact result (Frobenius).
    pub error: f64,
    /// What the distance may be: the contract, plus the output dtype's rounding.
    pub bound: f64,
    /// Relative residual of the normal equations, for regressed tensors.
    pub residual: Option<f64>,
}

impl Verified {
    /// What holds for both parts of a tensor.
    fn worse(mut self, other: Self) -> Self {
        self.error = larger(self.error, other.error);
        self.residual = self.residual.into_iter().chain(other.residual).reduce(larger);
        self
    }

    /// Whether the tensor is as it should be.
    pub fn is_within(&self) -> bool {
        self.error <= self.bound
    }
}

/// Compares every tensor of `out` with what the merge should have made.
///
/// # Errors
/// `Input` if `out` lacks a tensor, or has it in another shape or dtype.
pub async fn verify<S: Source, D: Backend<Scalar = f64>>(
    merge: &Merge<S>,
    out: &Model<S>,
    double: &D,
) -> Result<Vec<Verified>> {
    let plan = merge.plan();
    let mut verified: Vec<Option<Verified>> = vec![None; plan.tensors.len()];
    for (index, tensor) in plan.tensors.iter().enumerate() {
        if !matches!(tensor.action, Action::Regress { .. }) {
            verified[index] = Some(plain(merge, out, tensor).await?);
        }
    }
    for block in blocks(plan) {
        let layer = merge.load_block(&block).await?;
        let mut merged = Vec::new();
        for part in &block.parts {
            let tensor = &plan.tensors[part.tensor];
            let row_bytes = plan.groups[block.group].n_in * tensor.dtype_out.bits() / 8;
            let bytes = part.rows.start * row_bytes..part.rows.end * row_bytes;
            let (file, info) = require(out, tensor)?;
            merged.push(file.read_range(info, bytes).await?);
        }
        let checked = regmean::check::check(double, &layer, &merged).await?;
        for (part, checked) in block.parts.iter().zip(checked) {
            let own = solved(&plan.tensors[part.tensor], checked);
            let worst = &mut verified[part.tensor];
            *worst = Some(worst.take().map_or(own.clone(), |other| other.worse(own)));
        }
    }
    Ok(verified.into_iter().flatten().collect())
}

fn solved(tensor: &PlannedTensor, checked: regmean::check::Checked) -> Verified {
    Verified {
        name: tensor.name.clone(),
        action: action_name(&tensor.action),
        error: checked.error,
        bound: regmean::CONTRACT + rounding(tensor.dtype_out),
        residual: Some(checked.residual),
    }
}

/// Averages, copies and keeps.
async fn plain<S: Source>(
    merge: &Merge<S>,
    out: &Model<S>,
    tensor: &PlannedTensor,
) -> Result<Verified> {
    let (file, info) = require(out, tensor)?;
    let own = file.read(info).await?;
    let mut inputs = Vec::new();
    for model in &merge.models().list {
        if let Some((file, info)) = model.get(&tensor.name) {
            inputs.push((info.dtype, file.read(info).await?));
        } else {
            inputs.push((tensor.dtype_out, Vec::new()));
        }
    }
    let shares = merge.options().normalised_coefficients(inputs.len());
    let (error, bound) = match tensor.action {
        Action::Keep { model } => (differs(&own, &inputs[model].1), 0.0),
        Action::Copy { .. } => (differs(&own, &inputs[0].1), 0.0),
        _ => {
            let mut exact = Vec::new();
            average(&inputs, &shares, Dtype::F64, &mut exact);
            (distance(tensor.dtype_out, &own, &exact), rounding(tensor.dtype_out))
        }
    };
    let (name, action) = (tensor.name.clone(), action_name(&tensor.action));
    Ok(Verified { name, action, error, bound, residual: None })
}

/// The tensor in the output, if it is what the plan says.
fn require<'a, S: Source>(
    out: &'a Model<S>,
    tensor: &PlannedTensor,
) -> Result<(&'a TensorFile<S>, &'a TensorInfo)> {
    let (file, info) = out.require(&tensor.name)?;
    if info.dtype != tensor.dtype_out || info.shape != tensor.shape {
        return Err(Error::input(format!(
            "it is {} {:?}, but this merge makes {} {:?}",
            info.dtype.name(),
            info.shape,
            tensor.dtype_out.name(),
            tensor.shape
        ))
        .tensor(&tensor.name)
        .file(file.source.name())
        .advice("give the settings of the merge"));
    }
    Ok((file, info))
}

fn differs(a: &[u8], b: &[u8]) -> f64 {
    if a == b { 0.0 } else { f64::INFINITY }
}

/// ‖own − exact‖ / ‖exact‖.
fn distance(dtype: Dtype, own: &[u8], exact: &[u8]) -> f64 {
    let (mut apart, mut size) = (0.0, 0.0);
    for (value, exact) in decode(dtype, own).iter().zip(decode(Dtype::F64, exact)) {
        let same = *value == exact || (value.is_nan() && exact.is_nan());
        apart += if same { 0.0 } else { (value - exact).powi(2) };
        size += if exact.is_finite() { exact * exact } else { 0.0 };
    }
    if apart == 0.0 { 0.0 } else { (apart / size).sqrt() }
}

/// Relative error that rounding to a dtype may cost.
fn rounding(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::BF16 => 2f64.powi(-8),
        Dtype::F16 => 2f64.powi(-11),
        Dtype::F32 => 2f64.powi(-24),
        _ => 2f64.powi(-53),
    }
}

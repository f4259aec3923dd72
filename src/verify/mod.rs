//! Checks a finished merge against its inputs, trusting nothing of how it was made.
//!
//! A regressed weight is compared with a solution that is computed anew, by equations of its own
//! (`regmean/check`). Combined, copied and kept tensors are made again and must be the same bytes.
//! What the output holds beside the plan is out of bound, too.

mod streamed;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::backend::Backend;
use crate::checkpoint::Model;
use crate::format::{TensorFile, TensorInfo};
use crate::io::Source;
use crate::methods::regmean::check::{Checked, Element, check};
use crate::plan::blocks::{Block, blocks};
use crate::plan::{Action, PlannedTensor};
use crate::run::Merge;
use crate::tensor::extremes::larger;
use crate::{Error, Result};

/// What was found about one tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// Its name.
    pub name: String,
    /// What the plan says happens to it; `none` where it is in no plan.
    pub action: String,
    /// Relative distance from the exact result, beyond what rounding explains: of the tensor, or of
    /// its worst element where that is out of bound. Always a finite number.
    pub error: f64,
    /// What the distance may be: 0 where the bytes must be the same.
    pub bound: f64,
    /// Relative residual of the normal equations, for regressed tensors.
    pub residual: Option<f64>,
    /// What is wrong, if something is.
    pub note: Option<String>,
}

impl Verified {
    fn new(name: &str, action: &str, error: f64, bound: f64) -> Self {
        // Half of it at most, so that what is beyond all bounds is beyond this one.
        let bound = if bound.is_finite() { bound.min(f64::MAX / 2.0) } else { 0.0 };
        let error = finite(error);
        Self { name: name.into(), action: action.into(), error, bound, residual: None, note: None }
    }

    /// What holds for both parts of a tensor.
    fn worse(self, other: Self) -> Self {
        let residual = self.residual.into_iter().chain(other.residual).reduce(larger);
        // Not by the error alone: the parts' bounds differ.
        let worst = if self.is_within() { other } else { self };
        Self { residual, ..worst }
    }

    /// Whether the tensor is as it should be.
    pub fn is_within(&self) -> bool {
        self.error <= self.bound
    }
}

/// JSON has neither NaN nor infinity, and both are errors beyond all bounds.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::MAX }
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
    for tensor in &plan.tensors {
        require(out, tensor)?;
    }
    let mut verified: Vec<Verified> = Vec::new();
    let mut buffers = streamed::Held::default();
    for (index, tensor) in plan.tensors.iter().enumerate() {
        verified.push(match tensor.action {
            // Without elements there is nothing to solve, and nothing wrong.
            Action::Regress { .. } => {
                Verified::new(&tensor.name, plan.action_name(&tensor.action), 0.0, 0.0)
            }
            Action::Combine { .. } | Action::Copy { .. } | Action::Keep { .. } => {
                streamed::check(merge, out, index, &mut buffers).await?
            }
            Action::Refuse { .. } => continue,
        });
    }
    let mut is_first = vec![true; plan.tensors.len()];
    for block in blocks(plan) {
        for (tensor, own) in solved(merge, out, &block, double).await? {
            let before = verified[tensor].clone();
            let is_first = std::mem::replace(&mut is_first[tensor], false);
            verified[tensor] = if is_first { own } else { before.worse(own) };
        }
    }
    verified.extend(extra(out, &plan.tensors));
    Ok(verified)
}

/// Tensors that no plan asks for.
fn extra<S: Source>(out: &Model<S>, planned: &[PlannedTensor]) -> Vec<Verified> {
    let planned: BTreeSet<&str> = planned.iter().map(|tensor| tensor.name.as_str()).collect();
    let extra = out.names().filter(|name| !planned.contains(name));
    let verified = |name| Verified {
        note: Some("no model has it: this merge does not make it".into()),
        ..Verified::new(name, "none", f64::INFINITY, 0.0)
    };
    extra.map(verified).collect()
}

/// One block of a layer group, by the index of each tensor.
async fn solved<S: Source, D: Backend<Scalar = f64>>(
    merge: &Merge<S>,
    out: &Model<S>,
    block: &Block,
    double: &D,
) -> Result<Vec<(usize, Verified)>> {
    let plan = merge.plan();
    let layer = merge.load_block(block).await?;
    let mut merged = Vec::new();
    for part in &block.parts {
        let tensor = &plan.tensors[part.tensor];
        let row_bytes = plan.groups[block.group].n_in * tensor.dtype_out.bits() / 8;
        let bytes = part.rows.start * row_bytes..part.rows.end * row_bytes;
        let (file, info) = require(out, tensor)?;
        merged.push(file.read_range(info, bytes).await?);
    }
    let checked = check(double, &layer, merged, merge.options().precision).await?;
    let one = |(part, checked): (&crate::plan::blocks::Part, Checked)| {
        let Checked { error, bound, residual, wrong } = checked;
        let tensor = &plan.tensors[part.tensor];
        let verified = Verified::new(&tensor.name, plan.action_name(&tensor.action), error, bound);
        let note = wrong.map(|element| in_words(element, part.rows.start));
        (part.tensor, Verified { residual: Some(finite(residual)), note, ..verified })
    };
    Ok(block.parts.iter().zip(checked).map(one).collect())
}

fn in_words(element: Element, first_row: u64) -> String {
    let Element { row, col, found, due } = element;
    let row = first_row + row as u64;
    format!("the weight from input {col} to output {row} is {found:e}, not {due:e}")
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

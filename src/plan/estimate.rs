//! What a plan will cost: bytes, memory and arithmetic.

use super::blocks::{Block, blocks};
use super::{Action, Estimate, Plan, PlannedTensor};
use crate::checkpoint::{Model, Models};
use crate::gram::held_elements;
use crate::io::{MAX_READ_BYTES, Source};
use crate::methods::regmean::product::rows_are_shorter;
use crate::methods::{self, Base};

/// Sums the cost of every tensor and layer group.
pub(super) fn estimate<S: Source>(plan: &Plan, all: &Models<S>) -> Estimate {
    let models = &all.list[..];
    let n_models = models.len() as u64;
    let mut total = Estimate { memory_bytes: MAX_READ_BYTES as u64, ..Estimate::default() };
    for tensor in &plan.tensors {
        let n = elements(&tensor.shape);
        total.write_bytes += n * tensor.dtype_out.bits() / 8;
        total.read_bytes += match tensor.action {
            Action::Keep { .. } => n * tensor.dtypes[0].bits() / 8,
            Action::Combine { rule, .. } => {
                stored_bytes(tensor) + base_bytes(plan, rule, tensor, all)
            }
            Action::Regress { .. } | Action::Copy { .. } | Action::Refuse { .. } => {
                stored_bytes(tensor)
            }
        };
    }
    for block in blocks(plan) {
        let cost = block_cost(plan, &block, models);
        total.read_bytes += cost.gram_bytes;
        total.memory_bytes = total.memory_bytes.max(cost.memory_bytes);
        total.flops += cost.flops(n_models);
    }
    total
}

/// The size of one block of a layer group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockCost {
    pub(crate) n_in: u64,
    pub(crate) n_rows: u64,
    gram_bytes: u64,
    memory_bytes: u64,
}

impl BlockCost {
    /// n³/3 for the factor, 2 n² per row for each product and for the solve.
    pub(crate) fn flops(self, n_models: u64) -> u64 {
        let square = self.n_in.saturating_mul(self.n_in);
        let rows = 2 * self.n_rows * n_models;
        square.saturating_mul(self.n_in / 3 + rows)
    }
}

/// The cost of one block of a layer group.
pub(crate) fn block_cost<S: Source>(plan: &Plan, block: &Block, models: &[Model<S>]) -> BlockCost {
    let group = &plan.groups[block.group];
    let (n_in, n_rows) = (group.n_in, block.n_rows());
    let stored = models.iter().zip(&group.gram_names).filter_map(|(model, name)| {
        let entry = model.gram()?.entries.values().find(|entry| entry.key == *name)?;
        Some((model.gram_tensor(entry).ok()?.1.len_bytes(), entry.dtype.bits() / 8))
    });
    let (gram_bytes, held_bytes) =
        stored.fold((0, 0), |(read, held), (len_bytes, element_bytes)| {
            (read + len_bytes, held + held_elements(n_in) * element_bytes)
        });
    let weight_bytes: u64 = block
        .parts
        .iter()
        .map(|part| {
            let row_bytes =
                plan.tensors[part.tensor].dtypes.iter().map(|dtype| dtype.bits() / 8 * n_in);
            (part.rows.end - part.rows.start) * row_bytes.sum::<u64>()
        })
        .sum();
    let memory_bytes = held_bytes + weight_bytes + solved_bytes(n_in, n_rows, models.len() as u64);
    BlockCost { n_in, n_rows, gram_bytes, memory_bytes }
}

/// What solving takes in f64: the factor and its copy on the way to other workers; or the factor, X and
/// what X is made of, which has the size of X or, where it is shorter to solve for the Gram matrices,
/// of the factor.
fn solved_bytes(n_in: u64, n_rows: u64, n_models: u64) -> u64 {
    let squares = if rows_are_shorter(n_in, n_rows, n_models) { 1 } else { 2 };
    8 * n_in.saturating_mul((squares * n_in + 2 * n_rows).max(2 * n_in))
}

fn stored_bytes(tensor: &PlannedTensor) -> u64 {
    let n = elements(&tensor.shape);
    tensor.dtypes.iter().map(|dtype| n * dtype.bits() / 8).sum()
}

/// What is read of the base model, for a method that needs it.
fn base_bytes<S: Source>(
    plan: &Plan,
    rule: usize,
    tensor: &PlannedTensor,
    models: &Models<S>,
) -> u64 {
    let spec = plan.rules.get(rule).and_then(|rule| methods::find(&rule.method));
    let is_needed = spec.is_some_and(|spec| spec.base == Base::Needed);
    let stored = models.base.as_ref().filter(|_| is_needed).and_then(|base| base.get(&tensor.name));
    stored.map_or(0, |(_, info)| info.len_bytes())
}

/// Number of elements of a shape that a header has been checked for.
pub(crate) fn elements(shape: &[u64]) -> u64 {
    shape.iter().fold(1, |product, n| product.saturating_mul(*n))
}

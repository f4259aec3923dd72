//! What a plan will cost: bytes, memory and arithmetic.

use super::{Action, Estimate, Group, Plan, PlannedTensor};
use crate::io::{MAX_READ_BYTES, Source};
use crate::merge::files::Model;

/// Sums the cost of every tensor and layer group.
pub(super) fn estimate<S: Source>(plan: &Plan, models: &[Model<S>]) -> Estimate {
    let n_models = models.len() as u64;
    let mut total = Estimate { memory_bytes: MAX_READ_BYTES as u64, ..Estimate::default() };
    for tensor in &plan.tensors {
        let n = elements(&tensor.shape);
        total.write_bytes += n * tensor.dtype_out.bits() / 8;
        total.read_bytes += match tensor.action {
            Action::Keep { .. } => n * tensor.dtypes[0].bits() / 8,
            _ => stored_bytes(tensor),
        };
    }
    for group in &plan.groups {
        let cost = group_cost(plan, group, models);
        total.read_bytes += cost.gram_bytes;
        total.memory_bytes = total.memory_bytes.max(cost.memory_bytes);
        total.flops += cost.flops(n_models);
    }
    total
}

/// The size of one layer group.
#[derive(Debug, Clone, Copy)]
pub(in crate::merge) struct GroupCost {
    pub(in crate::merge) n_in: u64,
    pub(in crate::merge) n_rows: u64,
    gram_bytes: u64,
    memory_bytes: u64,
}

impl GroupCost {
    /// n³/3 for the factor, 2 n² per row for each product and for the solve.
    pub(in crate::merge) fn flops(self, n_models: u64) -> u64 {
        let square = self.n_in.saturating_mul(self.n_in);
        let rows = 2 * self.n_rows * n_models;
        square.saturating_mul(self.n_in / 3 + rows)
    }
}

/// The cost of one layer group.
pub(in crate::merge) fn group_cost<S: Source>(
    plan: &Plan,
    group: &Group,
    models: &[Model<S>],
) -> GroupCost {
    let tensors: Vec<&PlannedTensor> = group.tensors.iter().map(|i| &plan.tensors[*i]).collect();
    let n_rows = tensors.iter().map(|tensor| elements(&tensor.shape) / group.n_in.max(1)).sum();
    let weight_bytes: u64 = tensors.iter().map(|tensor| stored_bytes(tensor)).sum();
    let gram_bytes = gram_bytes(group, models);
    let solved_bytes = 8 * group.n_in.saturating_mul(group.n_in + 2 * n_rows);
    let memory_bytes = gram_bytes + weight_bytes + solved_bytes;
    GroupCost { n_in: group.n_in, n_rows, gram_bytes, memory_bytes }
}

fn gram_bytes<S: Source>(group: &Group, models: &[Model<S>]) -> u64 {
    let stored = |(model, name): (&Model<S>, &String)| {
        let entry = model.gram()?.entries.values().find(|entry| entry.key == *name)?;
        Some(model.gram_tensor(entry).ok()?.1.len_bytes())
    };
    models.iter().zip(&group.gram_names).filter_map(stored).sum()
}

fn stored_bytes(tensor: &PlannedTensor) -> u64 {
    let n = elements(&tensor.shape);
    tensor.dtypes.iter().map(|dtype| n * dtype.bits() / 8).sum()
}

/// Number of elements of a shape that a header has been checked for.
pub(in crate::merge) fn elements(shape: &[u64]) -> u64 {
    shape.iter().fold(1, |product, n| product.saturating_mul(*n))
}

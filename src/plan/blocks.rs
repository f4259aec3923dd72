//! A layer group's rows in blocks, so that a worker's memory does not grow with them.
//!
//! Rows of a solution do not depend on one another, so every block is a job of its own. It
//! factorises anew: n³/3 beside at least 4 n³ for its rows. Turned weights, `[in, out]`, hold a
//! row's elements far apart, and are left whole.

use std::ops::Range;

use super::estimate::elements;
use super::{Action, Group, Plan};
use crate::io::MAX_READ_BYTES;
use crate::tensor::Orientation;

/// A solution in f64 that a worker can hold, in elements.
const MAX_ELEMENTS: u64 = MAX_READ_BYTES as u64 / 8;

/// Rows of a group's weights that are solved together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Index into [`Plan::groups`].
    pub group: usize,
    /// From top to bottom; at least one, since weights without rows are not regressed.
    pub parts: Vec<Part>,
}

/// Rows of one weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Index into [`Plan::tensors`].
    pub tensor: usize,
    /// Rows of W `[out, in]`.
    pub rows: Range<u64>,
    /// Whether the weight ends with them.
    pub is_last: bool,
}

impl Block {
    /// Rows of all parts.
    pub fn n_rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows.end - part.rows.start).sum()
    }
}

/// All blocks of a plan's groups.
pub(crate) fn blocks(plan: &Plan) -> impl Iterator<Item = Block> {
    plan.groups.iter().enumerate().flat_map(|(index, group)| {
        let n_outs: Vec<u64> =
            group.tensors.iter().map(|tensor| n_out(plan, group, *tensor)).collect();
        let n_rows: u64 = n_outs.iter().sum();
        let n_blocks = if is_turned(plan, group) { 1 } else { n_blocks(group.n_in, n_rows) };
        (0..n_blocks).map(move |block| {
            let rows = n_rows * block / n_blocks..n_rows * (block + 1) / n_blocks;
            Block { group: index, parts: parts(&group.tensors, &n_outs, &rows) }
        })
    })
}

fn n_out(plan: &Plan, group: &Group, tensor: usize) -> u64 {
    elements(&plan.tensors[tensor].shape) / group.n_in.max(1)
}

fn is_turned(plan: &Plan, group: &Group) -> bool {
    let action = |tensor: &usize| &plan.tensors[*tensor].action;
    let turned =
        |action: &Action| matches!(action, Action::Regress { orientation: Orientation::InOut, .. });
    group.tensors.iter().map(action).any(turned)
}

fn n_blocks(n_in: u64, n_rows: u64) -> u64 {
    let max_rows = (MAX_ELEMENTS / n_in.max(1)).max(2 * n_in).max(1);
    n_rows.div_ceil(max_rows).max(1)
}

/// What lies in `rows` of weights that lie below one another.
fn parts(tensors: &[usize], n_outs: &[u64], rows: &Range<u64>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (tensor, n_out) in tensors.iter().zip(n_outs) {
        let inside = rows.start.clamp(start, start + n_out)..rows.end.clamp(start, start + n_out);
        if !inside.is_empty() {
            let rows = inside.start - start..inside.end - start;
            parts.push(Part { tensor: *tensor, is_last: rows.end == *n_out, rows });
        }
        start += n_out;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_layers_are_one_block() {
        for (n_in, n_rows) in
            [(768, 3072), (3072, 768), (768, 3 * 768), (4096, 4096), (11008, 4096)]
        {
            assert_eq!(n_blocks(n_in, n_rows), 1, "{n_in} {n_rows}");
        }
    }

    #[test]
    fn many_rows_are_cut() {
        assert_eq!(n_blocks(768, 50_257), 5);
        assert_eq!(n_blocks(4096, 14_336), 2);
        assert_eq!(n_blocks(4096, 151_936), 19);
    }

    #[test]
    fn every_row_is_in_one_part() {
        let (tensors, n_outs) = ([4, 7, 9], [10, 1, 6]);
        for n_blocks in 1..=17 {
            let mut next = [0; 3];
            for block in 0..n_blocks {
                let rows = 17 * block / n_blocks..17 * (block + 1) / n_blocks;
                for part in parts(&tensors, &n_outs, &rows) {
                    let index = tensors.iter().position(|tensor| *tensor == part.tensor).unwrap();
                    assert_eq!(part.rows.start, next[index]);
                    next[index] = part.rows.end;
                    assert_eq!(part.is_last, part.rows.end == n_outs[index]);
                }
            }
            assert_eq!(next, n_outs);
        }
    }
}

//! How a merge is cut into independent jobs.

use std::ops::RangeInclusive;

use super::element::is_surveyed;
use crate::checkpoint::Model;
use crate::io::Source;
use crate::order::{sort_by, sort_by_key};
use crate::plan::blocks::{Block, blocks};
use crate::plan::estimate::{block_cost, elements};
use crate::plan::{Action, Plan, PlannedTensor};

/// Elements of a streamed tensor that are handled at once. Browsers read 2 MiB of a file ahead, so
/// less than this is there when the last piece is done.
pub(crate) const PIECE_ELEMENTS: u64 = 1 << 18;
/// Neighbouring tensors are handled together, for files are read fastest in order: in so many
/// batches …
const BATCHES: u64 = 16;
/// … of between so many elements.
const BATCH_ELEMENTS: RangeInclusive<u64> = 1 << 20..=16 << 20;

/// Rough speeds, to order jobs by their length. Only ratios matter.
const FLOPS_PER_MILLI: f64 = 25e6;
const ELEMENTS_PER_MILLI: f64 = 100e3;

/// Consecutive elements of one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Index into the plan's tensors.
    pub tensor: usize,
    /// First element.
    pub first: u64,
    /// Number of elements.
    pub len: u64,
}

/// The size of a layer group's matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerSize {
    /// Input dimension.
    pub n: usize,
    /// Rows of all its weights.
    pub n_rows: usize,
    /// Models that are merged.
    pub n_models: usize,
}

/// One independent part of a merge.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// Solves a block of a layer group.
    Solve {
        /// What to solve.
        block: Block,
        /// Of its matrices.
        size: LayerSize,
        /// Tensors that it finishes.
        n_tensors: usize,
        /// Estimated time, in arbitrary units.
        cost: f64,
    },
    /// Averages, copies or keeps pieces of tensors.
    Stream {
        /// What to handle.
        pieces: Vec<Piece>,
        /// Tensors whose last piece is among them.
        n_tensors: usize,
        /// Estimated time, in arbitrary units.
        cost: f64,
    },
}

impl Job {
    /// Estimated time, in arbitrary units.
    pub fn cost(&self) -> f64 {
        match self {
            Self::Solve { cost, .. } | Self::Stream { cost, .. } => *cost,
        }
    }

    /// Tensors that are finished with it.
    pub fn n_tensors(&self) -> usize {
        match self {
            Self::Solve { n_tensors, .. } | Self::Stream { n_tensors, .. } => *n_tensors,
        }
    }

    /// The plan's tensors that it handles: one for each part of its outcome.
    pub(super) fn tensors(&self) -> Vec<usize> {
        match self {
            Self::Solve { block, .. } => block.parts.iter().map(|part| part.tensor).collect(),
            Self::Stream { pieces, .. } => pieces.iter().map(|piece| piece.tensor).collect(),
        }
    }

    /// A tensor that stands for the job in progress messages.
    pub fn tensor(&self) -> usize {
        match self {
            Self::Solve { block, .. } => block.parts[0].tensor,
            Self::Stream { pieces, .. } => pieces[0].tensor,
        }
    }
}

/// All jobs of a plan, the most expensive first.
pub(super) fn jobs<S: Source>(plan: &Plan, models: &[Model<S>]) -> Vec<Job> {
    let solve = |block: Block| {
        let cost = block_cost(plan, &block, models);
        let size = LayerSize {
            n: cost.n_in as usize,
            n_rows: cost.n_rows as usize,
            n_models: models.len(),
        };
        let cost = cost.flops(models.len() as u64) as f64 / FLOPS_PER_MILLI;
        let n_tensors = block.parts.iter().filter(|part| part.is_last).count();
        Job::Solve { block, size, n_tensors, cost }
    };
    let mut jobs: Vec<Job> = blocks(plan).map(solve).collect();
    jobs.extend(streams(plan, models));
    sort_by(&mut jobs, |a, b| b.cost().total_cmp(&a.cost()));
    jobs
}

fn streams<S: Source>(plan: &Plan, models: &[Model<S>]) -> Vec<Job> {
    let streamed = |planned: &PlannedTensor| !matches!(planned.action, Action::Regress { .. });
    let mut all: Vec<(usize, &PlannedTensor)> =
        plan.tensors.iter().enumerate().filter(|(_, planned)| streamed(planned)).collect();
    // As they lie in the first model, which need not be the order of names.
    sort_by_key(&mut all, |(_, planned)| {
        let (file, info) = models[0].get(&planned.name)?;
        Some((file.source.name().to_owned(), info.begin_bytes))
    });
    let total: u64 = all.iter().map(|(_, planned)| elements(&planned.shape)).sum();
    let batch_elements = (total / BATCHES).clamp(*BATCH_ELEMENTS.start(), *BATCH_ELEMENTS.end());
    let mut jobs = Vec::new();
    let mut batch = Batch::default();
    for (tensor, planned) in all {
        let total = elements(&planned.shape);
        let is_whole = is_surveyed(plan, planned);
        let mut first = 0;
        loop {
            let len = PIECE_ELEMENTS.min(total - first);
            if (first == 0 || !is_whole) && batch.elements + len > batch_elements {
                jobs.extend(batch.take());
            }
            batch.push(Piece { tensor, first, len }, first + len == total);
            first += len;
            if first == total {
                break;
            }
        }
    }
    jobs.extend(batch.take());
    jobs
}

#[derive(Default)]
struct Batch {
    pieces: Vec<Piece>,
    elements: u64,
    n_tensors: usize,
}

impl Batch {
    fn push(&mut self, piece: Piece, last: bool) {
        self.elements += piece.len;
        self.n_tensors += usize::from(last);
        self.pieces.push(piece);
    }

    fn take(&mut self) -> Option<Job> {
        let Self { pieces, elements, n_tensors } = std::mem::take(self);
        let cost = elements as f64 / ELEMENTS_PER_MILLI;
        (!pieces.is_empty()).then_some(Job::Stream { pieces, n_tensors, cost })
    }
}

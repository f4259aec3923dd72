//! One layer group: the weights that read the same input, and each model's Gram matrix of it.

use std::ops::Range;

use super::gram::Gram;
use super::matrix::Stored;
use crate::dtype::Dtype;
use crate::merge::plan::Orientation;

/// One weight of the group, as each model has it.
#[derive(Debug, Clone)]
pub struct Weight {
    /// Its name, for errors.
    pub name: String,
    /// How it is stored.
    pub orientation: Orientation,
    /// One per model, all of the same shape.
    pub stored: Vec<Stored>,
    /// Dtype of the output.
    pub dtype_out: Dtype,
}

impl Weight {
    /// Output dimension: rows of W.
    pub fn n_out(&self) -> usize {
        match self.orientation {
            Orientation::OutIn => self.stored[0].rows,
            Orientation::InOut => self.stored[0].cols,
        }
    }

    /// W_i[row, cols] for W_i as `[out, in]`, whatever the storage.
    pub fn read(&self, model: usize, row: usize, cols: Range<usize>, out: &mut [f64]) {
        match self.orientation {
            Orientation::OutIn => self.stored[model].read_row(row, cols, out),
            Orientation::InOut => self.stored[model].read_col(row, cols, out),
        }
    }
}

/// Weights that share their input's Gram matrices. Row r of the group is a row of one weight.
#[derive(Debug, Clone)]
pub struct LayerGroup {
    /// Off-diagonal scale α.
    pub alpha: f64,
    /// Coefficients c_i, summing to 1.
    pub shares: Vec<f64>,
    /// One per model, `[n, n]`.
    pub grams: Vec<Gram>,
    /// The weights, `[out, n]` each.
    pub weights: Vec<Weight>,
}

impl LayerGroup {
    /// Input dimension.
    pub fn n(&self) -> usize {
        self.grams[0].n()
    }

    /// Rows of all weights together.
    pub fn n_rows(&self) -> usize {
        self.weights.iter().map(Weight::n_out).sum()
    }

    /// Runs over all rows as (row of the group, weight, row of the weight).
    pub fn rows(&self) -> impl Iterator<Item = (usize, &Weight, usize)> {
        self.weights
            .iter()
            .flat_map(|weight| (0..weight.n_out()).map(move |row| (weight, row)))
            .enumerate()
            .map(|(index, (weight, row))| (index, weight, row))
    }

    /// The rows of that range, as [`Self::rows`].
    pub fn rows_in(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &Weight, usize)> {
        self.rows().skip(range.start).take(range.len())
    }

    /// The weighted mean minus the anchor, Σ c_i (W_i − W_1), for one row. `out: [n]`.
    pub fn mean_difference(&self, weight: &Weight, row: usize, out: &mut [f64]) {
        let n = self.n();
        let (mut anchor, mut other) = (vec![0.0; n], vec![0.0; n]);
        weight.read(0, row, 0..n, &mut anchor);
        out.fill(0.0);
        for (model, share) in self.shares.iter().enumerate().skip(1) {
            weight.read(model, row, 0..n, &mut other);
            for ((sum, w), a) in out.iter_mut().zip(&other).zip(&anchor) {
                *sum += share * (w - a);
            }
        }
    }
}

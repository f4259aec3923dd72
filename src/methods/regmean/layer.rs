//! One layer group: the weights that read the same input, and each model's Gram matrix of it.
//!
//! Invariants: the first model is the anchor; models without a coefficient have no Gram matrix here
//! and count for nothing; all values that count are finite, and usual in size as they are read.

use std::ops::Range;

use crate::gram::Gram;
use crate::tensor::Orientation;
use crate::tensor::dtype::Dtype;
use crate::tensor::powers::{exponent, largest_exponent, power_of_two, scale_by};
use crate::tensor::stored::Stored;
use crate::tensor::sums;
use crate::{Error, Result, printable};

/// Values up to 2^±60 need no other unit: nothing overflows or vanishes in f32, nor their squares in f64.
const USUAL_EXPONENT: i32 = 60;
/// Both a power of two and its inverse are normal numbers.
const MAX_EXPONENT: i32 = 1000;

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
    /// Power of two that values are multiplied with as they are read: 1 but for extreme weights.
    pub magnify: f64,
}

impl Weight {
    /// Output dimension: rows of W.
    pub fn n_out(&self) -> usize {
        match self.orientation {
            Orientation::OutIn => self.stored[0].rows,
            Orientation::InOut => self.stored[0].cols,
        }
    }

    /// W_i[row, cols] for W_i as `[out, in]`, whatever the storage, times [`Self::magnify`].
    pub fn read(&self, model: usize, row: usize, cols: Range<usize>, out: &mut [f64]) {
        self.read_stored(model, row, cols, out);
        if self.magnify != 1.0 {
            out.iter_mut().for_each(|value| *value *= self.magnify);
        }
    }

    /// W_i[row, cols] in its own units.
    pub(super) fn read_stored(
        &self,
        model: usize,
        row: usize,
        cols: Range<usize>,
        out: &mut [f64],
    ) {
        match self.orientation {
            Orientation::OutIn => self.stored[model].read_row(row, cols, out),
            Orientation::InOut => self.stored[model].read_col(row, cols, out),
        }
    }

    /// Input dimension.
    fn n_in(&self) -> usize {
        match self.orientation {
            Orientation::OutIn => self.stored[0].cols,
            Orientation::InOut => self.stored[0].rows,
        }
    }

    /// Chooses the unit by the largest magnitude of the first `n_models` models, of which `model_of`
    /// tells the numbers.
    fn choose_unit(&mut self, n_models: usize, model_of: &[usize]) -> Result<()> {
        self.magnify = 1.0;
        let mut largest = 0.0;
        let mut line = vec![0.0; self.n_in()];
        for (model, number) in model_of.iter().enumerate().take(n_models) {
            for row in 0..self.n_out() {
                self.read(model, row, 0..line.len(), &mut line);
                let of_row = sums::largest(&line);
                if !of_row.is_finite() {
                    return Err(self.not_finite(*number, row));
                }
                largest = if of_row > largest { of_row } else { largest };
            }
        }
        let exponent = if largest > 0.0 { exponent(largest) } else { 0 };
        if exponent.abs() > USUAL_EXPONENT {
            self.magnify = power_of_two(-exponent.clamp(-MAX_EXPONENT, MAX_EXPONENT));
        }
        Ok(())
    }

    fn not_finite(&self, model: usize, row: usize) -> Error {
        Error::input(format!("model {} holds a NaN or infinity in row {row}", model + 1))
            .tensor(&self.name)
            .advice(broken_advice(&self.name, model))
    }
}

/// Excluding a broken weight would write what is broken.
fn broken_advice(name: &str, model: usize) -> String {
    let other = if model == 0 { 2 } else { 1 };
    format!(
        "a broken weight cannot be solved: repair it, or keep the tensor from another model, as with \
         `--keep '{}={other}'`",
        printable(name)
    )
}

/// Weights that share their input's Gram matrices. Row r of the group is a row of one weight.
#[derive(Debug, Clone)]
pub struct LayerGroup {
    /// Off-diagonal scale α.
    pub alpha: f64,
    /// Coefficients c_i above 0, summing to 1: the anchor's first.
    pub shares: Vec<f64>,
    /// One per coefficient, `[n, n]`.
    pub grams: Vec<Gram>,
    /// The weights, `[out, n]` each: first of the models that have a coefficient, then of the others.
    pub weights: Vec<Weight>,
    /// Place of each of the weights' models in the merge.
    pub models: Vec<usize>,
}

impl LayerGroup {
    /// Puts a group together of what each model has, in the merge's order.
    ///
    /// The anchor is the model with the largest c_i tr G_i, the first of equals: the solution is near
    /// it, so that little cancels in A + X. Models with a coefficient of 0 take no part.
    ///
    /// # Errors
    /// `Input` if a weight of a model that takes part holds a NaN or infinity.
    pub fn new(
        alpha: f64,
        shares: &[f64],
        grams: Vec<Gram>,
        mut weights: Vec<Weight>,
    ) -> Result<Self> {
        let models = order(shares, &grams);
        let n_models = shares.iter().filter(|share| **share > 0.0).count();
        for weight in &mut weights {
            reorder(&mut weight.stored, &models);
            weight.choose_unit(n_models, &models)?;
        }
        let mut grams = grams;
        reorder(&mut grams, &models);
        grams.truncate(n_models);
        let shares = models[..n_models].iter().map(|model| shares[*model]).collect();
        Ok(Self { alpha, shares, grams, weights, models })
    }

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

    /// The weighted mean minus the anchor, Σ c_i (W_i − A), for one row. `out: [n]`.
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

/// The models in the group's order: the anchor, others with a coefficient, the rest.
fn order(shares: &[f64], grams: &[Gram]) -> Vec<usize> {
    let sizes: Vec<f64> =
        shares.iter().zip(grams).map(|(share, gram)| share.log2() + log2_trace(gram)).collect();
    let takes_part = |model: &usize| shares[*model] > 0.0;
    let larger = |a: usize, b: usize| if sizes[b] > sizes[a] { b } else { a };
    let anchor = (0..shares.len()).filter(takes_part).reduce(larger).unwrap_or(0);
    let others = (0..shares.len()).filter(|model| *model != anchor);
    let (counted, uncounted): (Vec<usize>, Vec<usize>) = others.partition(takes_part);
    std::iter::once(anchor).chain(counted).chain(uncounted).collect()
}

/// log₂ tr G, which neither overflows nor vanishes.
fn log2_trace(gram: &Gram) -> f64 {
    let unit = largest_exponent(gram.diagonal());
    let mut diagonal = gram.diagonal().to_vec();
    scale_by(-unit, &mut diagonal);
    diagonal.iter().sum::<f64>().log2() + f64::from(unit) + gram.scale().log2()
}

/// `items ← items[order[0]], items[order[1]], …`
fn reorder<T>(items: &mut Vec<T>, order: &[usize]) {
    let mut taken: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.iter().filter_map(|index| taken.get_mut(*index)?.take()));
}

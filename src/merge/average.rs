//! The weighted mean, element by element, in f64 and in the difference form.
//!
//! W̄ = a + Σ c_i (w_i − a), where a is the w_i with the largest coefficient: identical inputs give
//! themselves, to the bit. Models with a coefficient of 0 take no part, whatever they hold. Where terms
//! cancel, they are added up in twice f64's digits.

#[cfg(test)]
mod tests;

use super::pair::{Pair, two_sum};
use super::powers::{largest_exponent, scale_by};
use super::sums;
use crate::dtype::{Dtype, decode_into, encode};

/// Running figures of one tensor, summed over its elements.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Measures {
    /// Σ (w − w_i)² per model.
    pub apart_squares: Vec<f64>,
    /// Σ w_i² per model.
    pub size_squares: Vec<f64>,
    /// Output elements that are NaN or infinite because an input is.
    pub n_not_finite: u64,
    /// Finite results that are infinite in the output dtype.
    pub n_overflowed: u64,
    /// Results that are not 0, but are in the output dtype.
    pub n_vanished: u64,
}

impl Measures {
    /// Nothing seen yet.
    pub fn new(n_models: usize) -> Self {
        let zeros = vec![0.0; n_models];
        Self { apart_squares: zeros.clone(), size_squares: zeros, ..Self::default() }
    }

    /// Takes the figures of another part of the same tensor.
    pub fn add(&mut self, other: &Self) {
        let sum = |own: &mut Vec<f64>, other: &[f64]| {
            own.resize(other.len().max(own.len()), 0.0);
            own.iter_mut().zip(other).for_each(|(a, b)| *a += b);
        };
        sum(&mut self.apart_squares, &other.apart_squares);
        sum(&mut self.size_squares, &other.size_squares);
        self.n_not_finite += other.n_not_finite;
        self.n_overflowed += other.n_overflowed;
        self.n_vanished += other.n_vanished;
    }

    /// Compares merged values with model `model`'s.
    pub fn compare(&mut self, model: usize, merged: &[f64], own: &[f64]) {
        self.apart_squares[model] += sums::apart_squares(merged, own);
        self.size_squares[model] += sums::squares(own);
    }

    /// Counts a solved row's values that are not finite, in f64 and after rounding to `dtype`, and
    /// those that vanish by rounding. Rounding noise about an exact 0 has nothing to lose.
    pub fn count(&mut self, dtype: Dtype, merged: &[f64]) {
        let largest = merged.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        self.count_from(dtype, merged, NOISE * largest);
    }

    /// Counts an average's values as [`Self::count`]. `merged` holds values that are exact.
    fn count_exact(&mut self, dtype: Dtype, merged: &[f64]) {
        self.count_from(dtype, merged, 0.0);
    }

    /// Counts what is beyond the dtype's range; of what vanishes, magnitudes above `noise`.
    fn count_from(&mut self, dtype: Dtype, merged: &[f64], noise: f64) {
        let (largest, vanishing) = (largest(dtype), vanishing(dtype));
        if sums::outside(merged, vanishing, largest) == 0.0 {
            return;
        }
        for value in merged {
            if !value.is_finite() {
                self.n_not_finite += 1;
            } else if value.abs() >= largest {
                self.n_overflowed += 1;
            } else if value.abs() <= vanishing && value.abs() > noise {
                self.n_vanished += 1;
            }
        }
    }

    /// ‖W − W_i‖ / ‖W_i‖ per model.
    pub fn distances(&self) -> Vec<f64> {
        let ratio = |(apart, size): (&f64, &f64)| match *apart {
            0.0 => 0.0,
            apart => (apart / size).sqrt(),
        };
        self.apart_squares.iter().zip(&self.size_squares).map(ratio).collect()
    }
}

/// The smallest magnitude that rounds to infinity.
fn largest(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F16 => 65520.0,
        Dtype::BF16 => 3.396_177_529_230_46e38,
        Dtype::F32 => 3.402_823_567_797_336_6e38,
        _ => f64::INFINITY,
    }
}

/// The largest magnitude that rounds to 0.
fn vanishing(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F16 => 2f64.powi(-25),
        Dtype::BF16 => 2f64.powi(-134),
        Dtype::F32 => 2f64.powi(-150),
        _ => 0.0,
    }
}

/// What a solve leaves where 0 is due, relative to its row's largest value.
const NOISE: f64 = 1e-10;

/// Elements at once: all models' values of a block stay in the first cache.
const BLOCK: usize = 512;

/// The mean of the same elements of every model. `shares` sum to 1.
///
/// `inputs` are raw elements and their dtypes, one pair per model, all of the same number of
/// elements; `bytes` becomes the answer, in `dtype_out`.
pub fn average(
    inputs: &[(Dtype, Vec<u8>)],
    shares: &[f64],
    dtype_out: Dtype,
    bytes: &mut Vec<u8>,
) -> Measures {
    let n = inputs[0].1.len() / inputs[0].0.size_bytes();
    bytes.resize(n * dtype_out.size_bytes(), 0);
    let mut measures = Measures::new(inputs.len());
    let mut values = vec![vec![0.0; BLOCK]; inputs.len()]; // [models][BLOCK]
    let mut merged = vec![0.0; BLOCK];
    let blocks = bytes.chunks_mut(BLOCK * dtype_out.size_bytes());
    let parts = Parts::of(shares);
    for (start, out) in (0..n).step_by(BLOCK).zip(blocks) {
        let len = BLOCK.min(n - start);
        let merged = &mut merged[..len];
        for ((dtype, bytes), own) in inputs.iter().zip(&mut values) {
            own.truncate(len);
            let size = dtype.size_bytes();
            decode_into(*dtype, &bytes[start * size..(start + len) * size], own);
        }
        if !usual_mean(&values, &parts, dtype_out, merged, &mut measures) {
            mean(&values, &parts, merged);
            for (model, own) in values.iter().enumerate() {
                measures.compare(model, merged, own);
            }
            measures.count_exact(dtype_out, merged);
        }
        encode(dtype_out, merged.iter().copied(), out);
    }
    measures
}

/// A mean that is smaller than its terms by this has lost digits that count.
const CANCELLED: f64 = 1.0 / 16.0;
/// Elements that are added up on their own, as in `sums`.
const LANES: usize = 8;

/// The models that take part in a mean.
struct Parts {
    /// The model with the largest coefficient, the first of equals: a is its.
    anchor: usize,
    /// The others that have a coefficient, and that.
    others: Vec<(usize, f64)>,
}

impl Parts {
    fn of(shares: &[f64]) -> Self {
        let larger = |a: usize, b: usize| if shares[b] > shares[a] { b } else { a };
        let anchor = (0..shares.len()).reduce(larger).unwrap_or(0);
        let others = shares.iter().copied().enumerate();
        let others = others.filter(|(model, share)| *model != anchor && *share > 0.0).collect();
        Self { anchor, others }
    }

    /// Each part's value of an element. `values: [models][len]`
    fn inputs(&self, values: &[Vec<f64>], j: usize) -> impl Iterator<Item = f64> {
        let others = self.others.iter().map(move |(model, _)| values[*model][j]);
        std::iter::once(values[self.anchor][j]).chain(others)
    }
}

/// W̄ of a block and its measures in few passes, if all of it is finite in the output and nothing
/// cancels: what reading a file leaves time for. Else false, and nothing counts. `values: [models][len]`
fn usual_mean(
    values: &[Vec<f64>],
    parts: &Parts,
    dtype: Dtype,
    merged: &mut [f64],
    measures: &mut Measures,
) -> bool {
    if !merged.len().is_multiple_of(LANES) {
        return false;
    }
    for (index, out) in merged.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let own = |model: usize| &values[model].as_chunks::<LANES>().0[index];
        let first = own(parts.anchor);
        let mut sum = [0.0; LANES];
        for (model, share) in &parts.others {
            let own = own(*model);
            sum.iter_mut().enumerate().for_each(|(j, sum)| *sum += share * (own[j] - first[j]));
        }
        for (j, value) in out.iter_mut().enumerate() {
            *value = anchored(first[j], sum[j]);
        }
    }
    let outside = sums::outside(merged, vanishing(dtype), largest(dtype));
    let cancels = |model: usize| sums::any_below(merged, CANCELLED, &values[model]);
    let is_usual = outside < sums::ABOVE
        && !cancels(parts.anchor)
        && !parts.others.iter().any(|(model, _)| cancels(*model));
    if is_usual {
        measures.n_vanished += outside as u64;
        for (model, own) in values.iter().enumerate() {
            measures.compare(model, merged, own);
        }
    }
    is_usual
}

/// a + what is added to it. Not −0 + 0, which is 0.
fn anchored(first: f64, added: f64) -> f64 {
    if added == 0.0 { first } else { first + added }
}

/// W̄ of a block. `values: [models][len]`
fn mean(values: &[Vec<f64>], parts: &Parts, merged: &mut [f64]) {
    let first = &values[parts.anchor];
    merged.fill(0.0);
    for (model, share) in &parts.others {
        for ((sum, w), first) in merged.iter_mut().zip(&values[*model]).zip(first) {
            *sum += share * (w - first);
        }
    }
    for (j, (value, first)) in merged.iter_mut().zip(first).enumerate() {
        *value = anchored(*first, *value);
        let size =
            parts.inputs(values, j).fold(0.0, |a: f64, w| if w.abs() > a { w.abs() } else { a });
        // Not `<`: a NaN is looked at, too.
        let is_usual = value.is_finite() && value.abs() >= CANCELLED * size;
        if !is_usual {
            *value = careful_mean(*value, parts, values, j);
        }
    }
}

/// W̄ of one element where terms cancel or overflow, or inputs are not finite. Equal infinities stay; all
/// else that is not finite has no mean.
fn careful_mean(mean: f64, parts: &Parts, values: &[Vec<f64>], j: usize) -> f64 {
    let mut inputs: Vec<f64> = parts.inputs(values, j).collect();
    if !inputs.iter().all(|w| w.is_finite()) {
        let first = inputs[0];
        return if inputs.iter().all(|w| *w == first) { first } else { f64::NAN };
    }
    let exponent = largest_exponent(&inputs);
    scale_by(-exponent, &mut inputs);
    let mut sum = Pair { high: inputs[0], low: 0.0 };
    for (w, (_, share)) in inputs[1..].iter().zip(&parts.others) {
        let (high, low) = two_sum(*w, -inputs[0]);
        sum.add(Pair { high, low }.times(*share));
    }
    let mut rounded = [sum.high];
    scale_by(exponent, &mut rounded);
    // −0 stays what it was.
    if rounded[0] == 0.0 && mean == 0.0 { mean } else { rounded[0] }
}

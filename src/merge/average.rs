//! The weighted mean, element by element: W̄ = Σ c_i w_i / Σ c_i.
//!
//! Coefficients count as they were given, so that ordinary ones round nothing before the one division.
//! A mean never leaves its inputs' range: identical inputs give themselves, to the bit. Models with a
//! coefficient of 0 take no part, whatever they hold. Where terms cancel or overflow, they are added up in
//! twice f64's digits.

#[cfg(test)]
mod tests;

use super::pair::Pair;
use super::powers::{largest_exponent, scale_by, times_power};
use super::sums;
use crate::dtype::{Dtype, decode_into, encode};
use crate::extremes::larger;

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

/// The mean of the same elements of every model. `coefficients` are not negative and not all 0.
///
/// `inputs` are raw elements and their dtypes, one pair per model, all of the same number of
/// elements; `bytes` becomes the answer, in `dtype_out`.
pub fn average(
    inputs: &[(Dtype, Vec<u8>)],
    coefficients: &[f64],
    dtype_out: Dtype,
    bytes: &mut Vec<u8>,
) -> Measures {
    let n = inputs[0].1.len() / inputs[0].0.size_bytes();
    bytes.resize(n * dtype_out.size_bytes(), 0);
    let mut measures = Measures::new(inputs.len());
    let mut values = vec![vec![0.0; BLOCK]; inputs.len()]; // [models][BLOCK]
    let mut merged = vec![0.0; BLOCK];
    let blocks = bytes.chunks_mut(BLOCK * dtype_out.size_bytes());
    let parts = Parts::of(coefficients, inputs, dtype_out);
    for (start, out) in (0..n).step_by(BLOCK).zip(blocks) {
        let len = BLOCK.min(n - start);
        let merged = &mut merged[..len];
        for ((dtype, bytes), own) in inputs.iter().zip(&mut values) {
            own.truncate(len);
            let size = dtype.size_bytes();
            decode_into(*dtype, &bytes[start * size..(start + len) * size], own);
        }
        mean(&values, &parts, dtype_out, merged);
        for (model, own) in values.iter().enumerate() {
            measures.compare(model, merged, own);
        }
        measures.count_exact(dtype_out, merged);
        encode(dtype_out, merged.iter().copied(), out);
    }
    measures
}

/// A mean that is smaller than its terms by this has lost digits that count.
const CANCELLED: f64 = 1.0 / 16.0;
/// Elements that are added up on their own, as in `sums`.
const LANES: usize = 8;

/// The models that take part in a mean, and their coefficients, by a power of two near 1.
struct Parts {
    models: Vec<(usize, f64)>,
    /// Σ c_i
    total: Pair,
    /// Middles between two numbers of the output that rounding in f64 may mistake, where it may.
    middles: Option<Middles>,
}

impl Parts {
    fn of(coefficients: &[f64], inputs: &[(Dtype, Vec<u8>)], dtype_out: Dtype) -> Self {
        let exponent = largest_exponent(coefficients);
        let counted = coefficients.iter().enumerate().filter(|(_, c)| **c > 0.0);
        let models: Vec<(usize, f64)> =
            counted.map(|(model, c)| (model, times_power(*c, -exponent))).collect();
        let mut total = Pair::default();
        models.iter().for_each(|(_, c)| total.add(Pair { high: *c, low: 0.0 }));
        let is_exact = models.iter().all(|(model, c)| {
            // Such products with elements of 24 digits are exact.
            c.to_bits().trailing_zeros() >= 33 && inputs[*model].0 != Dtype::F64
        });
        let middles = if is_exact { None } else { Middles::of(dtype_out) };
        Self { models, total, middles }
    }

    /// Each part's value of an element. `values: [models][len]`
    fn inputs(&self, values: &[Vec<f64>], j: usize) -> impl Iterator<Item = f64> {
        self.models.iter().map(move |(model, _)| values[*model][j])
    }

    /// Whether f64 does not suffice for an element whose largest input is of that size.
    fn needs_care(&self, mean: f64, size: f64) -> bool {
        // Not `<`: a NaN needs it, too.
        let is_clear = mean.abs() >= CANCELLED * size && mean.abs() < f64::INFINITY;
        !is_clear || self.middles.is_some_and(|middles| middles.is_near(mean))
    }
}

/// Where a 16- or 32-bit type rounds up or down.
#[derive(Debug, Clone, Copy)]
struct Middles {
    /// Digits of an f64 that are rounded away.
    n_digits: u32,
    /// The smallest number with all digits.
    least: f64,
}

impl Middles {
    /// Rounding errors of a mean, in units of f64, and some.
    const SLACK: u64 = 1 << 8;

    fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F16 => Some(Self { n_digits: 42, least: 2f64.powi(-14) }),
            Dtype::BF16 => Some(Self { n_digits: 45, least: 2f64.powi(-126) }),
            Dtype::F32 => Some(Self { n_digits: 29, least: 2f64.powi(-126) }),
            _ => None,
        }
    }

    fn is_near(self, value: f64) -> bool {
        let (middle, rest) =
            (1 << (self.n_digits - 1), value.to_bits() & ((1 << self.n_digits) - 1));
        rest.abs_diff(middle) <= Self::SLACK || (value != 0.0 && value.abs() < self.least)
    }
}

/// W̄ of a block. `values: [models][len]`
fn mean(values: &[Vec<f64>], parts: &Parts, dtype: Dtype, merged: &mut [f64]) {
    let mut n_careful = 0.0;
    let (lanes, rest) = merged.as_chunks_mut::<LANES>();
    let n_in_lanes = lanes.len() * LANES;
    for (index, out) in lanes.iter_mut().enumerate() {
        let own = |model: usize| values[model].as_chunks::<LANES>().0[index];
        n_careful += quick_mean(parts, own, out);
    }
    for (j, out) in rest.iter_mut().enumerate() {
        let mut one = [0.0];
        n_careful += quick_mean(parts, |model| [values[model][n_in_lanes + j]], &mut one);
        *out = one[0];
    }
    if n_careful == 0.0 {
        return;
    }
    for (j, value) in merged.iter_mut().enumerate() {
        let size = parts.inputs(values, j).fold(0.0, |a: f64, w| larger(a, w.abs()));
        if parts.needs_care(*value, size) {
            *value = careful_mean(*value, parts, values, dtype, j);
        }
    }
}

/// W̄ of some elements in f64; how many of them f64 does not suffice for.
fn quick_mean<const N: usize>(
    parts: &Parts,
    own: impl Fn(usize) -> [f64; N],
    out: &mut [f64; N],
) -> f64 {
    // From −0, which added to −0 stays it.
    let (mut sum, mut low, mut high) = ([-0.0; N], [f64::INFINITY; N], [f64::NEG_INFINITY; N]);
    for (model, coefficient) in &parts.models {
        for (j, w) in own(*model).iter().enumerate() {
            sum[j] += coefficient * w;
            low[j] = if *w < low[j] { *w } else { low[j] };
            high[j] = if *w > high[j] { *w } else { high[j] };
        }
    }
    let mut careful = [0.0; N];
    for (j, out) in out.iter_mut().enumerate() {
        *out = within(sum[j] / parts.total.high, low[j], high[j]);
        let size = if -low[j] > high[j] { -low[j] } else { high[j] };
        careful[j] = if parts.needs_care(*out, size) { 1.0 } else { 0.0 };
    }
    careful.iter().sum()
}

/// A mean, as its inputs' range allows: what rounding alone has put outside is not.
fn within(mean: f64, low: f64, high: f64) -> f64 {
    let mean = if mean < low { low } else { mean };
    if mean > high { high } else { mean }
}

/// W̄ of one element where terms cancel or overflow, or inputs are not finite. Equal infinities stay; all
/// else that is not finite has no mean.
fn careful_mean(mean: f64, parts: &Parts, values: &[Vec<f64>], dtype: Dtype, j: usize) -> f64 {
    let mut inputs: Vec<f64> = parts.inputs(values, j).collect();
    if !inputs.iter().all(|w| w.is_finite()) {
        let first = inputs[0];
        return if inputs.iter().all(|w| *w == first) { first } else { f64::NAN };
    }
    let exponent = largest_exponent(&inputs);
    scale_by(-exponent, &mut inputs);
    let mut sum = Pair::default();
    for (w, (_, coefficient)) in inputs.iter().zip(&parts.models) {
        sum.add(Pair { high: *w, low: 0.0 }.times(*coefficient));
    }
    let mean_of_usual = sum.over(parts.total);
    let rounded = match dtype {
        Dtype::F64 => mean_of_usual.high,
        // A second rounding, to fewer digits, must know on which side of a middle this is.
        _ => mean_of_usual.to_odd(),
    };
    // −0 stays what it was.
    if rounded == 0.0 && mean == 0.0 { mean } else { times_power(rounded, exponent) }
}

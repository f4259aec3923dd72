//! The weighted mean, element by element, in f64 and in the difference form.
//!
//! W̄ = w_1 + Σ_{i ≥ 2} c_i (w_i − w_1): identical inputs give themselves, to the bit.

use super::sums;
use crate::dtype::{Dtype, decode, encode};

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
}

impl Measures {
    /// Nothing seen yet.
    pub fn new(n_models: usize) -> Self {
        let zeros = vec![0.0; n_models];
        Self { apart_squares: zeros.clone(), size_squares: zeros, n_not_finite: 0, n_overflowed: 0 }
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
    }

    /// Compares merged values with model `model`'s.
    pub fn compare(&mut self, model: usize, merged: &[f64], own: &[f64]) {
        self.apart_squares[model] += sums::apart_squares(merged, own);
        self.size_squares[model] += sums::squares(own);
    }

    /// Counts what is not finite, in f64 and after rounding to `dtype`.
    pub fn count(&mut self, dtype: Dtype, merged: &[f64]) {
        let largest = largest(dtype);
        for value in merged {
            if !value.is_finite() {
                self.n_not_finite += 1;
            } else if value.abs() >= largest {
                self.n_overflowed += 1;
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
        Dtype::BF16 => 3.396_169e38,
        Dtype::F32 => 3.402_823_567_797_336_6e38,
        _ => f64::INFINITY,
    }
}

/// The mean of the same elements of every model. `shares` sum to 1.
///
/// `inputs` are raw elements and their dtypes, one pair per model, all of the same number of
/// elements; the answer is in `dtype_out`.
pub fn average(
    inputs: &[(Dtype, Vec<u8>)],
    shares: &[f64],
    dtype_out: Dtype,
) -> (Vec<u8>, Measures) {
    let values: Vec<Vec<f64>> = inputs.iter().map(|(dtype, bytes)| decode(*dtype, bytes)).collect();
    let merged: Vec<f64> = (0..values[0].len()).map(|j| mean(&values, shares, j)).collect();
    let mut measures = Measures::new(inputs.len());
    for (model, own) in values.iter().enumerate() {
        measures.compare(model, &merged, own);
    }
    measures.count(dtype_out, &merged);
    let mut bytes = vec![0; merged.len() * dtype_out.size_bytes()];
    encode(dtype_out, merged.into_iter(), &mut bytes);
    (bytes, measures)
}

fn mean(values: &[Vec<f64>], shares: &[f64], j: usize) -> f64 {
    let first = values[0][j];
    let others = || values[1..].iter().map(|own| own[j]);
    if !first.is_finite() || others().any(|w| !w.is_finite()) {
        return mean_not_finite(first, others());
    }
    first + others().zip(&shares[1..]).map(|(w, share)| share * (w - first)).sum::<f64>()
}

/// Equal infinities stay; all else that is not finite has no mean.
fn mean_not_finite(first: f64, mut others: impl Iterator<Item = f64>) -> f64 {
    if others.all(|w| w == first) { first } else { f64::NAN }
}

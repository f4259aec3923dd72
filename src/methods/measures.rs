//! What is counted of merged values beside their inputs.

use crate::tensor::dtype::Dtype;
use crate::tensor::sums;

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
    pub(super) fn count_exact(&mut self, dtype: Dtype, merged: &[f64]) {
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
pub(super) fn largest(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F16 => 65520.0,
        Dtype::BF16 => 3.396_177_529_230_46e38,
        Dtype::F32 => 3.402_823_567_797_336_6e38,
        _ => f64::INFINITY,
    }
}

/// The largest magnitude that rounds to 0.
pub(super) fn vanishing(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F16 => 2f64.powi(-25),
        Dtype::BF16 => 2f64.powi(-134),
        Dtype::F32 => 2f64.powi(-150),
        _ => 0.0,
    }
}

/// What a solve leaves where 0 is due, relative to its row's largest value.
const NOISE: f64 = 1e-10;

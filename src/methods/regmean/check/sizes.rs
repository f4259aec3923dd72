//! Norms of the solution, and of how far the models are apart from it, by row and by tensor.

use super::system::System;
use crate::methods::regmean::estimate::norm;
use crate::methods::regmean::layer::Weight;
use crate::tensor::extremes::larger;
use crate::tensor::powers::times_power;

/// What is left of inputs that cancel to less than this has no digits.
const CANCELLED: f64 = 1e-10;

/// Norms of one row, in its own units.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowSize {
    /// ‖W*‖
    pub(super) whole: f64,
    /// Σ ‖W_i − W*‖, each by its part in T.
    pub(super) apart: f64,
    /// Σ ‖Ŵ_i − Ŵ*‖, each by its part in T.
    pub(super) apart_hat: f64,
    /// Σ ‖W_i − W*‖ by their coefficients, in features that no Gram saw.
    dead: f64,
    /// Exponent of the units that the row is in.
    pub(super) exponent: i32,
}

impl RowSize {
    /// Those of one row. `at: [n]`, W* in row units; `grams`: the size of each counted model's Ĝ_i,
    /// and its coefficient.
    pub(super) fn of(
        system: &System<'_>,
        row: (usize, &Weight, usize),
        at: &[f64],
        grams: &[(f64, f64)],
    ) -> Self {
        let exponent = system.exponents[row.0];
        let (mut apart, mut apart_hat, mut dead) = (0.0, 0.0, 0.0);
        let (mut difference, mut unseen) = (vec![0.0; at.len()], vec![0.0; at.len()]);
        for (place, (size, share)) in grams.iter().enumerate() {
            system.read_counted(place, row, &mut difference);
            for (j, value) in difference.iter_mut().enumerate() {
                let own = *value - at[j];
                (*value, unseen[j]) = if system.scaling.dead[j] { (0.0, own) } else { (own, 0.0) };
            }
            dead += share * norm(&unseen);
            apart += size * norm(&difference);
            difference.iter_mut().zip(&system.hat).for_each(|(value, hat)| *value *= hat);
            apart_hat += size * norm(&difference);
        }
        Self { whole: norm(at), apart, apart_hat, dead, exponent }
    }
}

/// Norms of a tensor, in units of its largest row.
pub(super) struct TensorSize {
    /// ‖W*‖, or what has digits of it.
    pub(super) whole: f64,
    /// As in [`RowSize`].
    pub(super) apart: f64,
    /// As in [`RowSize`].
    pub(super) apart_hat: f64,
    exponent: i32,
}

impl TensorSize {
    /// Those of all rows together.
    pub(super) fn of(rows: &[RowSize]) -> Self {
        let exponent = rows.iter().map(|row| row.exponent).max().unwrap_or(0);
        let sizes = Self { whole: 0.0, apart: 0.0, apart_hat: 0.0, exponent };
        let total = |size: fn(&RowSize) -> f64| {
            norm(&rows.iter().map(|row| sizes.of_row(size(row), row)).collect::<Vec<f64>>())
        };
        let (apart, apart_hat) = (total(|row| row.apart), total(|row| row.apart_hat));
        // What no Gram saw is right to the contract beside its inputs, even where these cancel.
        let least = larger(CANCELLED * apart, total(|row| row.dead));
        let whole = larger(total(|row| row.whole), least);
        Self { whole, apart, apart_hat, exponent }
    }

    /// A value, in the tensor's units.
    pub(super) fn of_value(&self, value: f64) -> f64 {
        if value == 0.0 { 0.0 } else { times_power(value, -self.exponent) }
    }

    /// A size in a row's units, in the tensor's.
    pub(super) fn of_row(&self, size: f64, row: &RowSize) -> f64 {
        times_power(size, row.exponent - self.exponent)
    }

    /// A size in the tensor's units, in a row's.
    pub(super) fn in_row(&self, size: f64, row: &RowSize) -> f64 {
        if size == 0.0 { 0.0 } else { times_power(size, self.exponent - row.exponent) }
    }
}

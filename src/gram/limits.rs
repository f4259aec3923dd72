//! What a matrix's diagonal allows beside it: no XᵀX has an element with |G_ij| > √(G_ii G_jj).

use crate::tensor::dtype::Dtype;
use crate::{Error, Result};

/// An element may exceed √(G_ii G_jj) by this share, which leaves room for sums in f16.
const TOLERANCE: f64 = 1e-2;

/// One limit for each element of the diagonal: |G_ij| ≤ limit_i limit_j.
#[derive(Debug, Default)]
pub(super) struct Limits(Vec<f64>);

impl Limits {
    /// Takes the next element of a diagonal that was stored in `dtype`.
    pub(super) fn push(&mut self, dtype: Dtype, diagonal: f64) {
        self.0.push(((diagonal + least_unit(dtype)) * (1.0 + TOLERANCE)).sqrt());
    }

    /// What |G_ij| may be.
    pub(super) fn of(&self, i: usize, j: usize) -> f64 {
        self.0[i] * self.0[j]
    }

    /// Checks the elements left of a diagonal's element. `left: [row]`
    ///
    /// # Errors
    /// `Input`, naming the first that is too large.
    pub(super) fn check(&self, diagonal: &[f64], left: &[f64]) -> Result<()> {
        let row = left.len();
        let limit = self.0[row];
        let above = |(value, other): (&f64, &f64)| value.abs() > limit * other;
        let beyond = left.iter().zip(&self.0).fold(false, |any, pair| any | above(pair));
        let found = beyond.then(|| left.iter().zip(&self.0).position(above)).flatten();
        let Some(col) = found else { return Ok(()) };
        Err(Error::input(format!(
            "the Gram matrix has {:.3e} at ({row}, {col}), more than its diagonal allows \
             ({:.3e} and {:.3e})",
            left[col], diagonal[row], diagonal[col]
        ))
        .advice("it must be XᵀX of the layer's inputs: accumulate it in float32 or float64"))
    }
}

/// The smallest positive number: what is less has vanished from a diagonal.
fn least_unit(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F16 => 2f64.powi(-24),
        Dtype::BF16 => 2f64.powi(-133),
        Dtype::F32 => 2f64.powi(-149),
        _ => f64::from_bits(1),
    }
}

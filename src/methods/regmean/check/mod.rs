//! How far a finished weight is from the solution, which is computed anew in f64.
//!
//! Where the Grams determine it, one Newton step from the finished weight is the solution; where
//! they do not, or hardly, iterating from the weighted mean is, as when solving. The two orders of
//! accuracy overlap, and what either explains is right.
//!
//! - `units`: rows of any size, brought near 1.
//! - `system`: residuals and steps, made of the files' bytes.
//! - `finished`: the two ways to the solution.
//! - `sizes`, `compare`: which distances from the solution the contract allows.

mod compare;
mod finished;
mod sizes;
mod system;
mod units;

use finished::Finished;

use super::layer::LayerGroup;
use crate::Result;
use crate::backend::Backend;
use crate::methods::regmean::Precision;
use crate::tensor::Orientation;
use crate::tensor::stored::Stored;

/// Until here no solver has a reason to put a floor under the diagonal.
const CLEAR_CONDITION: f64 = 1e8;
/// One element of a weight `[out, in]`, and what it should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Element {
    /// Its row.
    pub row: usize,
    /// Its column.
    pub col: usize,
    /// Its value.
    pub found: f64,
    /// The solution there.
    pub due: f64,
}

/// What a check found about one weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// ‖W − W*‖ / ‖W*‖ beyond what rounding to the output dtype explains. Where a row or an element is
    /// further out of its own bound, as many times `bound`.
    pub error: f64,
    /// What the error may be.
    pub bound: f64,
    /// ‖R̂(Ŵ)‖ / (‖T‖ ‖Ŵ‖).
    pub residual: f64,
    /// The element that is furthest out of its bound, if one is out.
    pub wrong: Option<Element>,
}

impl Checked {
    fn is_within(&self) -> bool {
        self.error <= self.bound
    }
}

/// Checks the group's merged weights, in the output dtype and orientation.
///
/// # Errors
/// As the backend's, and `Numeric` as when solving.
pub async fn check<D: Backend<Scalar = f64>>(
    double: &D,
    group: &LayerGroup,
    merged: Vec<Vec<u8>>,
    precision: Precision,
) -> Result<Vec<Checked>> {
    let finished = Finished::new(double, group, merged, precision).await?;
    let plain = finished.beside_one_step().await?;
    if let Some((condition, checked)) = &plain
        && (*condition <= CLEAR_CONDITION || checked.iter().all(Checked::is_within))
    {
        return Ok(checked.clone());
    }
    let iterated = finished.beside_iterated().await?;
    Ok(match plain {
        None => iterated,
        Some((_, plain)) => plain.into_iter().zip(iterated).map(better).collect(),
    })
}

fn better((a, b): (Checked, Checked)) -> Checked {
    if b.is_within() { b } else { a }
}

/// A row of a weight `[out, in]`.
fn read_row(stored: &Stored, orientation: Orientation, row: usize, out: &mut [f64]) {
    match orientation {
        Orientation::OutIn => stored.read_row(row, 0..out.len(), out),
        Orientation::InOut => stored.read_col(row, 0..out.len(), out),
    }
}

//! A few rows solved with the factor that is being judged.

use super::norm;
use crate::Result;
use crate::backend::Backend;
use crate::methods::regmean::factor::Factorised;
use crate::tensor::dtype::Real;
use crate::tensor::powers::{largest_exponent, scale_by};

/// Rows · T⁻¹ in the backend's arithmetic. `rows: [m, n]`
///
/// Rows are brought near 1 for it, by powers of two: short ones would vanish in f32. ‖r T⁻¹‖ ≥ ‖r‖ / ‖T‖
/// for every row r: what is clearly shorter was not solved for, and becomes NaN. Else a device that
/// answers with zeros would find every error to be zero. Nor is anything solved where a size is NaN.
pub(super) async fn solve_rows<B: Backend>(
    backend: &B,
    factorised: &Factorised<B>,
    n: usize,
    rows: &[f64],
) -> Result<Vec<f64>> {
    let m = rows.len() / n.max(1);
    let exponents: Vec<i32> = rows.chunks(n.max(1)).map(largest_exponent).collect();
    let mut usual = rows.to_vec();
    scale_rows(n, &mut usual, exponents.iter().map(|exponent| -exponent));
    let values = usual.iter().map(|value| B::Scalar::from_f64(*value)).collect();
    let mut x = backend.upload(m, n, values).await?;
    backend.solve(&factorised.factor, &mut x).await?;
    let mut x: Vec<f64> = backend.download(x).await?.into_iter().map(Real::to_f64).collect();
    refuse_short(n, factorised.norm, &usual, &mut x);
    scale_rows(n, &mut x, exponents.into_iter());
    Ok(x)
}

/// row_i ← 2^exponent_i row_i. `rows: [m, n]`
fn scale_rows(n: usize, rows: &mut [f64], exponents: impl Iterator<Item = i32>) {
    rows.chunks_mut(n.max(1)).zip(exponents).for_each(|(row, exponent)| scale_by(exponent, row));
}

/// Fills with NaN what is shorter than `rows` · T⁻¹ can be. `rows, solved: [m, n]`
pub(super) fn refuse_short(n: usize, norm_t: f64, rows: &[f64], solved: &mut [f64]) {
    for (row, solved) in rows.chunks(n.max(1)).zip(solved.chunks_mut(n.max(1))) {
        let size = norm(row);
        let is_sound = size == 0.0 || norm(solved) >= 0.5 * size / norm_t;
        if !is_sound {
            solved.fill(f64::NAN);
        }
    }
}

//! The condition of T, by power iteration with its factor.
//!
//! A factor of a nearly singular T knows nothing of the directions that rounding made of it, and would
//! judge itself good there. So the condition is not taken from the factor alone: the direction in
//! which its inverse is largest is weighed with the stored Grams, in f64.

use super::rows::solve_rows;
use super::signs::Signs;
use super::{norm, weigh};
use crate::Result;
use crate::backend::Backend;
use crate::methods::regmean::factor::{self, Factorised};
use crate::methods::regmean::layer::LayerGroup;
use crate::methods::regmean::scaling::Scaling;
use crate::tensor::extremes::larger;

/// Steps of the power iteration: the order of magnitude is wanted, not digits.
const STEPS: usize = 3;
const ROWS: usize = 4;

/// Estimates ‖T‖ ‖T⁻¹‖ by power iteration with the factor, and by what the Grams themselves say of the
/// direction that it finds. `floor` is what was added to T's diagonal, as a share of it.
///
/// # Errors
/// As the backend's.
pub async fn condition<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    factorised: &Factorised<B>,
    floor: f64,
) -> Result<f64> {
    let n = group.n();
    let mut signs = Signs::new(1);
    let mut rows: Vec<f64> = (0..ROWS * n).map(|_| signs.next()).collect();
    let mut growth = 0.0;
    for _ in 0..STEPS {
        rows.chunks_mut(n.max(1)).for_each(normalise);
        rows = solve_rows(backend, factorised, n, &rows).await?;
        growth = rows.chunks(n.max(1)).map(norm).fold(0.0, larger);
    }
    rows.chunks_mut(n.max(1)).for_each(normalise);
    let least = least_quotient(group, scaling, &rows, floor);
    // Below f64's own rounding nothing is known of it.
    let by_grams = if n == 0 { 0.0 } else { 1.0 / least.max(f64::EPSILON / 2.0) };
    Ok(factorised.norm * larger(growth, by_grams))
}

/// The smallest v T vᵀ of some unit rows v. `rows: [m, n]`
fn least_quotient(group: &LayerGroup, scaling: &Scaling, rows: &[f64], floor: f64) -> f64 {
    let n = group.n();
    let weighed = weigh(group, scaling, &rows.repeat(group.grams.len()));
    let diagonal: Vec<f64> = (0..n)
        .map(|j| match scaling.dead[j] {
            true => 1.0,
            false => floor * factor::diagonal(group, scaling, j),
        })
        .collect();
    let quotient = |(v, tv): (&[f64], &[f64])| -> f64 {
        v.iter().zip(tv).zip(&diagonal).map(|((v, tv), d)| v * tv + v * v * d).sum()
    };
    let quotients = rows.chunks(n.max(1)).zip(weighed.chunks(n.max(1))).map(quotient);
    quotients.fold(f64::INFINITY, |a, b| if b >= a { a } else { b })
}

fn normalise(row: &mut [f64]) {
    let size = norm(row);
    if size > 0.0 {
        row.iter_mut().for_each(|value| *value /= size);
    }
}

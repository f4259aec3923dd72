//! How good a solution is: the condition of T, and the error of X̂ by random probes.
//!
//! For a random sign vector y, E‖yᵀM‖² = ‖M‖_F² for any matrix M. Taking M = R̂(X̂) T⁻¹, the exact
//! correction of X̂, costs O(n² + mn) per probe: the residual is formed in f64 from the stored
//! bytes, and only the last solve uses the factor that is being judged.

mod combine;
mod condition;
mod doubled;
mod lines;
mod rows;
mod signs;
#[cfg(test)]
mod tests;
mod weigh;

use combine::{Sizes, combine};
pub use condition::condition;
pub(super) use doubled::judge_doubled;
use rows::solve_rows;
use weigh::weigh;

use super::factor::Factorised;
use super::layer::LayerGroup;
use super::scaling::Scaling;
use crate::Result;
use crate::backend::Backend;
use crate::tensor::dtype::Real;
use crate::tensor::extremes::larger;
use crate::tensor::powers::{largest_exponent, scale_by};
use crate::tensor::sums;

/// Sign vectors per weight. Even for an error of rank one, eight of them see less than half of it
/// in one case of fifty.
const PROBES: usize = 8;
/// Below this a sum of squares may have lost terms.
const LEAST_SQUARES: f64 = 1e-280;

/// What the probes say about one weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Judgement {
    /// ‖X − X*‖_F / ‖A + X‖_F, estimated.
    pub error: f64,
    /// How many times larger the relative error of the worst row may be: rows err as they differ
    /// from A.
    pub row_factor: f64,
    /// ‖R̂(X̂)‖_F / (‖T‖ ‖X̂‖_F), estimated.
    pub residual: f64,
}

/// Judges X̂ `[m, n]` for each weight of the group.
///
/// # Errors
/// As the backend's.
pub async fn judge<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    factorised: &Factorised<B>,
    x: &[B::Scalar],
) -> Result<Vec<Judgement>> {
    let probes = Probes::new(group, scaling, Some(x));
    probes.judge(backend, group, scaling, factorised).await
}

/// Foresees how good X̂ will be: solves for the random combinations of rows alone, and judges that.
/// Their right-hand sides are made in f64: what X̂ loses by its own is not foreseen, only judged.
///
/// # Errors
/// As the backend's.
pub async fn foresee<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    factorised: &Factorised<B>,
) -> Result<Vec<Judgement>> {
    let mut probes = Probes::new::<B::Scalar>(group, scaling, None);
    let rows = weigh(group, scaling, &probes.left);
    let x = solve_rows(backend, factorised, group.n(), &rows).await?;
    probes.subtract(scaling, &x);
    probes.judge(backend, group, scaling, factorised).await
}

/// a / b, and 0 where there is nothing to compare.
pub(super) fn ratio(a: f64, b: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a / b }
}

/// X = X̂ diag(s), row by row.
fn unscale(scaling: &Scaling, rows: &mut [f64]) {
    for row in rows.chunks_mut(scaling.scale.len().max(1)) {
        row.iter_mut().zip(&scaling.scale).for_each(|(value, s)| *value *= s);
    }
}

/// yᵀ(Ŵ_i − Ŵ) for every model, weight and sign vector y.
struct Probes {
    n_rows: usize,
    left: Vec<f64>, // [models, n_rows = weights · PROBES, n]
    sizes: Vec<Sizes>,
}

impl Probes {
    /// X̂ = 0 where `x` is `None`.
    fn new<T: Real>(group: &LayerGroup, scaling: &Scaling, x: Option<&[T]>) -> Self {
        let read = x.map(|x| {
            move |start: usize, out: &mut [f64]| {
                let x = &x[start..][..out.len()];
                out.iter_mut().zip(x).for_each(|(out, x)| *out = x.to_f64());
            }
        });
        let (left, sizes) = combine(group, scaling, read.as_ref().map(|read| read as _));
        Self { n_rows: group.weights.len() * PROBES, left, sizes }
    }

    /// left_i ← left_i − X̂. `x: [n_rows, n]`
    ///
    /// What A + X will be is not known: it is taken to be as large as the larger of both.
    fn subtract(&mut self, scaling: &Scaling, x: &[f64]) {
        let n = scaling.scale.len();
        for left in self.left.chunks_mut((self.n_rows * n).max(1)) {
            left.iter_mut().zip(x).for_each(|(left, x)| *left -= x);
        }
        for (sizes, x) in self.sizes.iter_mut().zip(x.chunks((PROBES * n).max(1))) {
            sizes.x = root_mean(x);
            let mut difference = x.to_vec();
            unscale(scaling, &mut difference);
            sizes.weight = larger(sizes.weight, root_mean(&difference));
        }
    }

    /// The exact correction of the combined rows, in f64 but for the last solve.
    async fn judge<B: Backend>(
        &self,
        backend: &B,
        group: &LayerGroup,
        scaling: &Scaling,
        factorised: &Factorised<B>,
    ) -> Result<Vec<Judgement>> {
        let n = group.n();
        let residual = weigh(group, scaling, &self.left); // [n_rows, n]
        let correction = solve_rows(backend, factorised, n, &residual).await?;
        Ok(self.judgements(scaling, factorised.norm, &residual, correction))
    }

    /// What a residual and the correction that it asks for say. `residual, correction: [n_rows, n]`
    fn judgements(
        &self,
        scaling: &Scaling,
        norm_t: f64,
        residual: &[f64],
        mut correction: Vec<f64>,
    ) -> Vec<Judgement> {
        unscale(scaling, &mut correction);
        let of_weight = residual.len() / self.sizes.len().max(1);
        let judged = |(index, sizes): (usize, &Sizes)| {
            let rows = index * of_weight..(index + 1) * of_weight;
            Judgement {
                error: sizes.error(root_mean(&correction[rows.clone()])),
                row_factor: sizes.row_factor(),
                residual: ratio(root_mean(&residual[rows]), norm_t * sizes.x),
            }
        };
        self.sizes.iter().enumerate().map(judged).collect()
    }
}

/// Root of the mean square of the probes' norms.
fn root_mean(rows: &[f64]) -> f64 {
    norm(rows) / (PROBES as f64).sqrt()
}

/// ‖values‖₂, at every scale.
pub(super) fn norm(values: &[f64]) -> f64 {
    let squares = sums::squares(values);
    if squares >= LEAST_SQUARES && squares.is_finite() {
        return squares.sqrt();
    }
    let exponent = largest_exponent(values);
    let mut usual = values.to_vec();
    scale_by(-exponent, &mut usual);
    let mut size = [sums::squares(&usual).sqrt()];
    scale_by(exponent, &mut size);
    size[0]
}

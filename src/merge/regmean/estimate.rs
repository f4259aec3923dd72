//! How good a solution is: the condition of T, and the error of X̂ by random probes.
//!
//! For a random sign vector y, E‖yᵀM‖² = ‖M‖_F² for any matrix M. Taking M = R̂(X̂) T⁻¹, the exact
//! correction of X̂, costs O(n² + mn) per probe: the residual is formed in f64 from the stored
//! bytes, and only the last solve uses the factor that is being judged.

mod combine;
mod lines;
mod signs;
#[cfg(test)]
mod tests;
mod weigh;

use combine::{Sizes, combine};
use signs::Signs;
use weigh::weigh;

use super::factor::Factorised;
use super::layer::LayerGroup;
use super::scaling::Scaling;
use crate::Result;
use crate::backend::Backend;
use crate::dtype::Real;
use crate::merge::sums;

/// Sign vectors per weight. Even for an error of rank one, eight of them see less than half of it
/// in one case of fifty.
const PROBES: usize = 8;
/// Steps of the power iteration: the order of magnitude is wanted, not digits.
const POWER_STEPS: usize = 3;
const POWER_ROWS: usize = 4;

/// Shorter rows may vanish in f32.
const LEAST_SIZE: f64 = 1e-30;

/// What the probes say about one weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Judgement {
    /// ‖X − X*‖_F / ‖A + X‖_F, estimated.
    pub error: f64,
    /// ‖R̂(X̂)‖_F / (‖T‖ ‖X̂‖_F), estimated.
    pub residual: f64,
}

/// Estimates ‖T‖ ‖T⁻¹‖ by power iteration with the factor.
///
/// # Errors
/// As the backend's.
pub async fn condition<B: Backend>(
    backend: &B,
    factorised: &Factorised<B>,
    n: usize,
) -> Result<f64> {
    let mut signs = Signs::new(1);
    let mut rows: Vec<f64> = (0..POWER_ROWS * n).map(|_| signs.next()).collect();
    let mut growth = 0.0;
    for _ in 0..POWER_STEPS {
        rows.chunks_mut(n.max(1)).for_each(normalise);
        rows = solve_rows(backend, &factorised.factor, n, &rows).await?;
        growth = rows.chunks(n.max(1)).map(norm).fold(0.0, f64::max);
    }
    Ok(factorised.norm * growth)
}

/// Rows · T⁻¹ in the backend's arithmetic. `rows: [m, n]`.
async fn solve_rows<B: Backend>(
    backend: &B,
    factor: &B::Factor,
    n: usize,
    rows: &[f64],
) -> Result<Vec<f64>> {
    let m = rows.len() / n.max(1);
    let values = rows.iter().map(|value| B::Scalar::from_f64(*value)).collect();
    let mut x = backend.upload(m, n, values).await?;
    backend.solve(factor, &mut x).await?;
    Ok(backend.download(x).await?.into_iter().map(Real::to_f64).collect())
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
    let x = solve_rows(backend, &factorised.factor, group.n(), &rows).await?;
    probes.subtract(group.n(), &x);
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

/// yᵀ(Ŵ_i − Â − X̂) for every model, weight and sign vector y.
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
    fn subtract(&mut self, n: usize, x: &[f64]) {
        for left in self.left.chunks_mut((self.n_rows * n).max(1)) {
            left.iter_mut().zip(x).for_each(|(left, x)| *left -= x);
        }
        for (sizes, x) in self.sizes.iter_mut().zip(x.chunks((PROBES * n).max(1))) {
            sizes.x = root_mean(x);
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
        let mut correction = solve_rows(backend, &factorised.factor, n, &residual).await?;
        refuse_short(n, factorised.norm, &residual, &mut correction);
        unscale(scaling, &mut correction);
        let judged = |(index, sizes): (usize, &Sizes)| {
            let rows = index * PROBES * n..(index + 1) * PROBES * n;
            Judgement {
                error: ratio(root_mean(&correction[rows.clone()]), sizes.weight),
                residual: ratio(root_mean(&residual[rows]), factorised.norm * sizes.x),
            }
        };
        Ok(self.sizes.iter().enumerate().map(judged).collect())
    }
}

/// ‖r T⁻¹‖ ≥ ‖r‖ / ‖T‖ for every row r: what is clearly shorter was not solved for, and becomes NaN.
/// Else a device that answers with zeros would find every error to be zero. Nor is anything solved
/// where a size is NaN.
fn refuse_short(n: usize, norm_t: f64, rows: &[f64], solved: &mut [f64]) {
    for (row, solved) in rows.chunks(n.max(1)).zip(solved.chunks_mut(n.max(1))) {
        let size = norm(row);
        let is_sound = size <= LEAST_SIZE || norm(solved) >= 0.5 * size / norm_t;
        if !is_sound {
            solved.fill(f64::NAN);
        }
    }
}

/// Root of the mean square of the probes' norms.
fn root_mean(rows: &[f64]) -> f64 {
    norm(rows) / (PROBES as f64).sqrt()
}

/// ‖values‖₂.
pub(super) fn norm(values: &[f64]) -> f64 {
    sums::squares(values).sqrt()
}

fn normalise(row: &mut [f64]) {
    let size = norm(row);
    if size > 0.0 {
        row.iter_mut().for_each(|value| *value /= size);
    }
}

//! How good a solution is: the condition of T, and the error of X̂ by random probes.
//!
//! For a random sign vector y, E‖yᵀM‖² = ‖M‖_F² for any matrix M. Taking M = R̂(X̂) T⁻¹, the exact
//! correction of X̂, costs O(n² + mn) per probe: the residual is formed in f64 from the stored
//! bytes, and only the last solve uses the factor that is being judged.
//!
//! A factor of a nearly singular T knows nothing of the directions that rounding made of it, and would
//! judge itself good there. So the condition is not taken from the factor alone: the direction in
//! which its inverse is largest is weighed with the stored Grams, in f64.

mod combine;
mod doubled;
mod lines;
mod signs;
#[cfg(test)]
mod tests;
mod weigh;

use combine::{Sizes, combine};
pub(super) use doubled::judge_doubled;
use signs::Signs;
use weigh::weigh;

use super::factor::{self, Factorised};
use super::layer::LayerGroup;
use super::scaling::Scaling;
use crate::Result;
use crate::backend::Backend;
use crate::dtype::Real;
use crate::merge::powers::{largest_exponent, scale_by};
use crate::merge::report::larger;
use crate::merge::sums;

/// Sign vectors per weight. Even for an error of rank one, eight of them see less than half of it
/// in one case of fifty.
const PROBES: usize = 8;
/// Steps of the power iteration: the order of magnitude is wanted, not digits.
const POWER_STEPS: usize = 3;
const POWER_ROWS: usize = 4;
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
    let mut rows: Vec<f64> = (0..POWER_ROWS * n).map(|_| signs.next()).collect();
    let mut growth = 0.0;
    for _ in 0..POWER_STEPS {
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

/// Rows · T⁻¹ in the backend's arithmetic. `rows: [m, n]`
///
/// Rows are brought near 1 for it, by powers of two: short ones would vanish in f32. ‖r T⁻¹‖ ≥ ‖r‖ / ‖T‖
/// for every row r: what is clearly shorter was not solved for, and becomes NaN. Else a device that
/// answers with zeros would find every error to be zero. Nor is anything solved where a size is NaN.
async fn solve_rows<B: Backend>(
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

/// Fills with NaN what is shorter than `rows` · T⁻¹ can be. `rows, solved: [m, n]`
fn refuse_short(n: usize, norm_t: f64, rows: &[f64], solved: &mut [f64]) {
    for (row, solved) in rows.chunks(n.max(1)).zip(solved.chunks_mut(n.max(1))) {
        let size = norm(row);
        let is_sound = size == 0.0 || norm(solved) >= 0.5 * size / norm_t;
        if !is_sound {
            solved.fill(f64::NAN);
        }
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

fn normalise(row: &mut [f64]) {
    let size = norm(row);
    if size > 0.0 {
        row.iter_mut().for_each(|value| *value /= size);
    }
}

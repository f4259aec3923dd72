//! T = Σ Ĝ_i, its Cholesky factor, and a bound on its norm.

use super::assembly;
use super::layer::LayerGroup;
use super::scaled_gram::ScaledGram;
use super::scaling::Scaling;
use crate::Result;
use crate::backend::{Backend, NotPositive};
use crate::tensor::dtype::Real;
use crate::tensor::extremes::{larger, smaller};
use crate::tensor::sums;

/// T = Σ Ĝ_i + floor · diag, factorised, with a bound on ‖T‖₂.
pub struct Factorised<B: Backend> {
    /// T = L Lᵀ.
    pub factor: B::Factor,
    /// An upper bound on ‖T‖₂: the smaller of its ∞-norm and Frobenius norm.
    pub norm: f64,
}

/// Sums the scaled Grams and factorises the sum.
///
/// # Errors
/// As the backend's. A sum that is not positive definite is an answer.
pub async fn factorise<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    floor: f64,
) -> Result<Result<Factorised<B>, NotPositive>> {
    let n = group.n();
    let mut norm = None;
    let in_memory = || {
        let (sum, bound) = scaled_sum::<B>(group, scaling, floor);
        norm = Some(bound);
        sum
    };
    let stored = || assembly::sum(group, scaling, floor);
    let sum = backend.assemble([n, n], stored, in_memory).await?;
    let norm = match norm {
        Some(norm) => norm,
        None => backend.norm_bound(&sum).await?,
    };
    Ok(backend.cholesky(sum).await?.map(|factor| Factorised { factor, norm }))
}

/// T_jj without a floor: near 1 but for features that no Gram saw.
pub(super) fn diagonal(group: &LayerGroup, scaling: &Scaling, j: usize) -> f64 {
    ScaledGram::all(group, scaling).map(|term| term.diagonal(j)).sum()
}

/// The lower triangle of T, `[n, n]`, and a bound on ‖T‖₂.
fn scaled_sum<B: Backend>(
    group: &LayerGroup,
    scaling: &Scaling,
    floor: f64,
) -> (Vec<B::Scalar>, f64) {
    let n = group.n();
    let terms = ScaledGram::all(group, scaling);
    let mut sum = vec![B::Scalar::default(); n * n];
    let mut norms = Norms::new(n);
    let mut total = vec![0.0; n];
    for (i, line) in sum.chunks_mut(n.max(1)).enumerate() {
        total[..i].fill(0.0);
        terms.clone().for_each(|term| term.add_left(i, &mut total[..i]));
        let on_diagonal = diagonal(group, scaling, i) * (1.0 + floor);
        total[i] = if scaling.dead[i] { 1.0 } else { on_diagonal };
        norms.add(&total[..=i]);
        for (stored, value) in line.iter_mut().zip(&total[..=i]) {
            *stored = B::Scalar::from_f64(*value);
        }
    }
    (sum, norms.bound())
}

/// Row sums and squares of a symmetric matrix of which the lower triangle is seen.
struct Norms {
    row_sums: Vec<f64>,
    squares: f64,
}

impl Norms {
    fn new(n: usize) -> Self {
        Self { row_sums: vec![0.0; n], squares: 0.0 }
    }

    /// Takes the next row up to and with its diagonal.
    fn add(&mut self, lower: &[f64]) {
        let Some((diagonal, left)) = lower.split_last() else { return };
        for (sum, value) in self.row_sums.iter_mut().zip(left) {
            *sum += value.abs();
        }
        self.row_sums[left.len()] += sums::absolute(left) + diagonal.abs();
        self.squares += 2.0 * sums::squares(left) + diagonal * diagonal;
    }

    fn bound(&self) -> f64 {
        let largest = self.row_sums.iter().copied().fold(0.0, larger);
        smaller(largest, self.squares.sqrt())
    }
}

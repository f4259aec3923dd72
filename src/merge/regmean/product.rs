//! The two sums over models: T = Σ Ĝ_i, and R̂(X̂) = Σ (Ŵ_i − Â − X̂) Ĝ_i, by panels.
//!
//! Hats are scaled variables. With s_j a power of two near 1/√S_jj, Ĝ = diag(s) G̃ diag(s) has a
//! diagonal near 1 and X̂ = X diag(1/s), so that X̂ T = R̂. Powers of two round nothing, and
//! nothing overflows in f32 at any scale of the inputs. A feature that no model has ever seen
//! (S_jj = 0) gets s_j = 1 and a unit diagonal.

use std::ops::Range;

use super::assembly;
use super::layer::LayerGroup;
use crate::Result;
use crate::backend::{Backend, NotPositive};
use crate::dtype::Real;
use crate::merge::sums;

/// Rows of Ĝ that are widened and multiplied at once.
const PANEL: usize = 256;

/// The scaling of one group.
#[derive(Debug, Clone)]
pub struct Scaling {
    /// s_j. `[n]`
    pub scale: Vec<f64>,
    /// Features that no Gram saw.
    pub dead: Vec<bool>,
}

impl Scaling {
    /// s_j ≈ 1/√S_jj, rounded to a power of two.
    pub fn of(group: &LayerGroup) -> Self {
        let diagonal = |j: usize| -> f64 {
            group.shares.iter().zip(&group.grams).map(|(c, gram)| c * gram.diagonal()[j]).sum()
        };
        let diagonal: Vec<f64> = (0..group.n()).map(diagonal).collect();
        let dead: Vec<bool> = diagonal.iter().map(|d| *d <= 0.0).collect();
        let scale = diagonal.iter().map(|d| power_of_two(*d)).collect();
        Self { scale, dead }
    }

    /// How many features no Gram saw.
    pub fn n_dead(&self) -> usize {
        self.dead.iter().filter(|dead| **dead).count()
    }
}

fn power_of_two(diagonal: f64) -> f64 {
    if diagonal > 0.0 { (-0.5 * diagonal.log2()).round().exp2() } else { 1.0 }
}

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

/// The lower triangle of T, `[n, n]`, and a bound on ‖T‖₂.
fn scaled_sum<B: Backend>(
    group: &LayerGroup,
    scaling: &Scaling,
    floor: f64,
) -> (Vec<B::Scalar>, f64) {
    let n = group.n();
    let mut sum = vec![B::Scalar::default(); n * n];
    let mut norms = Norms::new(n);
    let (mut row, mut total) = (vec![0.0; n], vec![0.0; n]);
    for i in 0..n {
        total[..=i].fill(0.0);
        for model in 0..group.grams.len() {
            group.grams[model].read_lower(i, &mut row[..=i]);
            group.shrink(model, &scaling.scale, i, &mut row[..=i]);
            total[..=i].iter_mut().zip(&row).for_each(|(sum, value)| *sum += value);
        }
        total[i] = if scaling.dead[i] { 1.0 } else { total[i] * (1.0 + floor) };
        norms.add(i, &total[..=i]);
        for (stored, value) in sum[i * n..].iter_mut().zip(&total[..=i]) {
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

    /// Takes row `i` up to and with its diagonal.
    fn add(&mut self, i: usize, lower: &[f64]) {
        let off_diagonal = &lower[..i];
        self.row_sums[i] += sums::absolute(lower);
        for (sum, value) in self.row_sums.iter_mut().zip(off_diagonal) {
            *sum += value.abs();
        }
        self.squares += sums::squares(lower) + sums::squares(off_diagonal);
    }

    fn bound(&self) -> f64 {
        self.row_sums.iter().fold(0.0, |a: f64, b| a.max(*b)).min(self.squares.sqrt())
    }
}

/// Σ_i B_i Ĝ_i with `B_i: [m, n]` given by column panels: `fill(model, cols, panel)` writes
/// `B_i[:, cols]` as `[m, cols]`, or returns false where B_i is zero.
///
/// # Errors
/// As the backend's.
pub async fn weighted_sum<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    m: usize,
    mut fill: impl FnMut(usize, Range<usize>, &mut [B::Scalar]) -> bool,
) -> Result<B::Matrix> {
    let n = group.n();
    let mut sum = backend.zeros(m, n).await?; // [m, n]
    for model in 0..group.grams.len() {
        for start in (0..n).step_by(PANEL) {
            let cols = start..n.min(start + PANEL);
            let mut left = vec![B::Scalar::default(); m * cols.len()]; // [m, cols]
            if !fill(model, cols.clone(), &mut left) {
                continue;
            }
            let left = backend.upload(m, cols.len(), left).await?;
            let right = gram_rows(backend, group, scaling, model, cols).await?;
            backend.multiply_add(&mut sum, &left, &right).await?;
        }
    }
    Ok(sum)
}

/// Rows `rows` of Ĝ_i, `[rows, n]`.
async fn gram_rows<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    model: usize,
    rows: Range<usize>,
) -> Result<B::Matrix> {
    let n = group.n();
    let in_memory = || {
        let mut values = Vec::with_capacity(rows.len() * n);
        group.grams[model].for_rows(rows.clone(), |row, line| {
            group.shrink(model, &scaling.scale, row, line);
            values.extend(line.iter().map(|value| B::Scalar::from_f64(*value)));
        });
        values
    };
    let stored = || assembly::gram(group, scaling, model, rows.clone());
    backend.assemble([rows.len(), n], stored, in_memory).await
}

/// (Ŵ_i − Â)[rows, cols]
async fn differences<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    model: usize,
    rows: &Range<usize>,
    cols: Range<usize>,
) -> Result<B::Matrix> {
    let shape = [rows.len(), cols.len()];
    let whole = cols == (0..group.n());
    let in_memory = || {
        let mut values = vec![B::Scalar::default(); shape[0] * shape[1]];
        add_differences(group, scaling, model, rows.clone(), cols, &mut values);
        values
    };
    let stored = || if whole { assembly::difference(group, scaling, model, rows) } else { None };
    backend.assemble(shape, stored, in_memory).await
}

/// R̂(X̂) = Σ_i (Ŵ_i − Â − X̂) Ĝ_i of all rows. `x: [m, n]`
///
/// # Errors
/// As the backend's.
pub async fn residual<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    x: &[B::Scalar],
) -> Result<B::Matrix> {
    let m = group.n_rows();
    weighted_sum(backend, group, scaling, m, |model, cols, panel| {
        for (row, x) in panel.chunks_mut(cols.len()).zip(x.chunks(group.n())) {
            row.iter_mut().zip(&x[cols.clone()]).for_each(|(value, x)| *value = -*x);
        }
        add_differences(group, scaling, model, 0..m, cols, panel);
        true
    })
    .await
}

/// R̂(0) of the rows in `rows`. `[rows, n]`
///
/// # Errors
/// As the backend's.
pub async fn right_hand_side<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    rows: &Range<usize>,
) -> Result<B::Matrix> {
    let n = group.n();
    let mut sum = backend.zeros(rows.len(), n).await?; // [rows, n]
    for model in 1..group.grams.len() {
        for start in (0..n).step_by(B::PANEL.min(n).max(1)) {
            let cols = start..n.min(start.saturating_add(B::PANEL));
            let left = differences(backend, group, scaling, model, rows, cols.clone()).await?;
            let right = gram_rows(backend, group, scaling, model, cols).await?;
            backend.multiply_add(&mut sum, &left, &right).await?;
        }
    }
    Ok(sum)
}

/// Whether it is shorter to solve for the group's m rows than for its Grams.
///
/// With k further models, solving for the rows costs 2 m n² (k + 1), and solving for the Grams,
/// P_i = Ĝ_i T⁻¹ and X̂ = Σ (Ŵ_i − Â) P_i, costs 2 n² k (n + m).
pub fn solves_rows(group: &LayerGroup) -> bool {
    group.n_rows() <= (group.grams.len() - 1) * group.n()
}

/// X̂ = R̂(0) T⁻¹ of the rows in `rows`, `[rows, n]`, by the order that is shorter for the group.
///
/// # Errors
/// As the backend's.
pub async fn solution<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    factor: &B::Factor,
    rows: Range<usize>,
) -> Result<B::Matrix> {
    if solves_rows(group) {
        let mut x = right_hand_side(backend, group, scaling, &rows).await?;
        backend.solve(factor, &mut x).await?;
        return Ok(x);
    }
    let (m, n) = (rows.len(), group.n());
    let mut x = backend.zeros(m, n).await?;
    for model in 1..group.grams.len() {
        let mut p = gram_rows(backend, group, scaling, model, 0..n).await?; // [n, n]
        backend.solve(factor, &mut p).await?;
        let left = differences(backend, group, scaling, model, &rows, 0..n).await?; // [m, n]
        backend.multiply_add(&mut x, &left, &p).await?;
    }
    Ok(x)
}

/// panel ← panel + (Ŵ_i − Â)[rows, cols].
fn add_differences<T: Real>(
    group: &LayerGroup,
    scaling: &Scaling,
    model: usize,
    rows: Range<usize>,
    cols: Range<usize>,
    panel: &mut [T], // [rows, cols]
) {
    let width = cols.len();
    let (mut own, mut anchor) = (vec![0.0; width], vec![0.0; width]);
    if model == 0 {
        return;
    }
    for ((_, weight, row), line) in group.rows_in(rows).zip(panel.chunks_mut(width)) {
        weight.read(model, row, cols.clone(), &mut own);
        weight.read(0, row, cols.clone(), &mut anchor);
        for (j, value) in line.iter_mut().enumerate() {
            let difference = (own[j] - anchor[j]) / scaling.scale[cols.start + j];
            *value = T::from_f64(value.to_f64() + difference);
        }
    }
}

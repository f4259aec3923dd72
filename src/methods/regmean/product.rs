//! Products with Gram matrices, by panels: R̂(X̂) = Σ (Ŵ_i − Â − X̂) Ĝ_i, and X̂ = R̂(0) T⁻¹.

use std::ops::Range;

use super::assembly;
use super::layer::LayerGroup;
use super::scaled_gram::ScaledGram;
use super::scaling::Scaling;
use crate::Result;
use crate::backend::Backend;
use crate::tensor::dtype::Real;

/// Rows `rows` of Ĝ_i, `[rows, n]`.
async fn gram_rows<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    model: usize,
    rows: Range<usize>,
) -> Result<B::Matrix> {
    let n = group.n();
    let in_memory = || ScaledGram::of(group, scaling, model).rows(rows.clone());
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

/// R̂(X̂) = Σ_i (Ŵ_i − Â − X̂) Ĝ_i of all rows, in f64. `x: [m, n]`
///
/// # Errors
/// As the backend's.
pub async fn residual<D: Backend<Scalar = f64>>(
    double: &D,
    group: &LayerGroup,
    scaling: &Scaling,
    x: &[f64],
) -> Result<D::Matrix> {
    let (m, n) = (group.n_rows(), group.n());
    let mut sum = double.zeros(m, n).await?; // [m, n]
    for model in 0..group.grams.len() {
        for start in (0..n).step_by(D::PANEL.min(n).max(1)) {
            let cols = start..n.min(start.saturating_add(D::PANEL));
            let mut left = Vec::with_capacity(m * cols.len()); // [m, cols]
            for x in x.chunks(n) {
                left.extend(x[cols.clone()].iter().map(|x| -x));
            }
            add_differences(group, scaling, model, 0..m, cols.clone(), &mut left);
            let left = double.upload(m, cols.len(), left).await?;
            let right = gram_rows(double, group, scaling, model, cols).await?;
            double.multiply_add(&mut sum, &left, &right).await?;
        }
    }
    Ok(sum)
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
pub fn solves_rows(group: &LayerGroup) -> bool {
    rows_are_shorter(group.n() as u64, group.n_rows() as u64, group.grams.len() as u64)
}

/// The same of sizes alone.
///
/// With k further models, solving for the rows costs 2 m n² (k + 1), and solving for the Grams,
/// P_i = Ĝ_i T⁻¹ and X̂ = Σ (Ŵ_i − Â) P_i, costs 2 n² k (n + m).
pub(crate) fn rows_are_shorter(n: u64, n_rows: u64, n_models: u64) -> bool {
    n_rows <= n_models.saturating_sub(1).saturating_mul(n)
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
            let difference = (own[j] - anchor[j]) * scaling.inverse[cols.start + j];
            *value = T::from_f64(value.to_f64() + difference);
        }
    }
}

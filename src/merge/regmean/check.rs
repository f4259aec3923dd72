//! How far a finished weight is from the solution: one Newton step, in f64.

use super::estimate::{self, norm, ratio};
use super::factor::{self, Factorised};
use super::layer::LayerGroup;
use super::product;
use super::scaling::Scaling;
use super::solve::{MAX_CONDITION_F64, factorise_with_floor};
use crate::Result;
use crate::backend::Backend;
use crate::dtype::decode;
use crate::merge::plan::Orientation;

/// What a check found about one weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// ‖R(X) S⁻¹‖ / ‖W‖.
    pub error: f64,
    /// ‖R̂(X̂)‖ / (‖T‖ ‖Ŵ‖).
    pub residual: f64,
}

/// Checks the group's merged weights, raw bytes in the output dtype and orientation.
///
/// # Errors
/// As the backend's, and `Numeric` as when solving.
pub async fn check<D: Backend<Scalar = f64>>(
    double: &D,
    group: &LayerGroup,
    merged: &[Vec<u8>],
) -> Result<Vec<Checked>> {
    let scaling = Scaling::of(group);
    let n = group.n();
    let weights = scaled_weights(group, &scaling, merged); // [m, n]
    let mut x = weights.clone();
    subtract_anchor(group, &scaling, &mut x);
    let residual = product::residual(double, group, &scaling, &x).await?;
    let mut residual = double.download(residual).await?;
    set_dead(group, &scaling, &x, &mut residual);
    let factorised = factor(double, group, &scaling).await?;
    let mut step = double.upload(group.n_rows(), n, residual.clone()).await?;
    double.solve(&factorised.factor, &mut step).await?;
    let step = double.download(step).await?;
    let mut start = 0;
    let checked = |weight: &super::Weight| {
        let rows = start..start + weight.n_out() * n;
        start = rows.end;
        let whole = size(&weights[rows.clone()], &scaling);
        Checked {
            error: ratio(size(&step[rows.clone()], &scaling), whole),
            residual: ratio(norm(&residual[rows.clone()]), factorised.norm * norm(&weights[rows])),
        }
    };
    Ok(group.weights.iter().map(checked).collect())
}

/// A factor with digits: with a floor where the plain one has none.
async fn factor<D: Backend<Scalar = f64>>(
    double: &D,
    group: &LayerGroup,
    scaling: &Scaling,
) -> Result<Factorised<D>> {
    if let Ok(plain) = factor::factorise(double, group, scaling, 0.0).await?
        && estimate::condition(double, group, scaling, &plain, 0.0).await? <= MAX_CONDITION_F64
    {
        return Ok(plain);
    }
    Ok(factorise_with_floor(double, group, scaling).await?.factorised)
}

/// Features that no Gram saw are in no product: their equation is X_j = (W̄ − A)_j.
fn set_dead(group: &LayerGroup, scaling: &Scaling, x: &[f64], residual: &mut [f64]) {
    let n = group.n();
    let mut mean = vec![0.0; n];
    let rows = x.chunks(n.max(1)).zip(residual.chunks_mut(n.max(1)));
    for ((_, weight, row), (x, residual)) in group.rows().zip(rows) {
        group.mean_difference(weight, row, &mut mean);
        for j in (0..n).filter(|j| scaling.dead[*j]) {
            residual[j] = mean[j] * scaling.inverse[j] - x[j];
        }
    }
}

/// ‖X̂ diag(s)‖_F.
fn size(rows: &[f64], scaling: &Scaling) -> f64 {
    let squares = |row: &[f64]| -> f64 {
        row.iter().zip(&scaling.scale).map(|(value, s)| (value * s).powi(2)).sum()
    };
    rows.chunks(scaling.scale.len().max(1)).map(squares).sum::<f64>().sqrt()
}

/// Ŵ of the output. `[m, n]`
fn scaled_weights(group: &LayerGroup, scaling: &Scaling, merged: &[Vec<u8>]) -> Vec<f64> {
    let n = group.n();
    let mut rows = Vec::with_capacity(group.n_rows() * n);
    for (weight, bytes) in group.weights.iter().zip(merged) {
        let n_out = weight.n_out();
        let mut values = vec![0.0; n_out * n];
        for (index, value) in decode(weight.dtype_out, bytes).into_iter().enumerate() {
            let place = match weight.orientation {
                Orientation::OutIn => index,
                Orientation::InOut => (index % n_out) * n + index / n_out,
            };
            values[place] = value * weight.magnify * scaling.inverse[place % n];
        }
        rows.extend(values);
    }
    rows
}

fn subtract_anchor(group: &LayerGroup, scaling: &Scaling, x: &mut [f64]) {
    let n = group.n();
    let mut anchor = vec![0.0; n];
    for ((_, weight, row), line) in group.rows().zip(x.chunks_mut(n.max(1))) {
        weight.read(0, row, 0..n, &mut anchor);
        for (j, value) in line.iter_mut().enumerate() {
            *value = (*value * scaling.scale[j] - anchor[j]) * scaling.inverse[j];
        }
    }
}

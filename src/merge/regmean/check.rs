//! How far a finished weight is from the solution: one Newton step, in f64.

use super::estimate::{norm, ratio};
use super::layer::LayerGroup;
use super::product::{self, Scaling};
use super::solve::factorise_with_floor;
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
    let residual = product::residual(double, group, &scaling, Some(&x)).await?;
    let residual = double.download(residual).await?;
    let factorised = match product::factorise(double, group, &scaling, 0.0).await? {
        Ok(factorised) => factorised,
        Err(_) => factorise_with_floor(double, group, &scaling).await?.factorised,
    };
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
            values[place] = value / scaling.scale[place % n];
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
            *value = (*value * scaling.scale[j] - anchor[j]) / scaling.scale[j];
        }
    }
}

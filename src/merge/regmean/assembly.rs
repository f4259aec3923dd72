//! The matrices of a group put together on the device, where the backend offers it and the stored
//! numbers are no wider than its own.

use std::borrow::Cow;
use std::ops::Range;

use super::layer::{Gram, LayerGroup, Weight};
use super::product::Scaling;
use crate::Result;
use crate::backend::Backend;
use crate::backend::stored::{Rows, ScaledDifference, ScaledSum, StoredRows};
use crate::dtype::{Dtype, encode};
use crate::merge::plan::Orientation;

impl StoredRows for Gram {
    fn rows(&self, rows: Range<usize>) -> Rows<'_> {
        match self.stored_rows(rows.clone()) {
            Some((dtype, bytes)) => Rows { dtype, bytes: Cow::Borrowed(bytes) },
            None => widened(self.n(), rows, |row, out| self.read(row, 0..out.len(), out)),
        }
    }
}

/// One model's weight, as `[out, in]`.
struct Own<'a> {
    weight: &'a Weight,
    model: usize,
}

impl StoredRows for Own<'_> {
    fn rows(&self, rows: Range<usize>) -> Rows<'_> {
        let Self { weight, model } = *self;
        let stored = &weight.stored[model];
        match weight.orientation {
            Orientation::OutIn => {
                Rows { dtype: stored.dtype, bytes: Cow::Borrowed(stored.bytes_of_rows(rows)) }
            }
            Orientation::InOut => widened(stored.rows, rows, |row, out| {
                weight.read(model, row, 0..out.len(), out);
            }),
        }
    }
}

/// Rows that `read` gives, in f32. They are stored in f32 or less, so nothing is lost but the last
/// bit of a mean.
fn widened(n: usize, rows: Range<usize>, read: impl Fn(usize, &mut [f64])) -> Rows<'static> {
    let mut bytes = vec![0; rows.len() * n * 4];
    let mut line = vec![0.0; n];
    for (row, out) in rows.zip(bytes.chunks_mut((n * 4).max(1))) {
        read(row, &mut line);
        encode(Dtype::F32, line.iter().copied(), out);
    }
    Rows { dtype: Dtype::F32, bytes: Cow::Owned(bytes) }
}

/// Whether the backend puts this group's matrices together: f32 has to hold all that is stored.
pub(super) fn is_for<B: Backend>(group: &LayerGroup) -> bool {
    B::ASSEMBLES && is_narrow(group)
}

fn is_narrow(group: &LayerGroup) -> bool {
    let weights = group.weights.iter().flat_map(|weight| &weight.stored);
    let mut dtypes = weights.map(|stored| stored.dtype);
    let narrow = |dtype: Dtype| dtype != Dtype::F64;
    dtypes.all(narrow) && group.grams.iter().all(|gram| narrow(gram.dtype()))
}

/// T, its diagonal multiplied with `1 + floor`, and a bound on ‖T‖₂.
pub(super) async fn sum<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    floor: f64,
) -> Result<(B::Matrix, f64)> {
    let diagonal = (0..group.n()).map(|j| match scaling.dead[j] {
        true => 1.0,
        false => {
            let terms = (0..group.grams.len()).map(|model| diagonal(group, scaling, model, j));
            terms.sum::<f64>() * (1.0 + floor)
        }
    });
    let sum = ScaledSum {
        rows: 0..group.n(),
        scale: &scaling.scale,
        terms: (0..group.grams.len()).map(|model| term(group, model)).collect(),
        diagonal: diagonal.collect(),
    };
    let sum = backend.scaled_sum(&sum).await?;
    let [largest, frobenius] = backend.norms(&sum).await?;
    Ok((sum, largest.min(frobenius)))
}

/// Rows `rows` of Ĝ_i.
pub(super) async fn gram<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    model: usize,
    rows: Range<usize>,
) -> Result<B::Matrix> {
    let sum = ScaledSum {
        rows,
        scale: &scaling.scale,
        terms: vec![term(group, model)],
        diagonal: (0..group.n()).map(|j| diagonal(group, scaling, model, j)).collect(),
    };
    backend.scaled_sum(&sum).await
}

/// Rows `rows` of Ŵ_i − Â.
pub(super) async fn difference<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    model: usize,
    rows: Range<usize>,
) -> Result<B::Matrix> {
    let of = |model: usize| group.weights.iter().map(move |weight| Own { weight, model });
    let (own, anchors): (Vec<Own<'_>>, Vec<Own<'_>>) = (of(model).collect(), of(0).collect());
    let mut pieces: Vec<(&dyn StoredRows, &dyn StoredRows, Range<usize>)> = Vec::new();
    let mut start = 0;
    for (own, anchor) in own.iter().zip(&anchors) {
        let end = start + own.weight.n_out();
        let inside = rows.start.max(start)..rows.end.min(end);
        if !inside.is_empty() {
            pieces.push((own, anchor, inside.start - start..inside.end - start));
        }
        start = end;
    }
    backend.scaled_difference(&ScaledDifference { scale: &scaling.scale, pieces }).await
}

/// R̂(0) of the rows in `rows`.
pub(super) async fn right_hand_side<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    rows: &Range<usize>,
) -> Result<B::Matrix> {
    let n = group.n();
    let mut sum = backend.zeros(rows.len(), n).await?;
    for model in 1..group.grams.len() {
        let left = difference(backend, group, scaling, model, rows.clone()).await?;
        let right = gram(backend, group, scaling, model, 0..n).await?;
        backend.multiply_add(&mut sum, &left, &right).await?;
    }
    Ok(sum)
}

fn term(group: &LayerGroup, model: usize) -> (f64, &dyn StoredRows) {
    let gram = &group.grams[model];
    (group.shares[model] * group.alpha * gram.scale(), gram)
}

/// (Ĝ_i)_jj
fn diagonal(group: &LayerGroup, scaling: &Scaling, model: usize, j: usize) -> f64 {
    group.shares[model] * group.grams[model].diagonal()[j] * scaling.scale[j].powi(2)
}

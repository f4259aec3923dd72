//! How a device can put a group's matrices together itself. `None` where the stored numbers are
//! wider than its own.

use std::borrow::Cow;
use std::ops::Range;

use super::factor;
use super::layer::{LayerGroup, Weight};
use super::scaled_gram::ScaledGram;
use super::scaling::Scaling;
use crate::backend::stored::{Assembly, Piece, Rows, ScaledDifference, ScaledSum, StoredRows};
use crate::gram::Gram;
use crate::tensor::Orientation;
use crate::tensor::dtype::{Dtype, encode};

impl StoredRows for Gram {
    fn rows(&self, rows: Range<usize>) -> Rows<'_> {
        Rows { dtype: self.dtype(), bytes: Cow::Owned(self.stored_rows(rows)) }
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
            Orientation::InOut => widened(weight, model, rows),
        }
    }
}

/// Rows of a weight that is stored turned, in f32: it is stored in f32 or less, so nothing is lost.
fn widened(weight: &Weight, model: usize, rows: Range<usize>) -> Rows<'static> {
    let n = weight.stored[model].rows;
    let mut bytes = vec![0; rows.len() * n * 4];
    let mut line = vec![0.0; n];
    for (row, out) in rows.zip(bytes.chunks_mut((n * 4).max(1))) {
        weight.read(model, row, 0..n, &mut line);
        encode(Dtype::F32, line.iter().copied(), out);
    }
    Rows { dtype: Dtype::F32, bytes: Cow::Owned(bytes) }
}

/// Whether f32 holds all that is stored, as it is stored.
fn is_narrow(group: &LayerGroup, scaling: &Scaling) -> bool {
    let weights = group.weights.iter().flat_map(|weight| &weight.stored);
    let grams = group.grams.iter().map(Gram::dtype);
    scaling.is_narrow()
        && group.weights.iter().all(|weight| weight.magnify == 1.0)
        && weights.map(|stored| stored.dtype).chain(grams).all(|dtype| dtype != Dtype::F64)
}

/// T, its diagonal multiplied with `1 + floor`.
pub(super) fn sum<'a>(
    group: &'a LayerGroup,
    scaling: &'a Scaling,
    floor: f64,
) -> Option<Assembly<'a>> {
    let total = |j| factor::diagonal(group, scaling, j) * (1.0 + floor);
    let on_diagonal = |j| if scaling.dead[j] { 1.0 } else { total(j) };
    is_narrow(group, scaling).then(|| {
        Assembly::Sum(ScaledSum {
            rows: 0..group.n(),
            scale: &scaling.gram,
            terms: (0..group.grams.len()).map(|model| term(group, model)).collect(),
            diagonal: (0..group.n()).map(on_diagonal).collect(),
        })
    })
}

/// Rows `rows` of Ĝ_i.
pub(super) fn gram<'a>(
    group: &'a LayerGroup,
    scaling: &'a Scaling,
    model: usize,
    rows: Range<usize>,
) -> Option<Assembly<'a>> {
    is_narrow(group, scaling).then(|| {
        Assembly::Sum(ScaledSum {
            rows,
            scale: &scaling.gram,
            terms: vec![term(group, model)],
            diagonal: (0..group.n())
                .map(|j| ScaledGram::of(group, scaling, model).diagonal(j))
                .collect(),
        })
    })
}

/// Rows `rows` of Ŵ_i − Â, all columns.
pub(super) fn difference<'a>(
    group: &'a LayerGroup,
    scaling: &'a Scaling,
    model: usize,
    rows: &Range<usize>,
) -> Option<Assembly<'a>> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    let mut start = 0;
    for weight in &group.weights {
        let end = start + weight.n_out();
        let inside = rows.start.max(start)..rows.end.min(end);
        if !inside.is_empty() {
            let own = |model| Box::new(Own { weight, model });
            pieces.push((own(model), own(0), inside.start - start..inside.end - start));
        }
        start = end;
    }
    let difference = ScaledDifference { scale: &scaling.scale, pieces };
    is_narrow(group, scaling).then_some(Assembly::Difference(difference))
}

fn term(group: &LayerGroup, model: usize) -> (f64, &dyn StoredRows) {
    let gram = &group.grams[model];
    (group.shares[model] * group.alpha * gram.scale(), gram)
}

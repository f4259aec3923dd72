//! One model's Gram matrix of a layer's input, of which half is held.
//!
//! Invariants: every element is finite, no element of the diagonal is negative, no element is larger
//! than those of the diagonal allow, and the matrix is symmetric: one that was stored with mirrored elements that differ by rounding is the mean of both.

mod build;
mod limits;
mod strips;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use build::{GramBuilder, packed_elements};
pub use strips::STRIP;
use strips::Strips;
pub(crate) use strips::held_elements;

use crate::Result;
use crate::tensor::Stored;
use crate::tensor::dtype::Dtype;

/// One model's Gram matrix G_i = X_iᵀ X_i per row of X_i. `[n, n]`
#[derive(Debug, Clone)]
pub struct Gram {
    strips: Strips,
    dtype: Dtype,
    scale: f64,
    diagonal: Vec<f64>,
}

impl Gram {
    /// A matrix that lies in memory as a whole. `scale` turns what is stored into the mean per row.
    ///
    /// # Errors
    /// `Input` if it has a NaN, an infinity or a negative diagonal, or is not symmetric.
    pub fn full(stored: Stored, scale: f64) -> Result<Self> {
        let mut builder = GramBuilder::new(stored.rows, stored.dtype, scale)?;
        builder.push(&stored.bytes)?;
        Ok(builder.finish())
    }

    /// Input dimension.
    pub fn n(&self) -> usize {
        self.diagonal.len()
    }

    /// The diagonal as it is stored: times [`Self::scale`] it is that of G.
    pub fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    /// What stored elements are multiplied with to be means per row of X.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Element type of what is stored.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Columns `cols` of row `row`, of its own strip or left of it, as they are stored: times
    /// [`Self::scale`] they are G.
    pub fn stored(&self, row: usize, cols: Range<usize>) -> &[u8] {
        self.strips.run(row, cols)
    }

    /// Hands out whole rows as they are stored, piece by piece: `take(row, first_col, elements)`.
    pub fn for_pieces(&self, rows: Range<usize>, take: &mut dyn FnMut(usize, usize, &[u8])) {
        by_strips(rows).for_each(|rows| self.strips.pieces(rows, take));
    }

    /// Whole rows as they are stored. `[rows, n]`
    pub fn stored_rows(&self, rows: Range<usize>) -> Vec<u8> {
        let mut bytes = vec![0; rows.len() * self.n() * self.dtype.size_bytes()];
        self.for_pieces(rows.clone(), &mut |row, first, piece| {
            let start = ((row - rows.start) * self.n() + first) * self.dtype.size_bytes();
            bytes[start..start + piece.len()].copy_from_slice(piece);
        });
        bytes
    }
}

/// The parts of a range that lie in one strip each.
fn by_strips(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut next = rows.start;
    std::iter::from_fn(move || {
        let part = next..rows.end.min((next / STRIP + 1) * STRIP);
        next = part.end;
        (!part.is_empty()).then_some(part)
    })
}

//! One model's Gram matrix of a layer's input, of which half is held.
//!
//! Invariants: every element is finite, no element of the diagonal is negative, and the matrix is
//! symmetric: one that was stored with mirrored elements that differ by rounding is the mean of both.

mod build;
mod strips;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use build::{GramBuilder, packed_elements};
pub use strips::STRIP;
use strips::Strips;
pub(in crate::merge) use strips::held_elements;

use super::matrix::Stored;
use crate::Result;
use crate::dtype::{Dtype, decode_into};

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

    /// The diagonal, per row of X.
    pub fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    /// What stored elements are multiplied with to be means per row of X.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Of the stored elements.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Row `row` up to its diagonal, as it is stored: times [`Self::scale`] it is G. `out: [row + 1]`
    pub fn read_lower(&self, row: usize, out: &mut [f64]) {
        decode_into(self.dtype, self.strips.run(row, 0..out.len()), out);
    }

    /// Hands out whole rows as they are stored: `take(row, values)`, `values: [n]`.
    pub fn for_rows(&self, rows: Range<usize>, mut take: impl FnMut(usize, &mut [f64])) {
        let row_bytes = self.n() * self.dtype.size_bytes();
        let mut values = vec![0.0; self.n()];
        for rows in by_strips(rows) {
            let stored = self.stored_rows(rows.clone());
            for (row, line) in rows.zip(stored.chunks(row_bytes)) {
                decode_into(self.dtype, line, &mut values);
                take(row, &mut values);
            }
        }
    }

    /// Whole rows as they are stored. `[rows, n]`
    pub fn stored_rows(&self, rows: Range<usize>) -> Vec<u8> {
        let row_bytes = self.n() * self.dtype.size_bytes();
        let mut bytes = vec![0; rows.len() * row_bytes];
        let mut rest = &mut bytes[..];
        for rows in by_strips(rows) {
            let (block, behind) = rest.split_at_mut(rows.len() * row_bytes);
            self.strips.get(rows, block);
            rest = behind;
        }
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

//! One model's Ĝ = diag(s) G̃ diag(s) with G̃ = c (α G + (1 − α) diag G), from what is stored of G.
//!
//! Elements are widened, scaled and handed on a few at a time, so that they never leave the first
//! cache in f64.

use std::ops::Range;

use super::gram::Gram;
use super::layer::LayerGroup;
use super::scaling::Scaling;
use crate::dtype::{Real, decode_into};

/// Elements that are widened at once.
const CHUNK: usize = 256;

/// Ĝ, element by element.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScaledGram<'a> {
    gram: &'a Gram,
    share: f64,
    /// c α, times what makes a mean of what is stored.
    factor: f64,
    scale: &'a [f64],
}

impl<'a> ScaledGram<'a> {
    /// That of model `model`.
    pub(super) fn of(group: &'a LayerGroup, scaling: &'a Scaling, model: usize) -> Self {
        let (gram, share) = (&group.grams[model], group.shares[model]);
        let factor = share * group.alpha * gram.scale();
        Self { gram, share, factor, scale: &scaling.scale }
    }

    /// Those of all models.
    pub(super) fn all(
        group: &'a LayerGroup,
        scaling: &'a Scaling,
    ) -> impl Iterator<Item = Self> + Clone {
        (0..group.grams.len()).map(|model| Self::of(group, scaling, model))
    }

    /// Ĝ_jj
    pub(super) fn diagonal(&self, j: usize) -> f64 {
        self.share * self.gram.diagonal()[j] * self.scale[j] * self.scale[j]
    }

    /// Whole rows. `[rows, n]`
    pub(super) fn rows<T: Real>(&self, rows: Range<usize>) -> Vec<T> {
        let (n, size) = (self.scale.len(), self.gram.dtype().size_bytes());
        let mut values = vec![T::default(); rows.len() * n];
        let mut wide = [0.0; CHUNK];
        self.gram.for_pieces(rows.clone(), &mut |row, first, stored| {
            let line = &mut values[(row - rows.start) * n..][..n];
            for (index, stored) in stored.chunks(CHUNK * size).enumerate() {
                let (start, wide) = (first + index * CHUNK, &mut wide[..stored.len() / size]);
                self.widen(row, start, stored, wide);
                let out = line[start..].iter_mut().zip(wide);
                out.for_each(|(out, value)| *out = T::from_f64(*value));
            }
        });
        for (row, line) in rows.zip(values.chunks_mut(n.max(1))) {
            line[row] = T::from_f64(self.diagonal(row));
        }
        values
    }

    /// total ← total + Ĝ[row, ..row]. `total: [row]`
    pub(super) fn add_left(&self, row: usize, total: &mut [f64]) {
        let mut wide = [0.0; CHUNK];
        for (index, total) in total.chunks_mut(CHUNK).enumerate() {
            let start = index * CHUNK;
            let wide = &mut wide[..total.len()];
            self.read_left(row, start, wide);
            total.iter_mut().zip(wide).for_each(|(sum, value)| *sum += *value);
        }
    }

    /// Ĝ[row, first..] as far as `out` goes, and zeros from the diagonal on. The columns are among
    /// those that the row's strip holds.
    #[inline(never)]
    pub(super) fn read_left(&self, row: usize, first: usize, out: &mut [f64]) {
        let stored = self.gram.stored(row, first..first + out.len());
        self.widen(row, first, stored, out);
        if let Some(rest) = out.get_mut(row.saturating_sub(first)..) {
            rest.fill(0.0);
        }
    }

    /// Scaled elements of a row from column `first` on.
    fn widen(&self, row: usize, first: usize, stored: &[u8], out: &mut [f64]) {
        let factor = self.factor * self.scale[row];
        decode_into(self.gram.dtype(), stored, out);
        out.iter_mut().zip(&self.scale[first..]).for_each(|(value, s)| *value *= factor * s);
    }
}

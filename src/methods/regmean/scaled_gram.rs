//! One model's Ĝ = diag(s) G̃ diag(s) with G̃ = c (α G + (1 − α) diag G), from what is stored of G.
//!
//! Elements are widened, scaled and handed on a few at a time, so that they never leave the first
//! cache in f64.

use std::ops::Range;

use super::layer::LayerGroup;
use super::scaling::Scaling;
use crate::gram::Gram;
use crate::tensor::dtype::{Real, decode_into};

/// Elements that are widened at once.
const CHUNK: usize = 256;

/// Ĝ, element by element.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScaledGram<'a> {
    gram: &'a Gram,
    /// c, times what makes a mean of what is stored.
    share: f64,
    /// c α, likewise.
    factor: f64,
    /// s_j, and 0 for features that no Gram saw. `[n]`
    scale: &'a [f64],
}

impl<'a> ScaledGram<'a> {
    /// That of model `model`.
    pub(super) fn of(group: &'a LayerGroup, scaling: &'a Scaling, model: usize) -> Self {
        let (gram, share) = (&group.grams[model], group.shares[model]);
        let factor = share * group.alpha * gram.scale();
        Self { gram, share: share * gram.scale(), factor, scale: &scaling.gram }
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
        self.gram.diagonal()[j] * self.scale[j] * self.share * self.scale[j]
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

    /// Factors of what is on the diagonal and of what is beside it.
    pub(super) fn factors(&self) -> [f64; 2] {
        [self.share, self.factor]
    }

    /// Hands out diag(s) G diag(s) without a factor, of which nothing is rounded: `take(row, first_col,
    /// elements)`.
    pub(super) fn for_exact(&self, take: &mut dyn FnMut(usize, usize, &[f64])) {
        let size = self.gram.dtype().size_bytes();
        let mut wide = Vec::new();
        self.gram.for_pieces(0..self.scale.len(), &mut |row, first, stored| {
            wide.resize(stored.len() / size, 0.0);
            decode_into(self.gram.dtype(), stored, &mut wide);
            for (value, s) in wide.iter_mut().zip(&self.scale[first..]) {
                *value = *value * self.scale[row] * s;
            }
            take(row, first, &wide);
        });
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
        // The value first: 1/√(S_ii S_jj) alone may overflow.
        let factor = self.factor * self.scale[row];
        decode_into(self.gram.dtype(), stored, out);
        out.iter_mut()
            .zip(&self.scale[first..])
            .for_each(|(value, s)| *value = *value * factor * s);
    }
}

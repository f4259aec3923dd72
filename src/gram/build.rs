//! A Gram matrix from rows as a file stores them, checked as they come.
//!
//! What lies right of a strip is kept, turned, where the mirrored elements belong. When those come,
//! they are compared with it. So a matrix is read once, and only half of it is ever held.

use std::ops::Range;

use super::limits::Limits;
use super::strips::{STRIP, Strips};
use super::{Gram, by_strips};
use crate::tensor::dtype::{Dtype, decode, decode_into, encode};
use crate::tensor::sums;
use crate::{Error, Result};

/// Two mirrored elements may differ by this share of √(G_ii G_jj): enough for sums in f16, far
/// from another matrix.
const SYMMETRY_TOLERANCE: f64 = 1e-2;
/// A matrix of which some rows have come.
#[derive(Debug)]
pub struct GramBuilder {
    n: usize,
    /// Element type of the incoming rows.
    dtype: Dtype,
    /// Holds elements of `dtype`, or f64 once mirrored elements differed.
    strips: Strips,
    is_mean: bool,
    scale: f64,
    /// Diagonal of the rows that have come, as it is stored.
    diagonal: Vec<f64>,
    /// What elements beside the diagonal may be.
    limits: Limits,
}

impl GramBuilder {
    /// No rows yet. `scale` turns what is stored into the mean per row.
    ///
    /// # Errors
    /// `Memory` if it cannot be had.
    pub fn new(n: usize, dtype: Dtype, scale: f64) -> Result<Self> {
        let strips = Strips::new(n, dtype.size_bytes())?;
        let (diagonal, limits) = (Vec::with_capacity(n), Limits::default());
        Ok(Self { n, dtype, strips, is_mean: false, scale, diagonal, limits })
    }

    /// Takes the next rows, whole strips or all that is left. `bytes: [rows, n]`
    ///
    /// # Errors
    /// `Input` if there is a NaN, an infinity or a negative diagonal, or mirrored elements are apart.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let row_bytes = self.n * self.dtype.size_bytes();
        for block in bytes.chunks((STRIP * row_bytes).max(1)) {
            self.push_strip(block, block.len() / row_bytes)?;
        }
        Ok(())
    }

    /// Takes the next rows of a packed upper triangle, of which row i begins with its diagonal:
    /// whole strips or all that is left.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_packed(&mut self, bytes: &[u8]) -> Result<()> {
        let first = self.diagonal.len();
        let mut rest = bytes;
        for rows in by_strips(first..self.n) {
            if rest.is_empty() {
                break;
            }
            let len = packed_elements(self.n, rows.clone()) * self.dtype.size_bytes();
            let (own, behind) = rest.split_at(len);
            let block = self.unpacked(rows.clone(), own);
            self.push_strip(&block, rows.len())?;
            rest = behind;
        }
        Ok(())
    }

    /// The matrix, once all rows have come.
    pub fn finish(self) -> Gram {
        debug_assert_eq!(self.diagonal.len(), self.n, "rows are missing");
        let dtype = if self.is_mean { Dtype::F64 } else { self.dtype };
        Gram { strips: self.strips, dtype, scale: self.scale, diagonal: self.diagonal }
    }

    /// Whole rows of a strip of a packed triangle, mirrored. `[rows, n]`
    fn unpacked(&self, rows: Range<usize>, packed: &[u8]) -> Vec<u8> {
        let (n, size) = (self.n, self.dtype.size_bytes());
        let mut block = vec![0; rows.len() * n * size];
        let mut rest = packed;
        for row in rows.clone() {
            let (own, behind) = rest.split_at((n - row) * size);
            let line = (row - rows.start) * n;
            block[(line + row) * size..(line + n) * size].copy_from_slice(own);
            let left = self.strips.run(row, 0..rows.start);
            block[line * size..][..left.len()].copy_from_slice(left);
            for col in rows.start..row {
                let mirrored = ((col - rows.start) * n + row) * size;
                block.copy_within(mirrored..mirrored + size, (line + col) * size);
            }
            rest = behind;
        }
        block
    }

    /// `block: [n_rows, n]`
    fn push_strip(&mut self, block: &[u8], n_rows: usize) -> Result<()> {
        let rows = self.diagonal.len()..self.diagonal.len() + n_rows;
        self.take_diagonal(rows.clone(), block)?;
        if !self.is_mirrored(rows.clone(), block)? && !self.is_mean {
            self.widen()?;
        }
        if self.is_mean {
            self.strips.put(rows.clone(), bytemuck::cast_slice(&self.mean(rows, block)));
        } else {
            self.strips.put(rows, block);
        }
        Ok(())
    }

    fn take_diagonal(&mut self, rows: Range<usize>, block: &[u8]) -> Result<()> {
        for row in rows.clone() {
            let place = (row - rows.start) * self.n + row;
            let value = self.element(block, place);
            if !value.is_finite() {
                return Err(not_finite(row, row));
            }
            if value < 0.0 {
                let what = format!("the Gram matrix has a negative diagonal ({value:e} at {row})");
                return Err(Error::input(what).advice("XᵀX cannot have one: make the file again"));
            }
            self.diagonal.push(value);
            self.limits.push(self.dtype, value);
        }
        Ok(())
    }

    fn element(&self, block: &[u8], place: usize) -> f64 {
        let size = self.dtype.size_bytes();
        decode(self.dtype, &block[place * size..(place + 1) * size])[0]
    }

    /// Whether what mirrors earlier elements equals them; refuses what clearly does not, and what is
    /// not finite.
    fn is_mirrored(&self, rows: Range<usize>, block: &[u8]) -> Result<bool> {
        let size = self.dtype.size_bytes();
        let tile = self.tile(rows.clone(), block);
        let mut own = vec![0.0; self.n];
        let mut exact = true;
        for (row, line) in rows.clone().zip(block.chunks(self.n * size)) {
            decode_into(self.dtype, line, &mut own);
            if !sums::all_finite(&own) {
                return Err(not_finite(row, own.iter().position(|v| !v.is_finite()).unwrap_or(0)));
            }
            self.limits.check(&self.diagonal, &own[..row])?;
            let column = tile.chunks(STRIP).map(|values| values[row - rows.start]);
            exact &= self.agrees(row, &own[..rows.start], line)?;
            exact &= self.all_agree(row, rows.start, &own[rows.start..row], column)?;
        }
        Ok(exact)
    }

    /// Whether a row's part left of its strip equals what is held there, of which `line` is the bytes.
    fn agrees(&self, row: usize, left: &[f64], line: &[u8]) -> Result<bool> {
        let held = self.strips.run(row, 0..left.len());
        if !self.is_mean && held == &line[..held.len()] {
            return Ok(true);
        }
        let dtype = if self.is_mean { Dtype::F64 } else { self.dtype };
        self.all_agree(row, 0, left, decode(dtype, held).into_iter())
    }

    /// Whether elements of a row from column `first` on equal their mirrors.
    fn all_agree(
        &self,
        row: usize,
        first: usize,
        own: &[f64],
        mirrors: impl Iterator<Item = f64>,
    ) -> Result<bool> {
        let mut exact = true;
        for (col, (own, mirror)) in (first..).zip(own.iter().zip(mirrors)) {
            if *own != mirror {
                self.check_pair((row, col), (*own, mirror))?;
                exact = false;
            }
        }
        Ok(exact)
    }

    /// The strip's own rows and columns, which hold both of each mirrored pair. `[STRIP, STRIP]`
    fn tile(&self, rows: Range<usize>, block: &[u8]) -> Vec<f64> {
        let size = self.dtype.size_bytes();
        let mut tile = vec![0.0; STRIP * STRIP];
        for (line, values) in block.chunks(self.n * size).zip(tile.chunks_mut(STRIP)) {
            let own = &line[rows.start * size..rows.end * size];
            decode_into(self.dtype, own, &mut values[..rows.len()]);
        }
        tile
    }

    fn check_pair(&self, (i, j): (usize, usize), (a, b): (f64, f64)) -> Result<()> {
        let size = self.limits.of(i, j);
        if (a - b).abs() > SYMMETRY_TOLERANCE * size {
            return Err(Error::input(format!(
                "the Gram matrix is not symmetric: {a:e} at ({i}, {j}), {b:e} at ({j}, {i})"
            ))
            .advice("it must be XᵀX of the layer's inputs"));
        }
        Ok(())
    }

    /// From here on, elements are means of two, which only f64 holds exactly.
    fn widen(&mut self) -> Result<()> {
        let wide = Dtype::F64;
        self.strips = self.strips.converted(wide.size_bytes(), |from, to| {
            encode(wide, decode(self.dtype, from).into_iter(), to);
        })?;
        self.is_mean = true;
        Ok(())
    }

    /// (G + Gᵀ) / 2, as far as mirrored elements have come. `[rows, n]`
    fn mean(&self, rows: Range<usize>, block: &[u8]) -> Vec<f64> {
        let tile = self.tile(rows.clone(), block);
        let mut means = decode(self.dtype, block);
        let mut mirrors = vec![0.0; rows.start];
        for (row, line) in rows.clone().zip(means.chunks_mut(self.n)) {
            decode_into(Dtype::F64, self.strips.run(row, 0..rows.start), &mut mirrors);
            let column = tile.chunks(STRIP).map(|values| values[row - rows.start]);
            let mirrors = mirrors.iter().copied().chain(column.take(rows.len()));
            line.iter_mut().zip(mirrors).for_each(|(own, mirror)| *own = 0.5 * *own + 0.5 * mirror);
        }
        means
    }
}

/// Elements of the given rows of a packed upper triangle.
pub fn packed_elements(n: usize, rows: Range<usize>) -> usize {
    let before = |row: usize| row * (2 * n - row + 1) / 2;
    before(rows.end) - before(rows.start)
}

fn not_finite(i: usize, j: usize) -> Error {
    Error::input(format!("the Gram matrix has a NaN or infinity at ({i}, {j})"))
        .advice("accumulate it in float32 or float64 and make the file again")
}

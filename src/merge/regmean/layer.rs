//! One layer group: the weights that read the same input, and each model's Gram matrix of it.

use std::ops::Range;

use super::matrix::{Stored, read_one, read_run};
use crate::dtype::Dtype;
use crate::merge::plan::Orientation;
use crate::{Error, Result};

/// Two mirrored elements may differ by this share of √(G_ii G_jj): enough for sums in f16, far
/// from another matrix.
const SYMMETRY_TOLERANCE: f64 = 1e-2;

/// How a Gram matrix lies in its bytes.
#[derive(Debug, Clone)]
enum Storage {
    /// `[n, n]`, mirrored exactly.
    Symmetric(Stored),
    /// `[n, n]`, mirrored up to rounding: the symmetric part (G + Gᵀ) / 2 counts.
    NearlySymmetric(Stored),
    /// `[n (n + 1) / 2]`: the upper triangle, row by row.
    Packed { bytes: Vec<u8>, dtype: Dtype },
}

/// One model's Gram matrix G_i = X_iᵀ X_i per row of X_i.
#[derive(Debug, Clone)]
pub struct Gram {
    n: usize,
    storage: Storage,
    scale: f64,
    diagonal: Vec<f64>,
}

impl Gram {
    /// A full matrix. `scale` turns what is stored into the mean per row.
    ///
    /// # Errors
    /// `Input` if it has a NaN, an infinity or a negative diagonal, or is not symmetric.
    pub fn full(stored: Stored, scale: f64) -> Result<Self> {
        let n = stored.rows;
        let diagonal = (0..n).map(|i| read_one(&stored.bytes, stored.dtype, i * n + i)).collect();
        let diagonal: Vec<f64> = scaled(diagonal, scale)?;
        let exact = check_symmetry(&stored, &diagonal, scale)?;
        let storage =
            if exact { Storage::Symmetric(stored) } else { Storage::NearlySymmetric(stored) };
        Ok(Self { n, storage, scale, diagonal })
    }

    /// A packed upper triangle of an `[n, n]` matrix.
    ///
    /// # Errors
    /// `Input` if it has a NaN, an infinity or a negative diagonal.
    pub fn packed(n: usize, bytes: Vec<u8>, dtype: Dtype, scale: f64) -> Result<Self> {
        let diagonal = (0..n).map(|i| read_one(&bytes, dtype, packed_index(n, i, i))).collect();
        let diagonal = scaled(diagonal, scale)?;
        let gram = Self { n, storage: Storage::Packed { bytes, dtype }, scale, diagonal };
        let mut row = vec![0.0; n];
        for i in 0..n {
            gram.read(i, 0..n, &mut row);
            check_finite(i, &row)?;
        }
        Ok(gram)
    }

    /// Input dimension.
    pub fn n(&self) -> usize {
        self.n
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
        match &self.storage {
            Storage::Symmetric(stored) | Storage::NearlySymmetric(stored) => stored.dtype,
            Storage::Packed { dtype, .. } => *dtype,
        }
    }

    /// Rows `rows` as they are stored, where whole rows are.
    pub fn stored_rows(&self, rows: Range<usize>) -> Option<(Dtype, &[u8])> {
        match &self.storage {
            Storage::Symmetric(stored) => Some((stored.dtype, stored.bytes_of_rows(rows))),
            Storage::NearlySymmetric(_) | Storage::Packed { .. } => None,
        }
    }

    /// Columns `cols` of row `row` as they are stored: times [`Self::scale`] they are G.
    pub fn read(&self, row: usize, cols: Range<usize>, out: &mut [f64]) {
        match &self.storage {
            Storage::Symmetric(stored) => stored.read_row(row, cols, out),
            Storage::NearlySymmetric(stored) => {
                let mut mirrored = vec![0.0; cols.len()];
                stored.read_row(row, cols.clone(), out);
                stored.read_col(row, cols, &mut mirrored);
                out.iter_mut().zip(mirrored).for_each(|(a, b)| *a = 0.5 * (*a + b));
            }
            Storage::Packed { bytes, dtype } => {
                let (left, right) = (cols.start..cols.end.min(row), cols.start.max(row)..cols.end);
                for (j, value) in left.clone().zip(out.iter_mut()) {
                    *value = read_one(bytes, *dtype, packed_index(self.n, j, row));
                }
                if !right.is_empty() {
                    let out = &mut out[left.len()..][..right.len()];
                    read_run(bytes, *dtype, packed_index(self.n, row, right.start), out);
                }
            }
        }
    }
}

/// Where element (i, j), j ≥ i, lies in a packed upper triangle: after i rows of n, n − 1, …
fn packed_index(n: usize, i: usize, j: usize) -> usize {
    i * (2 * n - i + 1) / 2 + (j - i)
}

fn scaled(mut diagonal: Vec<f64>, scale: f64) -> Result<Vec<f64>> {
    for (i, value) in diagonal.iter_mut().enumerate() {
        *value *= scale;
        if !value.is_finite() {
            return Err(not_finite(i, i));
        }
        if *value < 0.0 {
            let what = format!("the Gram matrix has a negative diagonal ({value:e} at {i})");
            return Err(Error::input(what).advice("XᵀX cannot have one: make the file again"));
        }
    }
    Ok(diagonal)
}

fn check_finite(i: usize, row: &[f64]) -> Result<()> {
    match row.iter().position(|value| !value.is_finite()) {
        Some(j) => Err(not_finite(i, j)),
        None => Ok(()),
    }
}

fn not_finite(i: usize, j: usize) -> Error {
    Error::input(format!("the Gram matrix has a NaN or infinity at ({i}, {j})"))
        .advice("accumulate it in float32 or float64 and make the file again")
}

/// Side of the tiles in which mirrored elements are compared: a tile and its mirror stay in cache.
const TILE: usize = 64;

/// Whether it is mirrored exactly; refuses what is clearly not mirrored.
fn check_symmetry(stored: &Stored, diagonal: &[f64], scale: f64) -> Result<bool> {
    let n = stored.rows;
    let (mut tile, mut mirror) = (vec![0.0; TILE * TILE], vec![0.0; TILE * TILE]);
    let mut exact = true;
    for top in (0..n).step_by(TILE) {
        for left in (top..n).step_by(TILE) {
            read_tile(stored, top, left, &mut tile);
            read_tile(stored, left, top, &mut mirror);
            exact &= tiles_agree(&tile, &mirror, |i, j, a, b| {
                check_pair((top + i, left + j), (a, b), diagonal, scale)
            })?;
        }
    }
    Ok(exact)
}

/// Rows `top..` and columns `left..`, as far as there are any. `tile: [TILE, TILE]`
fn read_tile(stored: &Stored, top: usize, left: usize, tile: &mut [f64]) {
    tile.fill(0.0);
    let cols = left..stored.cols.min(left + TILE);
    for (row, line) in (top..stored.rows.min(top + TILE)).zip(tile.chunks_mut(TILE)) {
        stored.read_row(row, cols.clone(), line);
    }
}

/// Whether a tile is its mirror's transpose; every pair that differs goes to `check`.
fn tiles_agree(
    tile: &[f64],
    mirror: &[f64],
    check: impl Fn(usize, usize, f64, f64) -> Result<()>,
) -> Result<bool> {
    let mut exact = true;
    for (i, line) in tile.chunks(TILE).enumerate() {
        for (j, a) in line.iter().enumerate() {
            let b = mirror[j * TILE + i];
            if *a != b || !a.is_finite() {
                check(i, j, *a, b)?;
                exact = false;
            }
        }
    }
    Ok(exact)
}

fn check_pair(
    (i, j): (usize, usize),
    (a, b): (f64, f64),
    diagonal: &[f64],
    scale: f64,
) -> Result<()> {
    if !(a.is_finite() && b.is_finite()) {
        return Err(not_finite(i, j));
    }
    if (a - b).abs() * scale > SYMMETRY_TOLERANCE * (diagonal[i] * diagonal[j]).sqrt() {
        return Err(Error::input(format!(
            "the Gram matrix is not symmetric: {a:e} at ({i}, {j}), {b:e} at ({j}, {i})"
        ))
        .advice("it must be XᵀX of the layer's inputs"));
    }
    Ok(())
}

/// One weight of the group, as each model has it.
#[derive(Debug, Clone)]
pub struct Weight {
    /// Its name, for errors.
    pub name: String,
    /// How it is stored.
    pub orientation: Orientation,
    /// One per model, all of the same shape.
    pub stored: Vec<Stored>,
    /// Dtype of the output.
    pub dtype_out: Dtype,
}

impl Weight {
    /// Output dimension: rows of W.
    pub fn n_out(&self) -> usize {
        match self.orientation {
            Orientation::OutIn => self.stored[0].rows,
            Orientation::InOut => self.stored[0].cols,
        }
    }

    /// W_i[row, cols] for W_i as `[out, in]`, whatever the storage.
    pub fn read(&self, model: usize, row: usize, cols: Range<usize>, out: &mut [f64]) {
        match self.orientation {
            Orientation::OutIn => self.stored[model].read_row(row, cols, out),
            Orientation::InOut => self.stored[model].read_col(row, cols, out),
        }
    }
}

/// Weights that share their input's Gram matrices. Row r of the group is a row of one weight.
#[derive(Debug, Clone)]
pub struct LayerGroup {
    /// Off-diagonal scale α.
    pub alpha: f64,
    /// Coefficients c_i, summing to 1.
    pub shares: Vec<f64>,
    /// One per model, `[n, n]`.
    pub grams: Vec<Gram>,
    /// The weights, `[out, n]` each.
    pub weights: Vec<Weight>,
}

impl LayerGroup {
    /// Input dimension.
    pub fn n(&self) -> usize {
        self.grams[0].n()
    }

    /// Rows of all weights together.
    pub fn n_rows(&self) -> usize {
        self.weights.iter().map(Weight::n_out).sum()
    }

    /// Runs over all rows as (row of the group, weight, row of the weight).
    pub fn rows(&self) -> impl Iterator<Item = (usize, &Weight, usize)> {
        self.weights
            .iter()
            .flat_map(|weight| (0..weight.n_out()).map(move |row| (weight, row)))
            .enumerate()
            .map(|(index, (weight, row))| (index, weight, row))
    }

    /// The rows of that range, as [`Self::rows`].
    pub fn rows_in(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &Weight, usize)> {
        self.rows().skip(range.start).take(range.len())
    }

    /// Columns `cols` of row `row` of diag(s) G̃_i diag(s), where
    /// G̃_i = c_i (α G_i + (1 − α) diag G_i). `s: [n]`, `out: [cols]`.
    pub fn shrunk(&self, model: usize, s: &[f64], row: usize, cols: Range<usize>, out: &mut [f64]) {
        let (gram, share) = (&self.grams[model], self.shares[model]);
        gram.read(row, cols.clone(), out);
        let factor = share * self.alpha * gram.scale() * s[row];
        out.iter_mut().zip(&s[cols.clone()]).for_each(|(value, s)| *value *= factor * s);
        if cols.contains(&row) {
            out[row - cols.start] = share * gram.diagonal()[row] * s[row] * s[row];
        }
    }

    /// The weighted mean minus the anchor, Σ c_i (W_i − W_1), for one row. `out: [n]`.
    pub fn mean_difference(&self, weight: &Weight, row: usize, out: &mut [f64]) {
        let n = self.n();
        let (mut anchor, mut other) = (vec![0.0; n], vec![0.0; n]);
        weight.read(0, row, 0..n, &mut anchor);
        out.fill(0.0);
        for (model, share) in self.shares.iter().enumerate().skip(1) {
            weight.read(model, row, 0..n, &mut other);
            for ((sum, w), a) in out.iter_mut().zip(&other).zip(&anchor) {
                *sum += share * (w - a);
            }
        }
    }
}

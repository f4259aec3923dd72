//! Random combinations Y (Ŵ_i − Ŵ) of a group's rows, with signs Y `[probes, out]` per weight, and
//! W = A + X as it will be given out: what cancels in A + X is seen too.
//!
//! Its functions are not inlined into each other: unrolled together they were a hundredth of the page.

use std::ops::Range;

use super::lines::{COLS, Lines, ROWS, add};
use super::signs::Signs;
use super::{PROBES, ratio};
use crate::methods::regmean::layer::{LayerGroup, Weight};
use crate::methods::regmean::scaling::Scaling;
use crate::tensor::extremes::larger;
use crate::tensor::sums;

/// Reads X̂ `[m, n]` from an element on.
pub(super) type Elements<'a> = dyn Fn(usize, &mut [f64]) + 'a;

/// Norms of one weight.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    /// ‖A + X‖_F
    pub(super) weight: f64,
    /// ‖A‖_F
    pub(super) anchor: f64,
    /// ‖X‖_F
    pub(super) difference: f64,
    /// ‖X̂‖_F
    pub(super) x: f64,
    /// Largest ‖x‖ / ‖a + x‖ of all rows.
    pub(super) largest_turn: f64,
}

/// Squares of one row's norms.
#[derive(Debug, Clone, Copy, Default)]
struct Squares {
    weight: f64,
    anchor: f64,
    difference: f64,
    x: f64,
}

/// Rounding of W_i − A and of A + X, relative to ‖A‖.
const ROUNDING: f64 = f64::EPSILON;

impl Sizes {
    /// Relative error of a weight whose X errs by `apart`: what A alone costs is no part of a residual
    /// where no Gram looks.
    pub(super) fn error(&self, apart: f64) -> f64 {
        ratio(apart + ROUNDING * self.anchor, self.weight)
    }

    /// How many times larger the worst row's relative error may be than the weight's.
    pub(super) fn row_factor(&self) -> f64 {
        larger(1.0, ratio(self.largest_turn, ratio(self.difference, self.weight)))
    }

    /// Takes a row; everything is still squared.
    fn add(&mut self, row: &Squares) {
        self.weight += row.weight;
        self.anchor += row.anchor;
        self.difference += row.difference;
        self.x += row.x;
        self.largest_turn = larger(self.largest_turn, ratio(row.difference, row.weight));
    }

    fn roots(self) -> Self {
        Self {
            weight: self.weight.sqrt(),
            anchor: self.anchor.sqrt(),
            difference: self.difference.sqrt(),
            x: self.x.sqrt(),
            largest_turn: self.largest_turn.sqrt(),
        }
    }
}

/// The combinations of every model `[models, weights · PROBES, n]`, and every weight's norms.
/// X̂ is zero where it is `None`.
#[inline(never)]
pub(super) fn combine(
    group: &LayerGroup,
    scaling: &Scaling,
    x: Option<&Elements<'_>>,
) -> (Vec<f64>, Vec<Sizes>) {
    let (n, n_models) = (group.n(), group.grams.len());
    let n_rows = group.weights.len() * PROBES;
    let mut left = vec![0.0; n_models * n_rows * n];
    let mut sizes = Vec::new();
    let mut signs = Signs::new(2);
    let mut first_row = 0;
    for (index, weight) in group.weights.iter().enumerate() {
        let sums = left.chunks_mut((n_rows * n).max(1));
        let sums = sums.map(|of_model| &mut of_model[index * PROBES * n..][..PROBES * n]);
        let mut combined = Combined { weight, first_row, scaling, x, sums: sums.collect() };
        sizes.push(combined.all_rows(&mut signs));
        first_row += weight.n_out();
    }
    (left, sizes)
}

/// Sign that each probe gives each of the rows.
type Flips = [[f64; ROWS]; PROBES];

/// One weight, and its sums as far as they have come.
struct Combined<'a> {
    weight: &'a Weight,
    /// First row of the weight in the group.
    first_row: usize,
    scaling: &'a Scaling,
    x: Option<&'a Elements<'a>>,
    sums: Vec<&'a mut [f64]>, // [PROBES, n] each
}

impl Combined<'_> {
    fn all_rows(&mut self, signs: &mut Signs) -> Sizes {
        let (n, n_out) = (self.scaling.scale.len(), self.weight.n_out());
        let mut sizes = Sizes::default();
        for row in (0..n_out).step_by(ROWS) {
            let rows = row..n_out.min(row + ROWS);
            let mut flips = [[0.0; ROWS]; PROBES];
            for k in 0..rows.len() {
                flips.iter_mut().for_each(|of_probe| of_probe[k] = signs.next());
            }
            let mut squares = [Squares::default(); ROWS];
            for col in (0..n).step_by(COLS) {
                self.add_block(&flips, &rows, col..n.min(col + COLS), &mut squares);
            }
            squares[..rows.len()].iter().for_each(|row| sizes.add(row));
        }
        sizes.roots()
    }

    /// Adds Y (Ŵ_i − Ŵ) to every model's sum.
    #[inline(never)]
    fn add_block(
        &mut self,
        flips: &Flips,
        rows: &Range<usize>,
        cols: Range<usize>,
        squares: &mut [Squares; ROWS],
    ) {
        let n = self.scaling.scale.len();
        let (mut merged, mut other): (Lines, Lines) = ([[0.0; COLS]; ROWS], [[0.0; COLS]; ROWS]);
        self.read(0, rows, &cols, &mut merged);
        for (k, row) in rows.clone().enumerate() {
            if let Some(read) = self.x {
                let start = (self.first_row + row) * n + cols.start;
                read(start, &mut other[k][..cols.len()]);
            }
            self.merge(&mut merged[k], &other[k], &cols, &mut squares[k]);
        }
        let first = if self.x.is_some() { 0 } else { 1 };
        for model in first..self.sums.len() {
            self.read(model, rows, &cols, &mut other);
            let inverse = &self.scaling.inverse[cols.clone()];
            for (merged, own) in merged.iter().zip(&mut other).take(rows.len()) {
                for ((own, w), inverse) in own.iter_mut().zip(merged).zip(inverse) {
                    *own = (*own - w) * inverse;
                }
            }
            spread(flips, &other, self.sums[model], &cols);
        }
    }

    /// W_model of some rows and columns.
    #[inline(never)]
    fn read(&self, model: usize, rows: &Range<usize>, cols: &Range<usize>, lines: &mut Lines) {
        for (row, line) in rows.clone().zip(lines) {
            self.weight.read(model, row, cols.clone(), &mut line[..cols.len()]);
        }
    }

    /// One row of A becomes A + X, and squares are added.
    #[inline(never)]
    fn merge(&self, line: &mut [f64], x: &[f64], cols: &Range<usize>, squares: &mut Squares) {
        let (line, x) = (&mut line[..cols.len()], &x[..cols.len()]);
        squares.anchor += sums::squares(line);
        squares.x += sums::squares(x);
        let mut difference = [0.0; COLS];
        let scale = &self.scaling.scale[cols.clone()];
        for (((d, w), x), s) in difference.iter_mut().zip(&mut *line).zip(x).zip(scale) {
            *d = x * s;
            *w += *d;
        }
        squares.difference += sums::squares(&difference[..cols.len()]);
        squares.weight += sums::squares(line);
    }
}

/// sums ← sums + flips · lines. `sums: [PROBES, n]`
#[inline(never)]
fn spread(flips: &Flips, lines: &Lines, sums: &mut [f64], cols: &Range<usize>) {
    let n = sums.len() / PROBES;
    for (flips, sums) in flips.iter().zip(sums.chunks_mut(n)) {
        add(flips, lines, &mut sums[cols.clone()]);
    }
}

//! Random combinations Y (Ŵ_i − Â − X̂) of a group's rows, with signs Y `[probes, out]` per weight.
//!
//! Its functions are not inlined into each other: unrolled together they were a hundredth of the page.

use std::ops::Range;

use super::PROBES;
use super::lines::{COLS, Lines, ROWS, add};
use super::signs::Signs;
use crate::merge::regmean::layer::{LayerGroup, Weight};
use crate::merge::regmean::scaling::Scaling;
use crate::merge::sums;

/// Reads X̂ `[m, n]` from an element on.
pub(super) type Elements<'a> = dyn Fn(usize, &mut [f64]) + 'a;

/// Norms of one weight: ‖A + X‖_F, ‖X̂‖_F.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) weight: f64,
    pub(super) x: f64,
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

/// Of each probe, for each of the rows.
type Flips = [[f64; ROWS]; PROBES];

/// One weight, and its sums as far as they have come.
struct Combined<'a> {
    weight: &'a Weight,
    /// Of the weight, in the group.
    first_row: usize,
    scaling: &'a Scaling,
    x: Option<&'a Elements<'a>>,
    sums: Vec<&'a mut [f64]>, // [PROBES, n] each
}

impl Combined<'_> {
    fn all_rows(&mut self, signs: &mut Signs) -> Sizes {
        let (n, n_out) = (self.scaling.scale.len(), self.weight.n_out());
        let mut squares = Sizes::default();
        for row in (0..n_out).step_by(ROWS) {
            let rows = row..n_out.min(row + ROWS);
            let mut flips = [[0.0; ROWS]; PROBES];
            for k in 0..rows.len() {
                flips.iter_mut().for_each(|of_probe| of_probe[k] = signs.next());
            }
            for col in (0..n).step_by(COLS) {
                self.add_block(&flips, &rows, col..n.min(col + COLS), &mut squares);
            }
        }
        self.subtract_x();
        Sizes { weight: squares.weight.sqrt(), x: squares.x.sqrt() }
    }

    /// Adds Y X̂ to the first model's sum and Y (Ŵ_i − Â) to the others'.
    #[inline(never)]
    fn add_block(
        &mut self,
        flips: &Flips,
        rows: &Range<usize>,
        cols: Range<usize>,
        squares: &mut Sizes,
    ) {
        let n = self.scaling.scale.len();
        let (mut anchor, mut other): (Lines, Lines) = ([[0.0; COLS]; ROWS], [[0.0; COLS]; ROWS]);
        self.read(0, rows, &cols, &mut anchor);
        for ((row, anchor), x) in rows.clone().zip(&anchor).zip(&mut other) {
            if let Some(read) = self.x {
                let start = (self.first_row + row) * n + cols.start;
                read(start, &mut x[..cols.len()]);
            }
            self.measure(anchor, x, &cols, squares);
        }
        if self.x.is_some() {
            spread(flips, &other, self.sums[0], &cols);
        }
        for model in 1..self.sums.len() {
            self.read(model, rows, &cols, &mut other);
            let inverse = &self.scaling.inverse[cols.clone()];
            for (anchor, own) in anchor.iter().zip(&mut other).take(rows.len()) {
                for ((own, a), inverse) in own.iter_mut().zip(anchor).zip(inverse) {
                    *own = (*own - a) * inverse;
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

    /// Adds the squares of one row of X̂ and A + X.
    #[inline(never)]
    fn measure(&self, anchor: &[f64], x: &[f64], cols: &Range<usize>, squares: &mut Sizes) {
        let mut weight = [0.0; COLS];
        let scale = &self.scaling.scale[cols.clone()];
        for (((w, a), x), s) in weight.iter_mut().zip(anchor).zip(x).zip(scale) {
            *w = a + x * s;
        }
        squares.x += sums::squares(&x[..cols.len()]);
        squares.weight += sums::squares(&weight[..cols.len()]);
    }

    /// Y (Ŵ_i − Â) − Y X̂, of the first model −Y X̂.
    #[inline(never)]
    fn subtract_x(&mut self) {
        let Some((first, others)) = self.sums.split_first_mut() else { return };
        for other in others {
            other.iter_mut().zip(first.iter()).for_each(|(own, x)| *own -= x);
        }
        first.iter_mut().for_each(|x| *x = -*x);
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

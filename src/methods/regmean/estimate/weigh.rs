//! Products of a few rows with Σ_i Ĝ_i, in f64, from the halves that are stored.
//!
//! So little is done with each element that it is read once, where it lies, and used both there and
//! in its mirror's place: with L what is left of the diagonal, P Ĝ = P L + P Lᵀ + P diag Ĝ.

use std::ops::Range;

use super::lines::{COLS, Lines, ROWS, add, dots};
use crate::methods::regmean::layer::LayerGroup;
use crate::methods::regmean::scaled_gram::ScaledGram;
use crate::methods::regmean::scaling::Scaling;

/// Σ_i P_i Ĝ_i, `[m, n]`. `probes: [models, m, n]`
pub(super) fn weigh(group: &LayerGroup, scaling: &Scaling, probes: &[f64]) -> Vec<f64> {
    let of_model = probes.len() / group.grams.len();
    let mut sums = vec![0.0; of_model];
    for (term, p) in ScaledGram::all(group, scaling).zip(probes.chunks(of_model.max(1))) {
        add_product(&term, group.n(), p, &mut sums);
    }
    sums
}

/// sums ← sums + P Ĝ. `p: [m, n]`, `sums: [m, n]`
fn add_product(term: &ScaledGram<'_>, n: usize, p: &[f64], sums: &mut [f64]) {
    for row in (0..n).step_by(ROWS) {
        let rows = row..n.min(row + ROWS);
        for col in (0..rows.end).step_by(COLS) {
            let cols = col..rows.end.min(col + COLS);
            let mut lines: Lines = [[0.0; COLS]; ROWS];
            for (row, line) in rows.clone().zip(&mut lines) {
                term.read_left(row, cols.start, &mut line[..cols.len()]);
            }
            add_block(&lines, &rows, cols, n, p, sums);
        }
        for row in rows {
            let diagonal = term.diagonal(row);
            let column = sums.iter_mut().zip(p).skip(row).step_by(n);
            column.for_each(|(sum, value)| *sum += value * diagonal);
        }
    }
}

/// Adds what some elements left of the diagonal, and their mirrors, give.
#[inline(never)]
fn add_block(
    lines: &Lines,
    rows: &Range<usize>,
    cols: Range<usize>,
    n: usize,
    p: &[f64],
    sums: &mut [f64],
) {
    for (p, sums) in p.chunks(n).zip(sums.chunks_mut(n)) {
        let mut factors = [0.0; ROWS];
        factors[..rows.len()].copy_from_slice(&p[rows.clone()]);
        let mirrored = dots(lines, &p[cols.clone()]);
        add(&factors, lines, &mut sums[cols.clone()]);
        sums[rows.clone()].iter_mut().zip(mirrored).for_each(|(sum, value)| *sum += value);
    }
}

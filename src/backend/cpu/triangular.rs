//! Triangular solves from the right, by halving: all but the smallest blocks are products.
//!
//! With L split into quarters, X Lᵀ = B becomes X₁ L₁₁ᵀ = B₁ and X₂ L₂₂ᵀ = B₂ − X₁ L₂₁ᵀ; and
//! X L = B the same from the other end. At the bottom plain substitution, which is backward
//! stable; multiplying by inverted diagonal blocks would not be.
//! Source: Elmroth and Gustavson, recursive blocked algorithms (SIAM Review 2004, §4).

use super::kernel::{Kernel, Strided, StridedMut};
use crate::tensor::dtype::Real;

/// Up to this width, substitution and plain loops.
pub(super) const SMALLEST: usize = 32;
/// Rows that are substituted together.
const STRIP: usize = 16;

/// X ← X L⁻ᵀ. `lower: [n, n]`, `x: [m, n]`.
pub fn divide_by_transpose<K: Kernel>(
    kernel: K,
    lower: Strided<'_, K::Scalar>,
    x: StridedMut<'_, K::Scalar>,
) {
    let n = x.cols();
    if n <= SMALLEST {
        return substitute(x, |columns| forwards(lower, columns));
    }
    let half = split(n);
    let [mut left, mut right] = x.split_cols(half);
    divide_by_transpose(kernel, lower.part(0, 0, half, half), left.again());
    let below = lower.part(half, 0, n - half, half);
    kernel.multiply(-K::Scalar::ONE, left.read(), below.transposed(), right.again());
    divide_by_transpose(kernel, lower.part(half, half, n - half, n - half), right);
}

/// X ← X L⁻¹. `lower: [n, n]`, `x: [m, n]`.
pub fn divide<K: Kernel>(kernel: K, lower: Strided<'_, K::Scalar>, x: StridedMut<'_, K::Scalar>) {
    let n = x.cols();
    if n <= SMALLEST {
        return substitute(x, |columns| backwards(lower, columns));
    }
    let half = split(n);
    let [mut left, mut right] = x.split_cols(half);
    let corner = lower.part(half, half, n - half, n - half);
    divide(kernel, corner, right.again());
    let below = lower.part(half, 0, n - half, half);
    kernel.multiply(-K::Scalar::ONE, right.read(), below, left.again());
    divide(kernel, lower.part(0, 0, half, half), left);
}

/// Where to halve: a multiple of the smallest block, so that all but one leaf are full.
pub(super) fn split(n: usize) -> usize {
    (n.div_ceil(SMALLEST) / 2) * SMALLEST
}

/// One column of a strip of X.
type Column<T> = [T; STRIP];

/// Runs a substitution on strips of X, turned so that a column is a few vectors. What lies behind the
/// last row is computed and dropped.
fn substitute<T: Real>(mut x: StridedMut<'_, T>, solve: impl Fn(&mut [Column<T>])) {
    let mut columns = [[T::default(); STRIP]; SMALLEST];
    let (rows, cols) = (x.rows(), x.cols());
    let columns = &mut columns[..cols];
    for row in (0..rows).step_by(STRIP) {
        let mut strip = x.part(row, 0, STRIP.min(rows - row), cols);
        load(strip.again(), columns);
        solve(columns);
        store(columns, strip);
    }
}

#[inline(never)]
fn load<T: Real>(mut strip: StridedMut<'_, T>, columns: &mut [Column<T>]) {
    for i in 0..strip.rows() {
        for (column, value) in columns.iter_mut().zip(strip.row(i)) {
            column[i] = *value;
        }
    }
}

#[inline(never)]
fn store<T: Real>(columns: &[Column<T>], mut strip: StridedMut<'_, T>) {
    for i in 0..strip.rows() {
        for (column, value) in columns.iter().zip(strip.row(i)) {
            *value = column[i];
        }
    }
}

/// x_j ← (x_j − Σ_{k<j} L_jk x_k) / L_jj, for columns `[n]`.
fn forwards<T: Real>(lower: Strided<'_, T>, columns: &mut [Column<T>]) {
    for j in 0..columns.len() {
        let (done, rest) = columns.split_at_mut(j);
        eliminate(&mut rest[0], lower.part(j, 0, 1, j).transposed(), done, lower.at(j, j));
    }
}

/// x_j ← (x_j − Σ_{k>j} L_kj x_k) / L_jj, for columns `[n]`.
fn backwards<T: Real>(lower: Strided<'_, T>, columns: &mut [Column<T>]) {
    let n = columns.len();
    for j in (0..n).rev() {
        let (rest, done) = columns.split_at_mut(j + 1);
        eliminate(&mut rest[j], lower.part(j + 1, j, n - j - 1, 1), done, lower.at(j, j));
    }
}

/// x ← (x − Σ_k s_k y_k) / pivot, with `s: [k, 1]`. On a copy of x, which stays in registers. A pivot is
/// a square root, so its reciprocal cannot overflow.
#[inline]
fn eliminate<T: Real>(x: &mut Column<T>, s: Strided<'_, T>, y: &[Column<T>], pivot: T) {
    let mut sums = *x;
    for (s, y) in s.down(0).zip(y) {
        sums.iter_mut().zip(y).for_each(|(sum, y)| *sum -= s * *y);
    }
    let reciprocal = T::ONE / pivot;
    *x = sums.map(|sum| sum * reciprocal);
}

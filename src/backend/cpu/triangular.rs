//! Triangular solves from the right, by halving: all but the smallest blocks are products.
//!
//! With L split into quarters, X Lᵀ = B becomes X₁ L₁₁ᵀ = B₁ and X₂ L₂₂ᵀ = B₂ − X₁ L₂₁ᵀ; and
//! X L = B the same from the other end. At the bottom plain substitution, which is backward
//! stable; multiplying by inverted diagonal blocks would not be.
//! Source: Elmroth and Gustavson, recursive blocked algorithms (SIAM Review 2004, §4).

use super::kernel::{Kernel, Strided, StridedMut};
use crate::dtype::Real;

/// Below this width, substitution.
const SMALLEST: usize = 16;
/// Rows that are substituted together: short enough for the first cache.
const STRIP: usize = 64;

/// X ← X L⁻ᵀ. `lower: [n, n]`, `x: [m, n]`.
pub fn divide_by_transpose<K: Kernel>(
    kernel: K,
    lower: Strided<'_, K::Scalar>,
    mut x: StridedMut<'_, K::Scalar>,
) {
    let (m, n) = (x.rows, x.cols);
    if n <= SMALLEST {
        return substitute(x, |columns, m| forwards(lower, columns, m));
    }
    let half = split(n);
    divide_by_transpose(kernel, lower.part(0, 0, half, half), x.part(0, 0, m, half));
    // SAFETY: the left columns are read, the right ones written.
    let left = unsafe { x.read_part(0, 0, m, half) };
    let below = lower.part(half, 0, n - half, half);
    let mut right = x.part(0, half, m, n - half);
    kernel.multiply(-K::Scalar::ONE, left, below.transposed(), right.again());
    divide_by_transpose(kernel, lower.part(half, half, n - half, n - half), right);
}

/// X ← X L⁻¹. `lower: [n, n]`, `x: [m, n]`.
pub fn divide<K: Kernel>(
    kernel: K,
    lower: Strided<'_, K::Scalar>,
    mut x: StridedMut<'_, K::Scalar>,
) {
    let (m, n) = (x.rows, x.cols);
    if n <= SMALLEST {
        return substitute(x, |columns, m| backwards(lower, columns, m));
    }
    let half = split(n);
    let corner = lower.part(half, half, n - half, n - half);
    divide(kernel, corner, x.part(0, half, m, n - half));
    // SAFETY: the right columns are read, the left ones written.
    let right = unsafe { x.read_part(0, half, m, n - half) };
    let below = lower.part(half, 0, n - half, half);
    let mut left = x.part(0, 0, m, half);
    kernel.multiply(-K::Scalar::ONE, right, below, left.again());
    divide(kernel, lower.part(0, 0, half, half), left);
}

/// Where to halve: a multiple of the smallest block, so that all but one leaf are full.
pub(super) fn split(n: usize) -> usize {
    (n.div_ceil(SMALLEST) / 2) * SMALLEST
}

/// Runs a substitution on strips of X, turned so that a column of X is contiguous.
fn substitute<T: Real>(mut x: StridedMut<'_, T>, solve: impl Fn(&mut [T], usize)) {
    let n = x.cols;
    let mut columns = [T::default(); SMALLEST * STRIP]; // [n, m] of the strip
    for row in (0..x.rows).step_by(STRIP) {
        let m = STRIP.min(x.rows - row);
        for i in 0..m {
            for (j, value) in x.row(row + i).iter().enumerate() {
                columns[j * m + i] = *value;
            }
        }
        solve(&mut columns[..n * m], m);
        for i in 0..m {
            for (j, value) in x.row(row + i).iter_mut().enumerate() {
                *value = columns[j * m + i];
            }
        }
    }
}

/// x_j ← (x_j − Σ_{k<j} L_jk x_k) / L_jj, for columns `[n, m]`.
fn forwards<T: Real>(lower: Strided<'_, T>, columns: &mut [T], m: usize) {
    for j in 0..lower.rows {
        let (done, rest) = columns.split_at_mut(j * m);
        let column = &mut rest[..m];
        for (k, other) in done.chunks(m).enumerate() {
            subtract(column, lower.at(j, k), other);
        }
        column.iter_mut().for_each(|value| *value = *value / lower.at(j, j));
    }
}

/// x_j ← (x_j − Σ_{k>j} L_kj x_k) / L_jj, for columns `[n, m]`.
fn backwards<T: Real>(lower: Strided<'_, T>, columns: &mut [T], m: usize) {
    for j in (0..lower.rows).rev() {
        let (rest, done) = columns.split_at_mut((j + 1) * m);
        let column = &mut rest[j * m..];
        for (k, other) in done.chunks(m).enumerate() {
            subtract(column, lower.at(j + 1 + k, j), other);
        }
        column.iter_mut().for_each(|value| *value = *value / lower.at(j, j));
    }
}

/// x ← x − s y.
fn subtract<T: Real>(x: &mut [T], s: T, y: &[T]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x -= s * *y;
    }
}

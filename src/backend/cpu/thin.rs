//! Products and solves with few rows on the left: layers with few outputs, probes, condition estimates.
//!
//! So little is done with each element of B or L that packing it would cost more than using it:
//! everything is read once, in the order in which it lies. Per element, terms are added in a fixed
//! order, so a row's result does not depend on the rows beside it.

use super::kernel::{Strided, StridedMut};
use crate::tensor::dtype::Real;

/// With more rows, packing pays.
pub(super) const MAX_ROWS: usize = 16;
/// Rows of B that are added to C at once: C is loaded and stored so much less often.
const DEPTH: usize = 4;
/// Columns at once: those of C and of `DEPTH` rows of B stay in the first cache.
const WIDTH: usize = 256;
const LANES: usize = 8;

/// C ← C + A B, with `a: [m, k]`, `b: [k, n]`, `c: [m, n]`, m ≤ [`MAX_ROWS`].
pub(super) fn multiply_add<T: Real>(
    a: Strided<'_, T>,
    b: Strided<'_, T>,
    mut c: StridedMut<'_, T>,
) {
    let (m, n) = (c.rows(), c.cols());
    for col in (0..n).step_by(WIDTH) {
        let cols = WIDTH.min(n - col);
        for k in (0..b.rows()).step_by(DEPTH) {
            let depth = DEPTH.min(b.rows() - k);
            let b = b.part(k, col, depth, cols);
            let mut c = c.part(0, col, m, cols);
            for i in 0..m {
                add_rows(c.row(i), &a.row(i)[k..k + depth], b);
            }
        }
    }
}

/// X ← X L⁻ᵀ: x_j ← (x_j − Σ_{k<j} L_jk x_k) / L_jj. `lower: [n, n]`, `x: [m, n]`.
pub(super) fn divide_by_transpose<T: Real>(lower: Strided<'_, T>, mut x: StridedMut<'_, T>) {
    for j in 0..x.cols() {
        let line = lower.row(j);
        for i in 0..x.rows() {
            let row = x.row(i);
            row[j] = (row[j] - dot(&line[..j], &row[..j])) / line[j];
        }
    }
}

/// X ← X L⁻¹: x_j ← (x_j − Σ_{k>j} L_kj x_k) / L_jj. `lower: [n, n]`, `x: [m, n]`.
pub(super) fn divide<T: Real>(lower: Strided<'_, T>, mut x: StridedMut<'_, T>) {
    for start in (0..x.cols()).step_by(DEPTH).rev() {
        let depth = DEPTH.min(x.cols() - start);
        let left = lower.part(start, 0, depth, start);
        for i in 0..x.rows() {
            let (done, rest) = x.row(i).split_at_mut(start);
            let mut negated = [T::default(); DEPTH];
            for j in (0..depth).rev() {
                let below = (j + 1..depth)
                    .fold(rest[j], |sum, k| sum + negated[k] * lower.at(start + k, start + j));
                rest[j] = below / lower.at(start + j, start + j);
                negated[j] = -rest[j];
            }
            add_rows(done, &negated[..depth], left);
        }
    }
}

/// c ← c + Σ_k a_k b_k. `a: [≤ DEPTH]`, `b: [≤ DEPTH, n]`, `c: [n]`.
fn add_rows<T: Real>(c: &mut [T], a: &[T], b: Strided<'_, T>) {
    let &[a0, a1, a2, a3] = a else {
        for (k, a) in a.iter().enumerate() {
            c.iter_mut().zip(b.row(k)).for_each(|(c, b)| *c += *a * *b);
        }
        return;
    };
    let rows = b.row(0).iter().zip(b.row(1)).zip(b.row(2).iter().zip(b.row(3)));
    for (c, ((b0, b1), (b2, b3))) in c.iter_mut().zip(rows) {
        *c = *c + a0 * *b0 + a1 * *b1 + a2 * *b2 + a3 * *b3;
    }
}

/// Σ a_j b_j, in several running sums.
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::default(); LANES];
    let (a, rest_a) = a.as_chunks::<LANES>();
    let (b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += *a * *b;
        }
    }
    let mut total = rest_a.iter().zip(rest_b).fold(T::default(), |sum, (a, b)| sum + *a * *b);
    sums.iter().for_each(|sum| total += *sum);
    total
}

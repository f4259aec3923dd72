//! Cholesky factorisation S = L Lᵀ by halving: all but the smallest blocks are products.
//!
//! With S split into quarters: factorise S₁₁; L₂₁ = S₂₁ L₁₁⁻ᵀ; S₂₂ ← S₂₂ − L₂₁ L₂₁ᵀ; factorise
//! S₂₂. Only the lower triangle is read; what stands above it afterwards has no meaning.
//! Source: Elmroth and Gustavson, recursive blocked algorithms (SIAM Review 2004, §5).

use super::kernel::{Kernel, Strided, StridedMut};
use super::triangular::{SMALLEST, divide_by_transpose, split};
use crate::backend::NotPositive;
use crate::tensor::dtype::Real;

/// Up to this size, a symmetric product computes its upper triangle too: one full product is
/// cheaper than two small ones.
const SMALLEST_SYMMETRIC: usize = 128;

/// Overwrites the lower triangle of `s: [n, n]` with L.
///
/// # Errors
/// [`NotPositive`] with the first pivot that is not a positive finite number.
pub fn factorise<K: Kernel>(kernel: K, s: StridedMut<'_, K::Scalar>) -> Result<(), NotPositive> {
    let n = s.rows();
    if n <= SMALLEST {
        return factorise_small(s);
    }
    let half = split(n);
    let [mut top, bottom] = s.split_rows(half);
    let [mut below, mut rest] = bottom.split_cols(half);
    factorise(kernel, top.part(0, 0, half, half))?;
    divide_by_transpose(kernel, top.read().part(0, 0, half, half), below.again());
    add_symmetric(kernel, -K::Scalar::ONE, below.read(), rest.again());
    factorise(kernel, rest).map_err(|failed| NotPositive { index: failed.index + half, ..failed })
}

/// C ← C + α A Aᵀ, lower triangle. `a: [n, k]`, `c: [n, n]`.
pub(super) fn add_symmetric<K: Kernel>(
    kernel: K,
    alpha: K::Scalar,
    a: Strided<'_, K::Scalar>,
    mut c: StridedMut<'_, K::Scalar>,
) {
    let (n, k) = (a.rows(), a.cols());
    if n <= SMALLEST_SYMMETRIC {
        return kernel.multiply(alpha, a, a.transposed(), c);
    }
    let half = split(n);
    let (top, bottom) = (a.part(0, 0, half, k), a.part(half, 0, n - half, k));
    add_symmetric(kernel, alpha, top, c.part(0, 0, half, half));
    let below = c.part(half, 0, n - half, half);
    kernel.multiply(alpha, bottom, top.transposed(), below);
    add_symmetric(kernel, alpha, bottom, c.part(half, half, n - half, n - half));
}

/// The textbook loops: L_jj = √(S_jj − Σ L_jk²), L_ij = (S_ij − Σ L_ik L_jk) / L_jj.
fn factorise_small<T: Real>(mut s: StridedMut<'_, T>) -> Result<(), NotPositive> {
    for j in 0..s.rows() {
        let pivot = s.row(j)[j] - dot(&mut s, j, j, j);
        if !(pivot.to_f64() > 0.0 && pivot.to_f64().is_finite()) {
            return Err(NotPositive { index: j, pivot: pivot.to_f64() });
        }
        let root = pivot.sqrt();
        s.row(j)[j] = root;
        for i in j + 1..s.rows() {
            let value = s.row(i)[j] - dot(&mut s, i, j, j);
            s.row(i)[j] = value / root;
        }
    }
    Ok(())
}

/// Σ_{k < len} L_ik L_jk.
fn dot<T: Real>(s: &mut StridedMut<'_, T>, i: usize, j: usize, len: usize) -> T {
    let mut sum = T::default();
    for k in 0..len {
        sum += s.row(i)[k] * s.row(j)[k];
    }
    sum
}

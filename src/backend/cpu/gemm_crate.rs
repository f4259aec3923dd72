//! The `gemm` crate as a kernel: AVX2, AVX-512 and NEON, chosen at run time.

use std::marker::PhantomData;

use super::kernel::{Kernel, Strided, StridedMut};
use crate::tensor::dtype::Real;

/// Native GEMM on the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct GemmCrate<T>(PhantomData<T>);

impl<T: Real> Kernel for GemmCrate<T> {
    type Scalar = T;
    const NAME: &'static str = "native";

    fn multiply(&self, alpha: T, a: Strided<'_, T>, b: Strided<'_, T>, mut c: StridedMut<'_, T>) {
        let (m, n, k) = (c.rows(), c.cols(), a.cols());
        assert!(a.rows() == m && b.cols() == n && b.rows() == k, "shapes disagree");
        let ([a_row, a_col], [b_row, b_col]) = (a.strides(), b.strides());
        // SAFETY: views are in bounds by construction, so no stride exceeds `isize`; C overlaps
        // neither A nor B, since it is borrowed mutably.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c.start(),
                1,
                c.row_stride() as isize,
                true,
                a.start(),
                a_col as isize,
                a_row as isize,
                b.start(),
                b_col as isize,
                b_row as isize,
                T::ONE,
                alpha,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }
}

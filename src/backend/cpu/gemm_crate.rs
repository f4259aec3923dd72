//! The `gemm` crate as a kernel: AVX2, AVX-512 and NEON, chosen at run time.

use std::marker::PhantomData;

use super::kernel::{Kernel, Strided, StridedMut};
use crate::dtype::Real;

/// Native GEMM on the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct GemmCrate<T>(PhantomData<T>);

impl<T: Real> Kernel for GemmCrate<T> {
    type Scalar = T;
    const NAME: &'static str = "native";

    fn multiply(&self, alpha: T, a: Strided<'_, T>, b: Strided<'_, T>, c: StridedMut<'_, T>) {
        assert!(a.rows == c.rows && b.cols == c.cols && a.cols == b.rows, "shapes disagree");
        // SAFETY: views are in bounds by construction and C overlaps neither A nor B: it is
        // borrowed mutably, and `read_part` obliges its caller.
        unsafe {
            gemm::gemm(
                c.rows,
                c.cols,
                a.cols,
                c.start,
                1,
                c.row_stride as isize,
                true,
                a.start,
                a.col_stride as isize,
                a.row_stride as isize,
                b.start,
                b.col_stride as isize,
                b.row_stride as isize,
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

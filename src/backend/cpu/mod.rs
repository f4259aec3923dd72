//! The processor: packed GEMM kernels, and Cholesky and triangular solves made of them.
//!
//! - [`kernel`]: the one primitive, C ← C ± A B on strided memory.
//! - [`packed`]: our own blocked GEMM over small register tiles ([`tile`]).
//! - [`cholesky`], [`triangular`]: recursive, so that nearly all time is in the primitive.
//! - `thin`: products and solves with few rows, which are bound by reading, not by arithmetic.
//!
//! Every kernel build gives the same bytes for the same input, whatever runs beside it.

pub mod cholesky;
#[cfg(all(not(target_arch = "wasm32"), feature = "cli"))]
mod gemm_crate;
pub mod kernel;
pub mod packed;
#[cfg(test)]
mod tests;
mod thin;
pub mod tile;
pub mod triangular;

use kernel::{Kernel, StridedMut};

use super::{Backend, NotPositive};
use crate::Result;
use crate::tensor::dtype::Real;

/// The fastest kernels of this build.
#[cfg(all(not(target_arch = "wasm32"), feature = "cli"))]
pub type Native<T> = gemm_crate::GemmCrate<T>;
/// The fastest kernels of this build.
#[cfg(not(all(not(target_arch = "wasm32"), feature = "cli")))]
pub type Native<T> = packed::Packed<tile::Best<T>>;

/// Plain loops, the same on every machine.
pub type Portable<T> = packed::Packed<tile::Portable<T>>;

/// A backend on the calling thread, over one GEMM kernel.
///
/// ```
/// use gramerge::backend::{Backend, cpu::{Cpu, Native}};
/// # pollster::block_on(async {
/// let cpu = Cpu::<Native<f64>>::default();
/// let s = cpu.upload(1, 1, vec![4.0]).await?;
/// let factor = cpu.cholesky(s).await?.expect("4 is positive");
/// let mut x = cpu.upload(1, 1, vec![2.0]).await?;
/// cpu.solve(&factor, &mut x).await?;
/// assert_eq!(cpu.download(x).await?, [0.5]);
/// # Ok::<(), gramerge::Error>(()) }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu<K> {
    kernel: K,
}

/// A matrix in memory.
#[derive(Debug, Clone)]
pub struct Dense<T> {
    rows: usize,
    cols: usize,
    values: Vec<T>, // [rows, cols]
}

impl<K: Kernel> Backend for Cpu<K> {
    type Scalar = K::Scalar;
    type Matrix = Dense<K::Scalar>;
    type Factor = Dense<K::Scalar>; // [n, n]; only the lower triangle has a meaning

    fn name(&self) -> &str {
        K::NAME
    }

    async fn upload(
        &self,
        rows: usize,
        cols: usize,
        values: Vec<K::Scalar>,
    ) -> Result<Dense<K::Scalar>> {
        assert_eq!(values.len(), rows * cols, "matrix of another size than its shape");
        Ok(Dense { rows, cols, values })
    }

    async fn download(&self, matrix: Dense<K::Scalar>) -> Result<Vec<K::Scalar>> {
        Ok(matrix.values)
    }

    async fn multiply_add(
        &self,
        c: &mut Dense<K::Scalar>,
        a: &Dense<K::Scalar>,
        b: &Dense<K::Scalar>,
    ) -> Result<()> {
        let (m, n, k) = (c.rows, c.cols, a.cols);
        assert!(a.rows == m && b.rows == k && b.cols == n, "shapes of C, A and B disagree");
        let c = StridedMut::new(&mut c.values, m, n, n);
        let (a, b) = (kernel::dense(&a.values, m, k), kernel::dense(&b.values, k, n));
        match m {
            ..=thin::MAX_ROWS => thin::multiply_add(a, b, c),
            _ => self.kernel.multiply(K::Scalar::ONE, a, b, c),
        }
        Ok(())
    }

    async fn add_gram(&self, g: &mut Dense<K::Scalar>, x: &Dense<K::Scalar>) -> Result<()> {
        let (m, n) = (x.rows, x.cols);
        assert!(g.rows == n && g.cols == n, "shapes of G and X disagree");
        let transposed = kernel::dense(&x.values, m, n).transposed();
        let g = StridedMut::new(&mut g.values, n, n, n);
        cholesky::add_symmetric(self.kernel, K::Scalar::ONE, transposed, g);
        Ok(())
    }

    async fn cholesky(
        &self,
        mut s: Dense<K::Scalar>,
    ) -> Result<Result<Dense<K::Scalar>, NotPositive>> {
        assert_eq!(s.rows, s.cols, "only square matrices have a Cholesky factor");
        let square = StridedMut::new(&mut s.values, s.rows, s.rows, s.rows);
        Ok(cholesky::factorise(self.kernel, square).map(|()| s))
    }

    async fn export(&self, factor: &Dense<K::Scalar>) -> Result<Vec<K::Scalar>> {
        Ok(factor.values.clone())
    }

    async fn import(&self, n: usize, values: Vec<K::Scalar>) -> Result<Dense<K::Scalar>> {
        self.upload(n, n, values).await
    }

    async fn solve(&self, factor: &Dense<K::Scalar>, x: &mut Dense<K::Scalar>) -> Result<()> {
        assert_eq!(factor.rows, x.cols, "right-hand sides of another width than the factor");
        let lower = kernel::dense(&factor.values, factor.rows, factor.rows);
        let (m, n) = (x.rows, x.cols);
        let mut x = StridedMut::new(&mut x.values, m, n, n);
        if m <= thin::MAX_ROWS {
            thin::divide_by_transpose(lower, x.again());
            thin::divide(lower, x);
        } else {
            triangular::divide_by_transpose(self.kernel, lower, x.again());
            triangular::divide(self.kernel, lower, x);
        }
        Ok(())
    }
}

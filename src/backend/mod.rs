//! A backend is a place where dense matrices live and are multiplied, factorised and solved.
//!
//! It knows no tensor names, no Gram matrices and no merging: the maths above it is written once.
//! Matrices are row-major with no gaps. Operations run in the order in which they are called;
//! [`Backend::download`] waits for all that came before.
//!
//! Invariants: no operation reads memory that was not written; a failed factorisation is an
//! answer ([`NotPositive`]), not an error, since the caller knows what to try next.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod stored;

use crate::tensor::dtype::Real;
use crate::{Error, Result};
use stored::Assembly;

/// A pivot that was not positive: the matrix is not positive definite in this arithmetic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotPositive {
    /// Row and column of the pivot.
    pub index: usize,
    /// Its value, NaN included.
    pub pivot: f64,
}

/// The operations that merging needs, in one scalar type.
#[expect(async_fn_in_trait, reason = "generic use only; a browser's futures are not Send")]
pub trait Backend {
    /// What it computes in.
    type Scalar: Real;
    /// A dense row-major matrix on the device.
    type Matrix;
    /// A Cholesky factor S = L Lᵀ on the device.
    type Factor;
    /// How many columns of a product's left side are best made and multiplied at once.
    const PANEL: usize = 256;

    /// Name for reports, for example `simd128`, or a card's name.
    fn name(&self) -> &str;

    /// Moves a matrix to the device. `values: [rows, cols]`.
    ///
    /// # Errors
    /// `Memory` if the device cannot hold it.
    async fn upload(
        &self,
        rows: usize,
        cols: usize,
        values: Vec<Self::Scalar>,
    ) -> Result<Self::Matrix>;

    /// A matrix of zeros.
    ///
    /// # Errors
    /// `Memory` if the device cannot hold it.
    async fn zeros(&self, rows: usize, cols: usize) -> Result<Self::Matrix> {
        self.upload(rows, cols, vec![Self::Scalar::default(); rows * cols]).await
    }

    /// A matrix put together of what files store: on the device where it can and `stored` says how,
    /// else in memory. `shape: [rows, cols]`
    ///
    /// # Errors
    /// `Memory` if the device cannot hold it.
    async fn assemble<'a>(
        &self,
        shape: [usize; 2],
        stored: impl FnOnce() -> Option<Assembly<'a>>,
        in_memory: impl FnOnce() -> Vec<Self::Scalar>,
    ) -> Result<Self::Matrix> {
        let _ = stored;
        self.upload(shape[0], shape[1], in_memory()).await
    }

    /// An upper bound on the 2-norm of a symmetric matrix that was put together on the device.
    ///
    /// # Errors
    /// `Device` if the device was lost.
    async fn norm_bound(&self, _: &Self::Matrix) -> Result<f64> {
        Err(Error::internal("this backend puts no matrices together"))
    }

    /// Moves a matrix back, row by row.
    ///
    /// # Errors
    /// `Device` if the device was lost.
    async fn download(&self, matrix: Self::Matrix) -> Result<Vec<Self::Scalar>>;

    /// C ← C + A B, with `c: [m, n]`, `a: [m, k]`, `b: [k, n]`.
    ///
    /// # Errors
    /// `Device` if the device was lost.
    async fn multiply_add(
        &self,
        c: &mut Self::Matrix,
        a: &Self::Matrix,
        b: &Self::Matrix,
    ) -> Result<()>;

    /// G ← G + Xᵀ X, of which only the lower triangle is made: what stands above it afterwards has
    /// no meaning. `g: [n, n]`, `x: [m, n]`
    ///
    /// # Errors
    /// `Device` if the device was lost, `Memory` if it has none.
    async fn add_gram(&self, g: &mut Self::Matrix, x: &Self::Matrix) -> Result<()>;

    /// Factorises S = L Lᵀ. `s: [n, n]`, of which only the lower triangle is read.
    ///
    /// # Errors
    /// `Device` if the device was lost.
    async fn cholesky(&self, s: Self::Matrix) -> Result<Result<Self::Factor, NotPositive>>;

    /// A factor as another worker's backend of the same kind can [`Self::import`] it. `[n, n]`
    ///
    /// # Errors
    /// `Device` if the device was lost.
    async fn export(&self, factor: &Self::Factor) -> Result<Vec<Self::Scalar>>;

    /// The factor that was exported. `values: [n, n]`
    ///
    /// # Errors
    /// `Memory` if the device cannot hold it.
    async fn import(&self, n: usize, values: Vec<Self::Scalar>) -> Result<Self::Factor>;

    /// X ← X S⁻¹, given S = L Lᵀ. `x: [m, n]`: each row is one right-hand side.
    ///
    /// # Errors
    /// `Device` if the device was lost.
    async fn solve(&self, factor: &Self::Factor, x: &mut Self::Matrix) -> Result<()>;
}

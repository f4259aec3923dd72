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

use crate::dtype::Real;
use crate::{Error, Result};
use stored::{ScaledDifference, ScaledSum};

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
    /// Whether it puts matrices together itself, of what files store. Else the caller does it in
    /// memory, and uploads them.
    const ASSEMBLES: bool = false;

    /// Name for reports, for example `simd128`, or a card's name.
    fn name(&self) -> &str;

    /// Moves a matrix to the device. `values: [rows, cols]`.
    ///
    /// # Errors
    /// `Device` if its memory cannot hold it.
    async fn upload(
        &self,
        rows: usize,
        cols: usize,
        values: Vec<Self::Scalar>,
    ) -> Result<Self::Matrix>;

    /// A matrix of zeros.
    ///
    /// # Errors
    /// `Device` if its memory cannot hold it.
    async fn zeros(&self, rows: usize, cols: usize) -> Result<Self::Matrix> {
        self.upload(rows, cols, vec![Self::Scalar::default(); rows * cols]).await
    }

    /// A weighted sum of stored matrices, where it [assembles](Self::ASSEMBLES).
    ///
    /// # Errors
    /// `Device` if its memory cannot hold it.
    async fn scaled_sum(&self, _: &ScaledSum<'_>) -> Result<Self::Matrix> {
        Err(not_offered())
    }

    /// A difference of stored matrices, likewise.
    ///
    /// # Errors
    /// `Device` if its memory cannot hold it.
    async fn scaled_difference(&self, _: &ScaledDifference<'_>) -> Result<Self::Matrix> {
        Err(not_offered())
    }

    /// The ∞-norm and the Frobenius norm of a matrix, likewise: whoever puts one together in
    /// memory knows them.
    ///
    /// # Errors
    /// `Device` if the device was lost.
    async fn norms(&self, _: &Self::Matrix) -> Result<[f64; 2]> {
        Err(not_offered())
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
    /// `Device` if its memory cannot hold it.
    async fn import(&self, n: usize, values: Vec<Self::Scalar>) -> Result<Self::Factor>;

    /// X ← X S⁻¹, given S = L Lᵀ. `x: [m, n]`: each row is one right-hand side.
    ///
    /// # Errors
    /// `Device` if the device was lost.
    async fn solve(&self, factor: &Self::Factor, x: &mut Self::Matrix) -> Result<()>;
}

fn not_offered() -> Error {
    Error::device("this backend puts no matrices together")
}

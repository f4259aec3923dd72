//! Matrices as files store them, for backends that put their own together of them.
//!
//! Halves then travel to a device as halves, and nobody widens them in memory.

use std::borrow::Cow;
use std::ops::Range;

use crate::tensor::dtype::Dtype;

/// Gapless rows in F32, F16 or BF16.
#[derive(Debug)]
pub struct Rows<'a> {
    /// Of the elements.
    pub dtype: Dtype,
    /// Little-endian elements, row by row.
    pub bytes: Cow<'a, [u8]>,
}

/// Gives rows as they are stored.
pub trait StoredRows {
    /// These rows, whole.
    fn rows(&self, rows: Range<usize>) -> Rows<'_>;
}

/// Rows of diag(s) (Σ f_k A_k) diag(s) off the diagonal, and of diag(d) on it. `A_k: [n, n]`
pub struct ScaledSum<'a> {
    /// Which rows.
    pub rows: Range<usize>,
    /// s, powers of two. `[n]`
    pub scale: &'a [f64],
    /// f_k and A_k.
    pub terms: Vec<(f64, &'a dyn StoredRows)>,
    /// d. `[n]`
    pub diagonal: Vec<f64>,
}

/// B, A, and which rows of them.
pub type Piece<'a> = (Box<dyn StoredRows + 'a>, Box<dyn StoredRows + 'a>, Range<usize>);

/// (B − A) diag(1/s), pieces below one another.
pub struct ScaledDifference<'a> {
    /// s, powers of two. `[n]`
    pub scale: &'a [f64],
    /// From top to bottom.
    pub pieces: Vec<Piece<'a>>,
}

/// What a device can put together.
pub enum Assembly<'a> {
    /// A weighted sum.
    Sum(ScaledSum<'a>),
    /// A difference.
    Difference(ScaledDifference<'a>),
}

//! Register tiles: the innermost loops, C ← C + A B for `MR` rows and `NR` columns.
//!
//! A tile reads packed strips (`a: [depth, MR]`, `b: [depth, NR]`) and writes at most `MR × NR`
//! elements of C; what lies beyond C's edge is computed on padding and dropped.

mod portable;
#[cfg(target_feature = "simd128")]
mod simd128;

pub use portable::Portable;
#[cfg(target_feature = "simd128")]
pub use simd128::Simd128;

use super::kernel::StridedMut;
use super::packed::Buffers;
use crate::tensor::dtype::Real;

/// The fastest tile of this build.
#[cfg(target_feature = "simd128")]
pub type Best<T> = Simd128<T>;
/// The fastest tile of this build.
#[cfg(not(target_feature = "simd128"))]
pub type Best<T> = Portable<T>;

/// An innermost loop.
pub trait Tile: Copy + Default + std::fmt::Debug + 'static {
    /// What it computes in.
    type Scalar: Real;
    /// Name for reports.
    const NAME: &'static str;
    /// Rows of the tile.
    const MR: usize;
    /// Columns of the tile.
    const NR: usize;

    /// C ← C + A B, with `a: [depth, MR]`, `b: [depth, NR]`, `c: [≤ MR, ≤ NR]`.
    fn add(
        &self,
        depth: usize,
        a: &[Self::Scalar],
        b: &[Self::Scalar],
        c: StridedMut<'_, Self::Scalar>,
    );

    /// Lends this thread's packing buffers.
    fn with_buffers<O>(run: impl FnOnce(&mut Buffers<Self::Scalar>) -> O) -> O;
}

/// Lends the buffers of one scalar type; a macro since a thread-local cannot be generic.
macro_rules! with_buffers {
    ($scalar:ty) => {
        fn with_buffers<O>(run: impl FnOnce(&mut Buffers<$scalar>) -> O) -> O {
            thread_local!(static KEPT: Kept<$scalar> = Kept::default());
            KEPT.with_borrow_mut(run)
        }
    };
}
use with_buffers;

/// Adds a finished tile `[MR, NR]` to what C has of it.
fn add_edge<T: Real, const NR: usize>(tile: &[[T; NR]], mut c: StridedMut<'_, T>) {
    for (i, sums) in tile.iter().enumerate().take(c.rows()) {
        for (value, sum) in c.row(i).iter_mut().zip(sums) {
            *value += *sum;
        }
    }
}

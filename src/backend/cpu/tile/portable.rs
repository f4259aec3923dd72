//! The tile in plain Rust: the readable twin of the SIMD tiles, and what runs without them.

use std::marker::PhantomData;

use super::super::kernel::StridedMut;
use super::super::packed::{Buffers, Kept};
use super::{Tile, add_edge, with_buffers};
use crate::tensor::dtype::Real;

const MR: usize = 4;
const NR: usize = 8;

/// Plain loops that a compiler may vectorise.
#[derive(Debug, Clone, Copy, Default)]
pub struct Portable<T>(PhantomData<T>);

macro_rules! portable {
    ($scalar:ty, $name:literal) => {
        impl Tile for Portable<$scalar> {
            type Scalar = $scalar;
            const NAME: &'static str = $name;
            const MR: usize = MR;
            const NR: usize = NR;

            fn add(&self, depth: usize, a: &[$scalar], b: &[$scalar], c: StridedMut<'_, $scalar>) {
                add_edge(&tile(depth, a, b), c);
            }

            with_buffers!($scalar);
        }
    };
}
portable!(f32, "portable");
portable!(f64, "portable");

fn tile<T: Real>(depth: usize, a: &[T], b: &[T]) -> [[T; NR]; MR] {
    let mut sums = [[T::default(); NR]; MR];
    let (a, b) = (a.as_chunks::<MR>().0, b.as_chunks::<NR>().0);
    for (a, b) in a.iter().zip(b).take(depth) {
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += *a * *b;
            }
        }
    }
    sums
}

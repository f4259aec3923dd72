//! Tiles for WebAssembly's 128-bit SIMD: 4×8 in f32, 4×4 in f64.
//!
//! Four rows, since V8 keeps some of x86's sixteen vector registers for itself: more spill.
//! With relaxed SIMD a multiply and add become one fused instruction where the machine has it.

use std::arch::wasm32::*;
use std::marker::PhantomData;

use super::super::kernel::StridedMut;
use super::super::packed::{Buffers, Kept};
use super::{Tile, add_edge, with_buffers};

/// 128-bit tiles.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simd128<T>(PhantomData<T>);

/// What the build was compiled for.
pub(super) const NAME: &str =
    if cfg!(target_feature = "relaxed-simd") { "wasm relaxed-simd" } else { "wasm simd128" };

const MR: usize = 4;

/// One 128-bit tile of 4 rows by two vectors.
macro_rules! simd_tile {
    ($scalar:ty, $lanes:literal, $splat:ident, $zero:expr, $add:ident, $multiply_add:ident) => {
        impl Tile for Simd128<$scalar> {
            type Scalar = $scalar;
            const NAME: &'static str = NAME;
            const MR: usize = MR;
            const NR: usize = 2 * $lanes;

            #[inline]
            fn add(
                &self,
                depth: usize,
                a: &[$scalar],
                b: &[$scalar],
                mut c: StridedMut<'_, $scalar>,
            ) {
                const NR: usize = 2 * $lanes;
                let strips = (a.len() / MR).min(b.len() / NR);
                assert!(strips >= depth, "strips too short");
                let mut sums = [[$zero; 2]; MR];
                let (mut a, mut b) = (a.as_ptr(), b.as_ptr());
                for _ in 0..depth {
                    // SAFETY: both strips hold `depth` groups, as asserted; vectors may lie anywhere.
                    unsafe {
                        let b0 = v128_load(b.cast());
                        let b1 = v128_load(b.add($lanes).cast());
                        for (i, sums) in sums.iter_mut().enumerate() {
                            let a = $splat(a.add(i).cast());
                            sums[0] = $multiply_add(a, b0, sums[0]);
                            sums[1] = $multiply_add(a, b1, sums[1]);
                        }
                        a = a.add(MR);
                        b = b.add(NR);
                    }
                }
                if c.rows() == MR && c.cols() == NR {
                    for (i, sums) in sums.iter().enumerate() {
                        let row = c.row(i).as_mut_ptr();
                        // SAFETY: the row has NR elements.
                        unsafe {
                            let right = row.add($lanes);
                            v128_store(row.cast(), $add(v128_load(row.cast()), sums[0]));
                            v128_store(right.cast(), $add(v128_load(right.cast()), sums[1]));
                        }
                    }
                    return;
                }
                // SAFETY: a pair of vectors and NR scalars are the same bytes.
                let tile: [[$scalar; NR]; MR] = unsafe { std::mem::transmute(sums) };
                add_edge(&tile, c);
            }

            with_buffers!($scalar);
        }
    };
}
simd_tile!(f32, 4, v128_load32_splat, f32x4_splat(0.0), f32x4_add, multiply_add_f32);
simd_tile!(f64, 2, v128_load64_splat, f64x2_splat(0.0), f64x2_add, multiply_add_f64);

#[cfg(target_feature = "relaxed-simd")]
use {f32x4_relaxed_madd as multiply_add_f32, f64x2_relaxed_madd as multiply_add_f64};

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline]
fn multiply_add_f32(a: v128, b: v128, sum: v128) -> v128 {
    f32x4_add(f32x4_mul(a, b), sum)
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline]
fn multiply_add_f64(a: v128, b: v128, sum: v128) -> v128 {
    f64x2_add(f64x2_mul(a, b), sum)
}

//! What the processor could do: fused multiply-adds on 128-bit registers and nothing else.
//!
//! The chains are independent and as many as registers allow, so only the units' throughput
//! counts. Where a build has no fused instruction, a multiply and an add stand in.

use crate::case::{Ready, Work};

#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
const STEPS: usize = 1 << 21;
#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
const CHAINS: usize = 12;

/// The cases of this module: none where it is not written for the processor.
pub fn names() -> Vec<String> {
    ["f32", "f64"].map(|scalar| format!("peak-128-{scalar}")).into()
}

/// Makes one of them ready.
pub fn prepare(name: &str) -> Option<Ready> {
    match name {
        "peak-128-f32" => single(),
        "peak-128-f64" => double(),
        _ => None,
    }
}

#[cfg(not(any(target_arch = "x86_64", target_feature = "simd128")))]
fn single() -> Option<Ready> {
    None
}

#[cfg(not(any(target_arch = "x86_64", target_feature = "simd128")))]
fn double() -> Option<Ready> {
    None
}

/// Multiply-adds that change nothing (x ← x · 1 + 0), which no compiler knows.
#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
macro_rules! chains {
    ($name:ident, $measured:ident, $scalar:ty, $lanes:literal, $splat:ident, $fma:ident, $sum:expr) => {
        fn $name() -> Option<Ready> {
            available().then(|| -> Ready {
                Box::new(|| {
                    let (one, zero) = (std::hint::black_box(1.0), std::hint::black_box(0.0));
                    // SAFETY: the instructions are there, as just asked.
                    std::hint::black_box(unsafe { $measured(one, zero) });
                    Ok(Work::flops((2 * $lanes * CHAINS * STEPS) as f64))
                })
            })
        }

        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "fma"))]
        fn $measured(one: $scalar, zero: $scalar) -> $scalar {
            let (one, zero) = ($splat(one), $splat(zero));
            let mut sums = [one; CHAINS];
            for _ in 0..STEPS {
                for sum in &mut sums {
                    *sum = $fma(*sum, one, zero);
                }
            }
            let all = sums.into_iter().fold(zero, |all, sum| $fma(sum, one, all));
            $sum(all)
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm_cvtsd_f64, _mm_cvtss_f32, _mm_fmadd_pd, _mm_fmadd_ps, _mm_set1_pd, _mm_set1_ps,
    };

    use super::{CHAINS, Ready, STEPS, Work};

    fn available() -> bool {
        is_x86_feature_detected!("fma")
    }

    chains!(single, chain_f32, f32, 4, _mm_set1_ps, _mm_fmadd_ps, _mm_cvtss_f32);
    chains!(double, chain_f64, f64, 2, _mm_set1_pd, _mm_fmadd_pd, _mm_cvtsd_f64);

    pub(super) fn pair() -> (Option<Ready>, Option<Ready>) {
        (single(), double())
    }
}

#[cfg(target_feature = "simd128")]
mod wasm {
    use std::arch::wasm32::*;

    use super::{CHAINS, Ready, STEPS, Work};

    fn available() -> bool {
        true
    }

    #[cfg(target_feature = "relaxed-simd")]
    use {f32x4_relaxed_madd as fma_f32, f64x2_relaxed_madd as fma_f64};

    #[cfg(not(target_feature = "relaxed-simd"))]
    fn fma_f32(a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }

    #[cfg(not(target_feature = "relaxed-simd"))]
    fn fma_f64(a: v128, b: v128, c: v128) -> v128 {
        f64x2_add(f64x2_mul(a, b), c)
    }

    chains!(single, chain_f32, f32, 4, f32x4_splat, fma_f32, f32x4_extract_lane::<0>);
    chains!(double, chain_f64, f64, 2, f64x2_splat, fma_f64, f64x2_extract_lane::<0>);

    pub(super) fn pair() -> (Option<Ready>, Option<Ready>) {
        (single(), double())
    }
}

#[cfg(target_arch = "x86_64")]
use x86 as here;

#[cfg(target_feature = "simd128")]
use wasm as here;

#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
fn single() -> Option<Ready> {
    here::pair().0
}

#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
fn double() -> Option<Ready> {
    here::pair().1
}

//! What the processor could do: fused multiply-adds on 128-bit registers and nothing else.
//!
//! The chains are independent and as many as registers allow, so only the units' throughput
//! counts. Where a build has no fused instruction, a multiply and an add stand in.

use crate::case::Ready;

/// The cases of this module; only those builds have them that `chains` is written for.
pub fn names() -> Vec<String> {
    match chains::get() {
        Some(_) => ["f32", "f64"].map(|scalar| format!("peak-128-{scalar}")).into(),
        None => Vec::new(),
    }
}

/// Makes one of them ready.
pub fn prepare(name: &str) -> Option<Ready> {
    let [single, double] = chains::get()?;
    match name {
        "peak-128-f32" => Some(single),
        "peak-128-f64" => Some(double),
        _ => None,
    }
}

/// Multiply-adds that change nothing (x ← x · 1 + 0), which no compiler knows.
#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
macro_rules! chain {
    ($name:ident, $scalar:ty, $splat:ident, $multiply_add:ident, $first:expr) => {
        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "fma"))]
        pub(super) fn $name(one: $scalar, zero: $scalar) -> $scalar {
            let (one, zero) = ($splat(one), $splat(zero));
            let mut sums = [one; CHAINS];
            for _ in 0..STEPS {
                for sum in &mut sums {
                    *sum = $multiply_add(*sum, one, zero);
                }
            }
            $first(sums.into_iter().fold(zero, |all, sum| $multiply_add(sum, one, all)))
        }
    };
}

/// The loops of this processor, as cases.
#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
mod chains {
    use std::hint::black_box;

    use super::here::{double, is_available, single};
    use super::{CHAINS, STEPS};
    use crate::case::{Ready, Work};

    #[allow(unused_unsafe, reason = "the loops are unsafe to call on x86 only")]
    pub(super) fn get() -> Option<[Ready; 2]> {
        let work = |lanes: usize| Ok(Work::flops((2 * lanes * CHAINS * STEPS) as f64));
        is_available().then(|| -> [Ready; 2] {
            [
                Box::new(move || {
                    // SAFETY: the instructions are there, as just asked.
                    black_box(unsafe { single(black_box(1.0), black_box(0.0)) });
                    work(4)
                }),
                Box::new(move || {
                    // SAFETY: the instructions are there, as just asked.
                    black_box(unsafe { double(black_box(1.0), black_box(0.0)) });
                    work(2)
                }),
            ]
        })
    }
}

#[cfg(not(any(target_arch = "x86_64", target_feature = "simd128")))]
mod chains {
    use crate::case::Ready;

    pub(super) fn get() -> Option<[Ready; 2]> {
        None
    }
}

#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
const STEPS: usize = 1 << 21;
#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
const CHAINS: usize = 12;

#[cfg(target_arch = "x86_64")]
mod here {
    use std::arch::x86_64::{
        _mm_cvtsd_f64, _mm_cvtss_f32, _mm_fmadd_pd, _mm_fmadd_ps, _mm_set1_pd, _mm_set1_ps,
    };

    use super::{CHAINS, STEPS};

    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("fma")
    }

    chain!(single, f32, _mm_set1_ps, _mm_fmadd_ps, _mm_cvtss_f32);
    chain!(double, f64, _mm_set1_pd, _mm_fmadd_pd, _mm_cvtsd_f64);
}

#[cfg(target_feature = "simd128")]
mod here {
    use std::arch::wasm32::*;

    use super::{CHAINS, STEPS};

    pub(super) fn is_available() -> bool {
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

    chain!(single, f32, f32x4_splat, fma_f32, f32x4_extract_lane::<0>);
    chain!(double, f64, f64x2_splat, fma_f64, f64x2_extract_lane::<0>);
}

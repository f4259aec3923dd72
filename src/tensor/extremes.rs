//! The larger and the smaller of two errors or sizes, where a NaN must not be lost.
//!
//! `f64::max` and `f64::min` drop a NaN, and so would call a broken result the best of all. Bounds
//! and errors are compared with these alone.

/// The larger of two; a NaN is larger than anything.
///
/// ```
/// assert!([1.0, f64::NAN, 2.0].into_iter().fold(0.0, gramerge::tensor::larger).is_nan());
/// ```
pub fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}

/// The smaller of two, or a NaN if either is one.
pub(crate) fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || a <= b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_kept_on_either_side() {
        for choose in [larger, smaller] {
            assert!(choose(f64::NAN, 1.0).is_nan());
            assert!(choose(1.0, f64::NAN).is_nan());
        }
        assert_eq!((larger(1.0, 2.0), larger(2.0, 1.0)), (2.0, 2.0));
        assert_eq!((smaller(1.0, 2.0), smaller(2.0, 1.0)), (1.0, 1.0));
    }
}

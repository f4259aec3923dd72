//! Powers of two, by which rows of any size are brought near 1 before anything is squared.

use crate::tensor::dtype::Dtype;
use crate::tensor::powers;

/// The exponent e of a value: 2^e ≤ |value| < 2^(e + 1). Zero, NaN and infinity have none.
pub(super) fn exponent(value: f64) -> Option<i32> {
    (value != 0.0 && value.is_finite()).then(|| powers::exponent(value))
}

/// The exponent of one unit in the last place of a value in that dtype.
pub(super) fn unit_exponent(dtype: Dtype, value: f64) -> i32 {
    let (digits, least) = match dtype {
        Dtype::F16 => (11, -24),
        Dtype::BF16 => (8, -133),
        Dtype::F32 => (24, -149),
        _ => (53, -1074),
    };
    exponent(value).map_or(least, |own| (own + 1 - digits).max(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_has_no_exponent() {
        assert_eq!([0.0, f64::NAN, f64::INFINITY].map(exponent), [None; 3]);
        assert_eq!([1.5, -5e-324].map(exponent), [Some(0), Some(-1074)]);
    }

    #[test]
    fn units_are_those_of_the_dtypes() {
        assert_eq!(unit_exponent(Dtype::F32, 1.0), -23);
        assert_eq!(unit_exponent(Dtype::F32, 1e-44), -149);
        assert_eq!(unit_exponent(Dtype::F16, 65504.0), 5);
        assert_eq!(unit_exponent(Dtype::F16, 0.0), -24);
        assert_eq!(unit_exponent(Dtype::BF16, 3.0), -6);
        assert_eq!(unit_exponent(Dtype::F64, 5e-324), -1074);
    }
}

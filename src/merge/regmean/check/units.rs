//! Powers of two, by which rows of any size are brought near 1 before anything is squared.

use crate::dtype::Dtype;

/// The exponent e of a value: 2^e ≤ |value| < 2^(e + 1). Zero, NaN and infinity have none.
pub(super) fn exponent(value: f64) -> Option<i32> {
    let bits = value.abs().to_bits();
    match (bits >> 52) as i32 {
        0x7ff => None,
        0 => (bits != 0).then(|| 63 - bits.leading_zeros() as i32 - 1074),
        biased => Some(biased - 1023),
    }
}

/// value · 2^by, with one rounding where the result is subnormal.
pub(super) fn times_power(value: f64, by: i32) -> f64 {
    // No single power of two reaches from the smallest number to 1.
    let half = by / 2;
    value * power(half) * power(by - half)
}

/// 2^of, for what half of any way from one number to another needs; infinity beyond.
fn power(of: i32) -> f64 {
    match of {
        -1022..=1023 => f64::from_bits(((of + 1023) as u64) << 52),
        1024.. => f64::INFINITY,
        _ => 0.0,
    }
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
    fn every_power_of_two_has_its_exponent() {
        for power in -1074..=1023 {
            let value = times_power(1.0, power);
            assert_eq!(exponent(value), Some(power));
            assert_eq!(exponent(-value * 1.0), Some(power));
            assert_eq!(times_power(value, -power), 1.0);
        }
        assert_eq!([0.0, f64::NAN, f64::INFINITY].map(exponent), [None; 3]);
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

//! Powers of two, by which numbers are scaled without rounding.

/// ⌊log₂ |value|⌋ of a finite value that is not 0.
pub(crate) fn exponent(value: f64) -> i32 {
    let stored = (value.to_bits() >> 52) as i32 & 0x7ff;
    match stored {
        // Subnormal numbers: their leading bit counts.
        0 => -1023 - (value.to_bits() << 12 | 1).leading_zeros() as i32,
        _ => stored - 1023,
    }
}

/// 2^exponent, clamped to the normal numbers.
pub(crate) fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent.clamp(-1022, 1023) + 1023) as u64) << 52)
}

/// value · 2^by for any way from one f64 to another, with one rounding where the result is subnormal.
pub(crate) fn times_power(value: f64, by: i32) -> f64 {
    // In two steps, for 2^1074 is no number.
    value * power_of_two(by / 2) * power_of_two(by - by / 2)
}

/// values ← 2^exponent values, as [`times_power`].
pub(crate) fn scale_by(exponent: i32, values: &mut [f64]) {
    if exponent != 0 {
        values.iter_mut().for_each(|value| *value = times_power(*value, exponent));
    }
}

/// The exponent of the largest magnitude; 0 where all are 0.
pub(crate) fn largest_exponent(values: &[f64]) -> i32 {
    let largest = values.iter().fold(0.0, |a: f64, b| if b.abs() > a { b.abs() } else { a });
    if largest > 0.0 { exponent(largest) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_logarithms_at_every_scale() {
        for e in -1074..=1023 {
            let value = 2f64.powi(e / 2) * 2f64.powi(e - e / 2);
            assert_eq!(exponent(value), e);
            assert_eq!(exponent(-value), e);
            if e > -1074 && e < 1023 {
                assert_eq!(exponent(value * 1.5), e, "1.5 · 2^{e}");
            }
            if e >= -1022 {
                assert_eq!(power_of_two(e), value);
            }
        }
    }
}

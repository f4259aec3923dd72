//! f64 to 16 bits in one rounding, to nearest, ties to even.
//!
//! Conversions straight from f64 go through f32, or leave bits out: what lies a little beside the
//! middle of two numbers is then rounded as if it were the middle. So f64 is first rounded to odd,
//! which remembers on which side it lies, and then as usual (Boldo and Melquiond, *Emulation of FMA
//! and correctly rounded sums: proved algorithms using rounding to odd*, 2008).

use half::{bf16, f16};

/// The nearest f16.
pub(super) fn to_f16(value: f64) -> f16 {
    f16::from_f32(to_f32(value))
}

/// The nearest bf16.
pub(super) fn to_bf16(value: f64) -> bf16 {
    bf16::from_f32(to_f32(value))
}

/// All middles of two 16-bit numbers have these bits 0 in f32.
const BELOW_MIDDLE: u32 = 0xfff;

/// An f32 that rounds to 16 bits as the value does. Only next to a middle must it be to odd.
fn to_f32(value: f64) -> f32 {
    let near = value as f32;
    if near.to_bits() & BELOW_MIDDLE == 0 { to_odd(value) } else { near }
}

/// The value as f32 where that is exact, else the one of its two neighbours whose last bit is 1.
fn to_odd(value: f64) -> f32 {
    let near = value as f32;
    let bits = near.to_bits();
    let is_beyond = f64::from(near).abs() > value.abs();
    let is_odd_or_exact = bits & 1 == 1 || f64::from(near) == value;
    f32::from_bits(match (is_odd_or_exact, is_beyond) {
        (true, _) => bits,
        (false, true) => bits - 1,
        (false, false) => bits + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks every positive number of a format, `infinity` being the first that is none, and
    /// what lies between it and the next: the middle and its neighbours in f64.
    fn check(infinity: u16, beyond: f64, wide: fn(u16) -> f64, narrow: fn(f64) -> u16) {
        for bits in 0..infinity {
            let low = wide(bits);
            let high = if bits + 1 == infinity { beyond } else { wide(bits + 1) };
            let middle = (low + high) / 2.0;
            let even = bits + bits % 2;
            for (value, expected) in [
                (low, bits),
                (middle.next_down(), bits),
                (middle, even),
                (middle.next_up(), bits + 1),
            ] {
                assert_eq!(narrow(value), expected, "{value:e}");
                assert_eq!(narrow(-value), expected | 0x8000, "{value:e}");
            }
        }
        assert_eq!((narrow(f64::INFINITY), narrow(f64::MAX)), (infinity, infinity));
        assert!(wide(narrow(f64::NAN)).is_nan());
    }

    #[test]
    fn every_f16_is_the_nearest() {
        let wide = |bits| f16::from_bits(bits).to_f64();
        check(f16::INFINITY.to_bits(), 2f64.powi(16), wide, |value| to_f16(value).to_bits());
    }

    #[test]
    fn every_bf16_is_the_nearest() {
        let wide = |bits| bf16::from_bits(bits).to_f64();
        check(bf16::INFINITY.to_bits(), 2f64.powi(128), wide, |value| to_bf16(value).to_bits());
    }
}

use super::*;
use crate::methods::measures::{largest, vanishing};
use crate::tensor::dtype::{decode, encode};

const N: usize = 3000;
/// Parts of so many elements go the slow way.
const SLOW: usize = 7;

/// Values of all sizes and signs, with zeros of both.
fn bytes(model: usize) -> Vec<u8> {
    let value = |i: usize| match (i * 7 + model) % 11 {
        0 => -0.0,
        1 => 0.0,
        k => ((i * (model + 3)) % 97) as f64 * 2f64.powi(k as i32 * 9 - 50) - 0.1,
    };
    let mut bytes = vec![0; N * 4];
    encode(Dtype::F32, (0..N).map(value), &mut bytes);
    bytes
}

/// The mean of three models, in parts. `change` gets the bytes of each.
fn parts(len: usize, dtype_out: Dtype, change: impl Fn(&mut [Vec<u8>])) -> (Vec<u8>, Measures) {
    let mut inputs = [0, 1, 2].map(bytes);
    change(&mut inputs);
    let (mut merged, mut measures) = (Vec::new(), Measures::new(3));
    for start in (0..N).step_by(len) {
        let part = |own: &Vec<u8>| own[start * 4..N.min(start + len) * 4].to_vec();
        let inputs: Vec<_> = inputs.iter().map(|own| (Dtype::F32, part(own))).collect();
        let mut bytes = vec![1; 7];
        measures.add(&average(&inputs, &[0.5, 0.2, 0.3], dtype_out, &mut bytes));
        merged.extend(bytes);
    }
    (merged, measures)
}

/// Checks that both ways agree, and returns what one found.
fn either_way(dtype_out: Dtype, change: impl Fn(&mut [Vec<u8>])) -> (Vec<f64>, Measures) {
    let quick = parts(N, dtype_out, &change);
    let slow = parts(SLOW, dtype_out, &change);
    assert!(quick.0 == slow.0, "other bytes");
    let counts = |found: &Measures| (found.n_not_finite, found.n_overflowed, found.n_vanished);
    assert_eq!(counts(&quick.1), counts(&slow.1));
    for (quick, slow) in quick.1.distances().iter().zip(slow.1.distances()) {
        let is_same = quick.is_nan() && slow.is_nan();
        assert!(is_same || (quick - slow).abs() < 1e-12 * slow, "{quick} {slow}");
    }
    (decode(dtype_out, &quick.0), quick.1)
}

fn put(own: &mut [u8], index: usize, value: f32) {
    own[index * 4..][..4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn the_quick_way_is_the_slow_way() {
    let (_, found) = either_way(Dtype::F32, |_| {});
    assert_eq!((found.n_not_finite, found.n_overflowed), (0, 0));
}

#[test]
fn identical_inputs_give_themselves_to_the_bit() {
    for len in [N, SLOW] {
        let same = |inputs: &mut [Vec<u8>]| inputs.fill(bytes(0));
        assert!(parts(len, Dtype::F32, same).0 == bytes(0), "other bytes");
    }
}

/// The mean of F64 values, one element per model.
fn mean_of(values: &[f64], shares: &[f64]) -> f64 {
    // Twice: a block of eight goes the quick way, of one the slow way.
    let [quick, slow] = [8, 1].map(|len| {
        let input = |value: &f64| {
            let mut bytes = vec![0; len * 8];
            encode(Dtype::F64, std::iter::repeat_n(*value, len), &mut bytes);
            (Dtype::F64, bytes)
        };
        let mut merged = Vec::new();
        average(&values.iter().map(input).collect::<Vec<_>>(), shares, Dtype::F64, &mut merged);
        decode(Dtype::F64, &merged)[0]
    });
    assert_eq!(quick.to_bits(), slow.to_bits(), "{values:?}");
    quick
}

/// Means of small whole numbers of bf16 units, of which the exact one is known: sums are exact in i64.
#[test]
fn means_are_rounded_once() {
    let coefficients = [[1.0, 1.0, 1.0], [1.0, 2.0, 4.0], [3.0, 3.0, 4.0]];
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % 511) as i64 - 255
    };
    for c in coefficients {
        for _ in 0..2000 {
            let w: [i64; 3] = std::array::from_fn(|_| next());
            let input = |w: &i64| {
                let mut bytes = vec![0; 2];
                encode(Dtype::BF16, std::iter::once(*w as f64), &mut bytes);
                (Dtype::BF16, bytes)
            };
            let inputs: Vec<_> = w.iter().map(input).collect();
            let mut merged = Vec::new();
            average(&inputs, &c, Dtype::BF16, &mut merged);
            let sum: i64 = w.iter().zip(c).map(|(w, c)| w * c as i64).sum();
            let due = rounded_quotient(sum, c.iter().map(|c| *c as i64).sum());
            assert_eq!(decode(Dtype::BF16, &merged)[0], due, "{w:?} {c:?}");
        }
    }
}

/// sum / total to the nearest bf16, ties to even: by comparing whole numbers.
fn rounded_quotient(sum: i64, total: i64) -> f64 {
    if sum == 0 {
        return 0.0;
    }
    let exponent = (sum.abs() as f64 / total as f64).log2().floor() as i32;
    // Units of 2^(exponent − 7), in which the quotient has 8 digits before the point.
    let (scaled, divisor) = match 7 - exponent {
        up @ 0.. => (sum.abs() << up, total),
        down => (sum.abs(), total << -down),
    };
    let (whole, rest) = (scaled / divisor, scaled % divisor);
    let up = 2 * rest > divisor || (2 * rest == divisor && whole % 2 == 1);
    let size = (whole + i64::from(up)) as f64 * 2f64.powi(exponent - 7);
    if sum < 0 { -size } else { size }
}

#[test]
fn models_without_a_coefficient_take_no_part() {
    for other in [1e20, -1e300, f64::NAN, f64::INFINITY, 5e-324] {
        for own in [1.0, 3e-310, -1e-20, 0.1, 1e307] {
            assert_eq!(mean_of(&[other, own], &[0.0, 1.0]), own);
            assert_eq!(mean_of(&[own, other], &[1.0, 0.0]), own);
            assert_eq!(mean_of(&[other, own, own], &[0.0, 0.5, 0.5]), own);
        }
    }
}

/// Sums of powers of two, of which the mean is known exactly.
#[test]
fn what_cancels_keeps_its_digits_at_every_scale() {
    for exponent in [-1010, -500, -30, 0, 30, 500, 960] {
        let unit = 2f64.powi(exponent);
        for large in [1.0, 2f64.powi(10), 2f64.powi(40), 2f64.powi(52)] {
            let (a, b) = (large * unit, -large * unit + unit);
            assert_eq!(mean_of(&[a, b], &[0.5, 0.5]), 0.5 * unit, "2^{exponent}, {large}");
            let c = [a, b, unit, unit];
            assert_eq!(mean_of(&c, &[0.25; 4]), 0.75 * unit, "2^{exponent}, {large}");
        }
    }
    // The difference overflows, the mean does not.
    assert_eq!(mean_of(&[f64::MAX, -f64::MAX], &[0.5, 0.5]), 0.0);
    assert_eq!(mean_of(&[f64::MAX, f64::MAX / -2.0], &[0.5, 0.5]), f64::MAX / 4.0);
    // A small coefficient of a large value.
    let found = mean_of(&[1e20, 1.0], &[1e-12, 1.0 - 1e-12]);
    assert!((found - (1e8 + 1.0)).abs() < 1e-7, "{found}");
}

#[test]
fn what_is_not_finite_is_counted_either_way() {
    for not_finite in [f32::NAN, f32::INFINITY] {
        let (mean, found) = either_way(Dtype::F32, |inputs| put(&mut inputs[1], 100, not_finite));
        assert_eq!((mean[100].is_nan(), found.n_not_finite), (true, 1));
    }
    let all =
        |inputs: &mut [Vec<u8>]| inputs.iter_mut().for_each(|own| put(own, 100, f32::INFINITY));
    let (mean, found) = either_way(Dtype::F32, all);
    assert_eq!((mean[100], found.n_not_finite), (f64::INFINITY, 1));
}

#[test]
fn what_overflows_is_counted_either_way() {
    let small = |inputs: &mut [Vec<u8>]| {
        inputs.iter_mut().for_each(|own| own.fill(0x11));
        put(&mut inputs[2], 5, 1e7);
        put(&mut inputs[2], 2000, -1e7);
    };
    let (mean, found) = either_way(Dtype::F16, small);
    assert_eq!((mean[5], mean[2000]), (f64::INFINITY, f64::NEG_INFINITY));
    assert_eq!((found.n_not_finite, found.n_overflowed), (0, 2));
}

#[test]
fn what_vanishes_is_counted_either_way() {
    let tiny = |inputs: &mut [Vec<u8>]| {
        inputs.iter_mut().zip([0x3f, 0x3e, 0x3d]).for_each(|(own, byte)| own.fill(byte));
        for (index, value) in [(5, 1e-9), (2000, -1e-9), (7, 0.0)] {
            inputs.iter_mut().for_each(|own| put(own, index, value));
        }
    };
    let (mean, found) = either_way(Dtype::F16, tiny);
    assert_eq!((mean[5], mean[2000], found.n_vanished), (0.0, 0.0, 2));
    let (mean, found) = either_way(Dtype::F32, tiny);
    assert_eq!((mean[5] > 0.0, found.n_vanished), (true, 0));
}

#[test]
fn rounding_noise_of_a_solve_does_not_vanish() {
    let mut found = Measures::new(1);
    found.count(Dtype::F16, &[1.0, 1e-17, -1e-17, 0.0]);
    assert_eq!(found.n_vanished, 0);
    found.count(Dtype::F16, &[1.0, 1e-8]);
    found.count(Dtype::F16, &[1e-9, 1e-10]);
    assert_eq!((found.n_vanished, found.n_not_finite, found.n_overflowed), (3, 0, 0));
}

#[test]
fn the_largest_that_vanish_are_those_that_encoding_rounds_to_zero() {
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F32] {
        let encoded = |value: f64| {
            let mut bytes = vec![0; dtype.size_bytes()];
            encode(dtype, std::iter::once(value), &mut bytes);
            decode(dtype, &bytes)[0]
        };
        assert_eq!(encoded(vanishing(dtype)), 0.0, "{}", dtype.name());
        assert!(encoded(vanishing(dtype).next_up()) > 0.0, "{}", dtype.name());
    }
}

#[test]
fn the_largest_are_those_that_encoding_still_keeps() {
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F32] {
        let encoded = |value: f64| {
            let mut bytes = vec![0; dtype.size_bytes()];
            encode(dtype, std::iter::once(value), &mut bytes);
            decode(dtype, &bytes)[0]
        };
        assert_eq!(encoded(largest(dtype)), f64::INFINITY, "{}", dtype.name());
        assert!(encoded(largest(dtype).next_down()).is_finite(), "{}", dtype.name());
    }
}

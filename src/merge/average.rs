//! The weighted mean, element by element, in f64 and in the difference form.
//!
//! W̄ = w_1 + Σ_{i ≥ 2} c_i (w_i − w_1): identical inputs give themselves, to the bit.

use super::sums;
use crate::dtype::{Dtype, decode_into, encode};

/// Running figures of one tensor, summed over its elements.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Measures {
    /// Σ (w − w_i)² per model.
    pub apart_squares: Vec<f64>,
    /// Σ w_i² per model.
    pub size_squares: Vec<f64>,
    /// Output elements that are NaN or infinite because an input is.
    pub n_not_finite: u64,
    /// Finite results that are infinite in the output dtype.
    pub n_overflowed: u64,
}

impl Measures {
    /// Nothing seen yet.
    pub fn new(n_models: usize) -> Self {
        let zeros = vec![0.0; n_models];
        Self { apart_squares: zeros.clone(), size_squares: zeros, n_not_finite: 0, n_overflowed: 0 }
    }

    /// Takes the figures of another part of the same tensor.
    pub fn add(&mut self, other: &Self) {
        let sum = |own: &mut Vec<f64>, other: &[f64]| {
            own.resize(other.len().max(own.len()), 0.0);
            own.iter_mut().zip(other).for_each(|(a, b)| *a += b);
        };
        sum(&mut self.apart_squares, &other.apart_squares);
        sum(&mut self.size_squares, &other.size_squares);
        self.n_not_finite += other.n_not_finite;
        self.n_overflowed += other.n_overflowed;
    }

    /// Compares merged values with model `model`'s.
    pub fn compare(&mut self, model: usize, merged: &[f64], own: &[f64]) {
        self.apart_squares[model] += sums::apart_squares(merged, own);
        self.size_squares[model] += sums::squares(own);
    }

    /// Counts what is not finite, in f64 and after rounding to `dtype`.
    pub fn count(&mut self, dtype: Dtype, merged: &[f64]) {
        let largest = largest(dtype);
        if sums::all_below(merged, largest) {
            return;
        }
        for value in merged {
            if !value.is_finite() {
                self.n_not_finite += 1;
            } else if value.abs() >= largest {
                self.n_overflowed += 1;
            }
        }
    }

    /// ‖W − W_i‖ / ‖W_i‖ per model.
    pub fn distances(&self) -> Vec<f64> {
        let ratio = |(apart, size): (&f64, &f64)| match *apart {
            0.0 => 0.0,
            apart => (apart / size).sqrt(),
        };
        self.apart_squares.iter().zip(&self.size_squares).map(ratio).collect()
    }
}

/// The smallest magnitude that rounds to infinity.
fn largest(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F16 => 65520.0,
        Dtype::BF16 => 3.396_177_529_230_46e38,
        Dtype::F32 => 3.402_823_567_797_336_6e38,
        _ => f64::INFINITY,
    }
}

/// Elements at once: all models' values of a block stay in the first cache.
const BLOCK: usize = 1024;

/// The mean of the same elements of every model. `shares` sum to 1.
///
/// `inputs` are raw elements and their dtypes, one pair per model, all of the same number of
/// elements; `bytes` becomes the answer, in `dtype_out`.
pub fn average(
    inputs: &[(Dtype, Vec<u8>)],
    shares: &[f64],
    dtype_out: Dtype,
    bytes: &mut Vec<u8>,
) -> Measures {
    let n = inputs[0].1.len() / inputs[0].0.size_bytes();
    bytes.resize(n * dtype_out.size_bytes(), 0);
    let mut measures = Measures::new(inputs.len());
    let mut values = vec![vec![0.0; BLOCK]; inputs.len()]; // [models][BLOCK]
    let mut merged = vec![0.0; BLOCK];
    let blocks = bytes.chunks_mut(BLOCK * dtype_out.size_bytes());
    for (start, out) in (0..n).step_by(BLOCK).zip(blocks) {
        let len = BLOCK.min(n - start);
        let merged = &mut merged[..len];
        for ((dtype, bytes), own) in inputs.iter().zip(&mut values) {
            own.truncate(len);
            let size = dtype.size_bytes();
            decode_into(*dtype, &bytes[start * size..(start + len) * size], own);
        }
        if !usual_mean(&values, shares, largest(dtype_out), merged, &mut measures) {
            mean(&values, shares, merged);
            for (model, own) in values.iter().enumerate() {
                measures.compare(model, merged, own);
            }
            measures.count(dtype_out, merged);
        }
        encode(dtype_out, merged.iter().copied(), out);
    }
    measures
}

/// Elements that are added up on their own, as in `sums`.
const LANES: usize = 8;

/// W̄ of a block and its measures in one pass, if all of it is finite in the output: what reading a
/// file leaves time for. Else false, and nothing counts. `values: [models][len]`
fn usual_mean(
    values: &[Vec<f64>],
    shares: &[f64],
    largest: f64,
    merged: &mut [f64],
    measures: &mut Measures,
) -> bool {
    if !merged.len().is_multiple_of(LANES) {
        return false;
    }
    for (index, out) in merged.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let own = |model: usize| &values[model].as_chunks::<LANES>().0[index];
        let first = own(0);
        let mut sum = [0.0; LANES];
        for (model, share) in shares.iter().enumerate().skip(1) {
            let own = own(model);
            sum.iter_mut().enumerate().for_each(|(j, sum)| *sum += share * (own[j] - first[j]));
        }
        for (j, value) in out.iter_mut().enumerate() {
            *value = anchored(first[j], sum[j]);
        }
    }
    let is_usual = sums::all_below(merged, largest);
    if is_usual {
        for (model, own) in values.iter().enumerate() {
            measures.compare(model, merged, own);
        }
    }
    is_usual
}

/// w_1 + what is added to it. Not −0 + 0, which is 0.
fn anchored(first: f64, added: f64) -> f64 {
    if added == 0.0 { first } else { first + added }
}

/// W̄ of a block. `values: [models][len]`
fn mean(values: &[Vec<f64>], shares: &[f64], merged: &mut [f64]) {
    let first = &values[0];
    merged.fill(0.0);
    for (own, share) in values.iter().zip(shares).skip(1) {
        for ((sum, w), first) in merged.iter_mut().zip(own).zip(first) {
            *sum += share * (w - first);
        }
    }
    for (value, first) in merged.iter_mut().zip(first) {
        *value = anchored(*first, *value);
    }
    if merged.iter().fold(false, |any, value| any | !value.is_finite()) {
        for (j, value) in merged.iter_mut().enumerate().filter(|(_, value)| !value.is_finite()) {
            *value = mean_not_finite(*value, values.iter().map(|own| own[j]));
        }
    }
}

/// Equal infinities stay; all else that is not finite has no mean. A mean of finite values may
/// still overflow.
fn mean_not_finite(mean: f64, mut inputs: impl Iterator<Item = f64> + Clone) -> f64 {
    if inputs.clone().all(f64::is_finite) {
        return mean;
    }
    let first = inputs.next().unwrap_or(f64::NAN);
    if inputs.all(|w| w == first) { first } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::decode;

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
        assert_eq!(quick.0, slow.0);
        let counts = |found: &Measures| (found.n_not_finite, found.n_overflowed);
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
            assert_eq!(parts(len, Dtype::F32, same).0, bytes(0));
        }
    }

    #[test]
    fn what_is_not_finite_is_counted_either_way() {
        for not_finite in [f32::NAN, f32::INFINITY] {
            let (mean, found) =
                either_way(Dtype::F32, |inputs| put(&mut inputs[1], 100, not_finite));
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
}

//! The weighted mean, element by element: W̄ = Σ c_i w_i / Σ c_i.
//!
//! Coefficients count as they were given, so that ordinary ones round nothing before the one division.
//! A mean never leaves its inputs' range: identical inputs give themselves, to the bit. Models with a
//! coefficient of 0 take no part, whatever they hold. Where terms cancel or overflow, they are added up in
//! twice f64's digits.

mod mean;
mod measures;
#[cfg(test)]
mod tests;

use mean::{Parts, mean};
pub use measures::Measures;

use crate::tensor::dtype::{Dtype, decode_into, encode};

/// Elements at once: all models' values of a block stay in the first cache.
const BLOCK: usize = 512;

/// The mean of the same elements of every model. `coefficients` are not negative and not all 0.
///
/// `inputs` are raw elements and their dtypes, one pair per model, all of the same number of
/// elements; `bytes` becomes the answer, in `dtype_out`.
pub fn average(
    inputs: &[(Dtype, Vec<u8>)],
    coefficients: &[f64],
    dtype_out: Dtype,
    bytes: &mut Vec<u8>,
) -> Measures {
    let n = inputs[0].1.len() / inputs[0].0.size_bytes();
    bytes.resize(n * dtype_out.size_bytes(), 0);
    let mut measures = Measures::new(inputs.len());
    let mut values = vec![vec![0.0; BLOCK]; inputs.len()]; // [models][BLOCK]
    let mut merged = vec![0.0; BLOCK];
    let blocks = bytes.chunks_mut(BLOCK * dtype_out.size_bytes());
    let parts = Parts::of(coefficients, inputs, dtype_out);
    for (start, out) in (0..n).step_by(BLOCK).zip(blocks) {
        let len = BLOCK.min(n - start);
        let merged = &mut merged[..len];
        for ((dtype, bytes), own) in inputs.iter().zip(&mut values) {
            own.truncate(len);
            let size = dtype.size_bytes();
            decode_into(*dtype, &bytes[start * size..(start + len) * size], own);
        }
        mean(&values, &parts, dtype_out, merged);
        for (model, own) in values.iter().enumerate() {
            measures.compare(model, merged, own);
        }
        measures.count_exact(dtype_out, merged);
        encode(dtype_out, merged.iter().copied(), out);
    }
    measures
}

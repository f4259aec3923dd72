//! Conversions between storage and arithmetic, and the average of 16-bit weights, in memory.

use gramerge::methods::average::average;
use gramerge::tensor::dtype::{Dtype, decode_into, encode};

use crate::case::{Ready, Work};
use crate::data::Random;

/// Elements per run: more than the caches hold.
const N: usize = 4 << 20;
const DTYPES: [(&str, Dtype); 3] =
    [("f16", Dtype::F16), ("bf16", Dtype::BF16), ("f32", Dtype::F32)];

/// The cases of this module.
pub fn names() -> Vec<String> {
    let kinds = ["decode", "encode", "average"];
    kinds.iter().flat_map(|kind| DTYPES.map(|(name, _)| format!("{kind}-{name}"))).collect()
}

/// Makes one of them ready. Bytes are counted in the storage dtype.
pub fn prepare(name: &str) -> Option<Ready> {
    let (kind, dtype) = name.split_once('-')?;
    let (_, dtype) = *DTYPES.iter().find(|(known, _)| *known == dtype)?;
    let mut random = Random::new(5);
    let mut values: Vec<f64> = (0..N).map(|_| random.uniform()).collect();
    let mut bytes = vec![0; N * dtype.size_bytes()];
    encode(dtype, values.iter().copied(), &mut bytes);
    let size = bytes.len() as f64;
    match kind {
        "decode" => Some(Box::new(move || {
            decode_into(dtype, &bytes, std::hint::black_box(&mut values));
            Ok(Work::bytes(size))
        })),
        "encode" => Some(Box::new(move || {
            encode(dtype, values.iter().copied(), std::hint::black_box(&mut bytes));
            Ok(Work::bytes(size))
        })),
        "average" => Some(averaging(dtype, bytes)),
        _ => None,
    }
}

/// Two models' bytes to one's: 3 × size moves, 2 × size counts, as for a merge that reads both.
fn averaging(dtype: Dtype, bytes: Vec<u8>) -> Ready {
    let size = 2.0 * bytes.len() as f64;
    let inputs = [(dtype, bytes.clone()), (dtype, bytes)];
    let mut merged = Vec::new();
    Box::new(move || {
        average(&inputs, &[0.5, 0.5], dtype, &mut merged);
        std::hint::black_box(&merged);
        Ok(Work::bytes(size))
    })
}

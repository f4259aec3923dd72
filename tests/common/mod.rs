//! What several tests need: files in memory, files written by hand.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod answers;

use std::collections::BTreeMap;

use gramerge::format::Layout;
pub(crate) use gramerge::io::memory::Memory;
use gramerge::tensor::dtype::Dtype;

/// A file with that JSON as header, unpadded, and so many data bytes (0, 1, 2, …).
pub(crate) fn raw_file(json: impl AsRef<[u8]>, n_data_bytes: usize) -> Vec<u8> {
    let json = json.as_ref();
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(json);
    bytes.extend((0..n_data_bytes).map(|i| i as u8));
    bytes
}

/// The metadata map of those pairs.
pub(crate) fn metadata(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The layout of those tensors.
pub(crate) fn layout(tensors: &[(&str, Dtype, &[u64])], pairs: &[(&str, &str)]) -> Layout {
    let tensors =
        tensors.iter().map(|(name, dtype, shape)| ((*name).to_owned(), *dtype, shape.to_vec()));
    Layout::new(tensors, &metadata(pairs)).unwrap()
}

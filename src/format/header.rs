//! The header of a safetensors file: which tensors it holds, and where.
//!
//! Must not know: where the bytes come from, what the tensors mean.
//! Invariants of a parsed header: names differ; tensors cover the data without hole or overlap,
//! from the header's end to the file's; each one's bytes are its shape times its dtype.
//! Source: the format's description; differences from the safetensors crate are listed in
//! `tests/format.rs`.

use std::collections::BTreeMap;

use super::json::message;
use crate::order::{sort_by, sort_by_key, sorted_places};
use crate::tensor::dtype::Dtype;
use crate::{Error, Result, printable};

mod entries;
mod entry;

/// Bytes of the length that precedes the header.
pub const PREFIX_BYTES: u64 = 8;
/// The format's own limit on the JSON.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;
/// Longest tensor name; module paths are far shorter.
pub const MAX_NAME_BYTES: usize = 4096;
/// Most dimensions of a tensor, as in PyTorch and NumPy.
pub const MAX_RANK: usize = 64;
/// Largest single dimension: beyond it JavaScript numbers are not exact.
pub const MAX_DIMENSION: u64 = 1 << 53;
/// Most tensors in a file; bounds the memory that a hostile header can cost.
pub const MAX_TENSORS: usize = 1_000_000;
/// The header key that holds free metadata and so cannot name a tensor.
pub const METADATA_KEY: &str = "__metadata__";

/// One tensor as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name; hostile text until escaped by [`crate::printable`].
    pub name: String,
    /// Its element type.
    pub dtype: Dtype,
    /// Its dimensions, outermost first; empty for a scalar.
    pub shape: Vec<u64>,
    /// First byte, counted from the start of the data.
    pub begin_bytes: u64,
    /// One past the last byte, counted from the start of the data.
    pub end_bytes: u64,
}

impl TensorInfo {
    /// Number of elements.
    pub fn n_elements(&self) -> u64 {
        self.shape.iter().fold(1, |product, &n| product.saturating_mul(n))
    }

    /// Length in bytes.
    pub fn len_bytes(&self) -> u64 {
        self.end_bytes.saturating_sub(self.begin_bytes)
    }

    /// Bytes that dtype and shape ask for, if they are a whole number within u64.
    ///
    /// # Errors
    /// In words, without the tensor's name.
    pub(super) fn expected_bytes(&self) -> Result<u64> {
        let product = |total: u64, &n: &u64| total.checked_mul(n);
        let n_bits = self.shape.iter().try_fold(1, product).and_then(|n| self.checked_bits(n));
        let Some(n_bits) = n_bits else {
            return Err(Error::input(format!("its shape {:?} is too large", self.shape)));
        };
        if n_bits % 8 != 0 {
            let (name, n) = (self.dtype.name(), self.n_elements());
            return Err(Error::input(format!("its {n} {name} elements do not fill whole bytes")));
        }
        Ok(n_bits / 8)
    }

    fn checked_bits(&self, n_elements: u64) -> Option<u64> {
        n_elements.checked_mul(self.dtype.bits())
    }
}

/// All tensors of a file, and its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The tensors by offset, then name. Not to be changed: lookups rely on the order.
    pub tensors: Vec<TensorInfo>,
    /// The file's free metadata; hostile text.
    pub metadata: BTreeMap<String, String>,
    /// Where the data starts in the file.
    pub data_start_bytes: u64,
    /// Indices into `tensors`, sorted by name: lookup without a second copy of the names.
    by_name: Vec<u32>,
}

impl Header {
    /// Reads the JSON that follows the length prefix, and checks it against the file's length.
    ///
    /// # Errors
    /// `Input`, naming the tensor where one is at fault; the caller adds the file.
    pub fn parse(json: &[u8], file_len_bytes: u64) -> Result<Self> {
        let entries = entries::parse(json)?;
        let data_start_bytes = PREFIX_BYTES + json.len() as u64;
        let tensors = in_order(entries.tensors)?;
        let data_len_bytes = check_cover(&tensors)?;
        check_length(data_start_bytes, data_len_bytes, file_len_bytes)?;
        let by_name = index_by_name(&tensors);
        Ok(Self { tensors, metadata: entries.metadata, data_start_bytes, by_name })
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&TensorInfo> {
        let named = |&index: &u32| self.tensors[index as usize].name.as_str();
        let found = self.by_name.binary_search_by(|index| named(index).cmp(name)).ok()?;
        self.tensors.get(self.by_name[found] as usize)
    }

    /// The tensors in order of their names.
    pub fn tensors_by_name(&self) -> impl Iterator<Item = &TensorInfo> {
        self.by_name.iter().map(|&index| &self.tensors[index as usize])
    }

    /// Length of all tensors together.
    pub fn data_len_bytes(&self) -> u64 {
        self.tensors.last().map_or(0, |last| last.end_bytes)
    }

    /// Number of elements of all tensors together.
    pub fn n_parameters(&self) -> u64 {
        self.tensors.iter().fold(0, |sum, tensor| sum.saturating_add(tensor.n_elements()))
    }
}

/// The header's length from a file's first eight bytes.
///
/// # Errors
/// `Input` if it is zero, beyond the format's limit or beyond the file.
pub fn header_len(prefix: [u8; 8], file_len_bytes: u64) -> Result<u64> {
    let len_bytes = u64::from_le_bytes(prefix);
    if len_bytes == 0 {
        return Err(damaged("its header is empty"));
    }
    if len_bytes > MAX_HEADER_BYTES {
        let what = "it does not start with a safetensors header (the length there is impossible)";
        return Err(damaged(what));
    }
    if len_bytes > file_len_bytes.saturating_sub(PREFIX_BYTES) {
        return Err(damaged("the file ends inside its header"));
    }
    Ok(len_bytes)
}

/// By offset, then name, with all names different.
fn in_order(mut tensors: Vec<TensorInfo>) -> Result<Vec<TensorInfo>> {
    sort_by(&mut tensors, |a, b| a.name.cmp(&b.name));
    if let Some(twins) = tensors.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Error::input("the header names this tensor twice")
            .tensor(&twins[0].name)
            .advice("readers would disagree on it, so the file has to be written again"));
    }
    sort_by_key(&mut tensors, |tensor| (tensor.begin_bytes, tensor.end_bytes));
    Ok(tensors)
}

/// The length of the data, once every tensor fits its place there.
fn check_cover(tensors: &[TensorInfo]) -> Result<u64> {
    let mut covered_bytes = 0;
    let mut previous = "";
    for tensor in tensors {
        check_place(tensor, covered_bytes, previous)
            .map_err(|error| error.tensor(&tensor.name).advice(WRITE_AGAIN))?;
        covered_bytes = tensor.end_bytes;
        previous = &tensor.name;
    }
    Ok(covered_bytes)
}

fn check_place(tensor: &TensorInfo, covered_bytes: u64, previous: &str) -> Result<()> {
    let TensorInfo { begin_bytes, end_bytes, .. } = *tensor;
    let Some(len_bytes) = end_bytes.checked_sub(begin_bytes) else {
        return Err(Error::input(format!(
            "it ends at {end_bytes}, before its begin {begin_bytes}"
        )));
    };
    let expected_bytes = tensor.expected_bytes()?;
    if len_bytes != expected_bytes {
        return Err(Error::input(format!(
            "it has {len_bytes} bytes where {:?} of {} needs {expected_bytes}",
            tensor.shape,
            tensor.dtype.name(),
        )));
    }
    if begin_bytes > covered_bytes {
        let what = format!("bytes {covered_bytes} to {begin_bytes} before it belong to no tensor");
        return Err(Error::input(what));
    }
    if begin_bytes < covered_bytes {
        return Err(Error::input(format!("it overlaps tensor `{}`", printable(previous))));
    }
    Ok(())
}

fn check_length(data_start_bytes: u64, data_len_bytes: u64, file_len_bytes: u64) -> Result<()> {
    let Some(expected_bytes) = data_start_bytes.checked_add(data_len_bytes) else {
        return Err(damaged("its tensors end beyond any file"));
    };
    match expected_bytes.abs_diff(file_len_bytes) {
        0 => Ok(()),
        n if expected_bytes > file_len_bytes => {
            Err(damaged(format!("the file is cut short: {n} bytes of its tensors are missing")))
        }
        n => Err(damaged(format!("{n} bytes after its last tensor belong to nothing"))),
    }
}

fn index_by_name(tensors: &[TensorInfo]) -> Vec<u32> {
    let by_name = sorted_places(tensors.len(), &mut |a, b| tensors[a].name.cmp(&tensors[b].name));
    by_name.into_iter().map(|index| index as u32).collect()
}

const WRITE_AGAIN: &str = "write the file again with a current safetensors library";

fn damaged(what: impl Into<String>) -> Error {
    Error::input(what).advice("download or copy it again")
}

/// The error for JSON that is not a header, in one sentence.
fn unreadable(error: &serde_json::Error) -> Error {
    if error.is_data() {
        Error::input(format!("its header is wrong: {}", message(error)))
    } else {
        Error::input(format!("its header is not valid JSON ({})", message(error)))
    }
}

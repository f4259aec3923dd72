//! The layout of a file about to be written: its header's bytes and every tensor's place.
//!
//! Must not know: tensor data, sinks, what the metadata says.
//! Invariants: the same input gives the same bytes; what is laid out here is accepted by
//! [`Header::parse`], because that is how it is checked; tensors come widest dtype first, then by
//! name, behind a header padded to 8 bytes, so every element is aligned. This is the order of the
//! safetensors crate, to the byte.

mod output;
mod size;

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::header::{Header, MAX_HEADER_BYTES, METADATA_KEY, PREFIX_BYTES, TensorInfo};
use crate::order::sort_by;
use crate::tensor::dtype::Dtype;
use crate::{Error, Result};

pub use output::{INDEX_NAME, OutputFile, OutputLayout};
pub use size::size_bytes;

/// Alignment of the data, and so of every tensor.
const ALIGN_BYTES: usize = 8;

/// Where everything goes in a new file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    header: Header,
    header_bytes: Vec<u8>,
}

impl Layout {
    /// Lays out the given tensors, in whatever order they come.
    ///
    /// # Errors
    /// `Input` if two have the same name, a size overflows or the header exceeds a format limit.
    pub fn new(
        tensors: impl IntoIterator<Item = (String, Dtype, Vec<u64>)>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let mut tensors = tensors.into_iter().map(unplaced).collect::<Result<Vec<_>>>()?;
        sort_by(&mut tensors, |a, b| b.dtype.cmp(&a.dtype).then_with(|| a.name.cmp(&b.name)));
        let data_len_bytes = place(&mut tensors)?;
        let header_bytes = encode(&tensors, metadata)?;
        let (_, json) = header_bytes.split_at(PREFIX_BYTES as usize);
        let total_bytes = (header_bytes.len() as u64).checked_add(data_len_bytes);
        let header = Header::parse(json, total_bytes.ok_or_else(too_large)?)?;
        Ok(Self { header, header_bytes })
    }

    /// The file's first bytes: length prefix and header, padded. The data follows.
    pub fn header_bytes(&self) -> &[u8] {
        &self.header_bytes
    }

    /// The header as a reader will see it.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The tensors in the order of their bytes.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.header.tensors
    }

    /// The file's length.
    pub fn total_bytes(&self) -> u64 {
        self.header.data_start_bytes + self.header.data_len_bytes()
    }

    /// Where a tensor's bytes start in the file.
    pub fn offset_bytes(&self, name: &str) -> Option<u64> {
        Some(self.header.data_start_bytes + self.header.get(name)?.begin_bytes)
    }
}

/// A tensor that starts at 0 and has the length that it needs.
fn unplaced((name, dtype, shape): (String, Dtype, Vec<u64>)) -> Result<TensorInfo> {
    if name == METADATA_KEY {
        return Err(Error::input("the format keeps this name for itself").tensor(name));
    }
    let mut tensor = TensorInfo { name, dtype, shape, begin_bytes: 0, end_bytes: 0 };
    tensor.end_bytes = tensor.expected_bytes().map_err(|error| error.tensor(&tensor.name))?;
    Ok(tensor)
}

/// Moves the tensors one behind the other; returns the length of all.
fn place(tensors: &mut [TensorInfo]) -> Result<u64> {
    let mut end_bytes = 0_u64;
    for tensor in tensors {
        tensor.begin_bytes = end_bytes;
        end_bytes = end_bytes
            .checked_add(tensor.end_bytes)
            .ok_or_else(|| too_large().tensor(&tensor.name))?;
        tensor.end_bytes = end_bytes;
    }
    Ok(end_bytes)
}

fn too_large() -> Error {
    Error::input("the file would be larger than any file can be")
}

fn encode(tensors: &[TensorInfo], metadata: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut bytes = vec![0; PREFIX_BYTES as usize];
    serde_json::to_writer(&mut bytes, &Json { tensors, metadata })
        .map_err(|error| Error::input(format!("the header cannot be written ({error})")))?;
    bytes.resize(bytes.len().next_multiple_of(ALIGN_BYTES), b' ');
    let len_bytes = bytes.len() as u64 - PREFIX_BYTES;
    if len_bytes > MAX_HEADER_BYTES {
        let what = format!("the header would have {len_bytes} bytes, more than the format allows");
        return Err(Error::input(what).advice("merge fewer tensors into one file"));
    }
    bytes[..PREFIX_BYTES as usize].copy_from_slice(&len_bytes.to_le_bytes());
    Ok(bytes)
}

struct Json<'a> {
    tensors: &'a [TensorInfo],
    metadata: &'a BTreeMap<String, String>,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            map.serialize_entry(METADATA_KEY, self.metadata)?;
        }
        for tensor in self.tensors {
            map.serialize_entry(&tensor.name, &Entry::from(tensor))?;
        }
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Entry<'a> {
    dtype: &'a str,
    shape: &'a [u64],
    data_offsets: [u64; 2],
}

impl<'a> From<&'a TensorInfo> for Entry<'a> {
    fn from(tensor: &'a TensorInfo) -> Self {
        let data_offsets = [tensor.begin_bytes, tensor.end_bytes];
        Self { dtype: tensor.dtype.name(), shape: &tensor.shape, data_offsets }
    }
}

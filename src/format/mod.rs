//! Bytes to tensors and back: safetensors headers, shards, Gram files.
//!
//! Everything read here is untrusted. A file is either understood completely or refused by one
//! sentence; nothing is guessed, and nothing is allocated that the file does not pay for with its
//! own length. Offsets are u64, so that a 32-bit tab reads files of any size.
//!
//! Must not know: merging, browsers, where bytes come from (see [`crate::io`]).
//! Source: the format's description in the safetensors repository, and its crate (0.8) as oracle.

mod adapter;
mod file;
mod fingerprint;
mod gram_file;
mod header;
mod json;
mod layout;
mod shards;
mod sniff;

pub use adapter::adapter;
pub(crate) use file::Heads;
pub use file::{TensorFile, read_header};
pub(crate) use fingerprint::hex;
pub use fingerprint::{Fingerprint, HEAD_ELEMENTS};
pub use gram_file::{
    GramEntry, GramFile, GramLayout, GramMatch, GramMatches, Normalization, canonical_weight_name,
    has_gram_name, is_gram_header,
};
pub use header::{
    Header, MAX_DIMENSION, MAX_HEADER_BYTES, MAX_NAME_BYTES, MAX_RANK, MAX_TENSORS, METADATA_KEY,
    PREFIX_BYTES, TensorInfo, header_len,
};
pub use layout::{INDEX_NAME, Layout, OutputFile, OutputLayout, size_bytes};
pub use shards::{MAX_INDEX_BYTES, ShardIndex, ShardName, check_disjoint, missing_numbers};
pub use sniff::wrong_file;

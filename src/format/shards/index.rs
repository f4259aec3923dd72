//! `*.safetensors.index.json`: which tensor is in which shard.
//!
//! Must not know: the shards.
//! Invariants: no repeated key; every shard's name is a plain file name; memory is bounded by the
//! text's length, which [`MAX_INDEX_BYTES`] bounds before it is read.

use serde::de::DeserializeSeed;

use crate::format::json::message;
use crate::{Error, Result};

mod build;

/// The longest index that is read; that of a model with 500,000 tensors has about 50 MB.
pub const MAX_INDEX_BYTES: u64 = 250_000_000;

/// A parsed index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardIndex {
    /// Shard names, sorted.
    shards: Vec<String>,
    /// Tensor names, sorted, each with its index into `shards`.
    tensors: Vec<(String, u32)>,
    total_size_bytes: Option<u64>,
}

impl ShardIndex {
    /// Reads the JSON of an index.
    ///
    /// # Errors
    /// `Input` if it is no index or lists names that are no plain file names.
    pub fn parse(json: &[u8]) -> Result<Self> {
        if json.len() as u64 > MAX_INDEX_BYTES {
            return Err(too_long(json.len() as u64));
        }
        let mut builder = build::Builder::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        (&mut builder)
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|error| not_an_index(&message(&error)))?;
        builder.finish()
    }

    /// Refuses an index by its length alone, before it is read into memory.
    ///
    /// # Errors
    /// `Input` above [`MAX_INDEX_BYTES`].
    pub fn check_len(len_bytes: u64) -> Result<()> {
        if len_bytes > MAX_INDEX_BYTES { Err(too_long(len_bytes)) } else { Ok(()) }
    }

    /// The listed shards' file names, sorted.
    pub fn shards(&self) -> &[String] {
        &self.shards
    }

    /// Whether a file of that name is one of the shards.
    pub fn lists(&self, file_name: &str) -> bool {
        self.shards.binary_search_by(|shard| shard.as_str().cmp(file_name)).is_ok()
    }

    /// The tensors in order of their names, each with its shard.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tensors.iter().map(|(name, shard)| (name.as_str(), self.shard(*shard)))
    }

    /// The shard of a tensor.
    pub fn shard_of(&self, tensor: &str) -> Option<&str> {
        let found = self.tensors.binary_search_by(|(name, _)| name.as_str().cmp(tensor)).ok()?;
        Some(self.shard(self.tensors[found].1))
    }

    /// The length of all tensors, if the index gives it as a whole number.
    pub fn total_size_bytes(&self) -> Option<u64> {
        self.total_size_bytes
    }

    fn shard(&self, index: u32) -> &str {
        &self.shards[index as usize]
    }
}

fn too_long(len_bytes: u64) -> Error {
    let what = format!("with {len_bytes} bytes it is too long for an index");
    Error::input(what).advice("hand in the shards without it")
}

fn not_an_index(why: &str) -> Error {
    Error::input(format!("it is no index of shards: {why}"))
        .advice("download it again, or hand in the shards without it")
}

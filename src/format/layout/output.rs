//! Where everything goes in the output: one file, or shards with an index.
//!
//! Shards are named and indexed as Hugging Face's libraries do it. To whoever writes, the files lie
//! one behind the other in one range of offsets; no tensor crosses from one to the next.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Layout;
use crate::order::filled;
use crate::tensor::dtype::Dtype;
use crate::{Error, Result};

/// Name of the index beside shards.
pub const INDEX_NAME: &str = "model.safetensors.index.json";

/// More files are a slip of the pen: nobody wants 5 bytes in each.
const MAX_FILES: usize = 1000;

/// A tensor to be placed: name, dtype, shape.
type Unplaced = (String, Dtype, Vec<u64>);

/// One file of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// `model.safetensors`, or `model-00001-of-00002.safetensors`.
    pub name: String,
    /// Where it starts in the range of all files.
    pub start_bytes: u64,
    /// What is in it.
    pub layout: Layout,
}

/// All files of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLayout {
    files: Vec<OutputFile>,
}

impl OutputLayout {
    /// Lays out the tensors, in shards of at most `max_shard_bytes` of data where that is given; a
    /// larger tensor has a shard of its own.
    ///
    /// # Errors
    /// `Usage` if that makes more than 1000 files, and as [`Layout::new`].
    pub fn new(
        tensors: impl IntoIterator<Item = Unplaced>,
        metadata: &BTreeMap<String, String>,
        max_shard_bytes: Option<u64>,
    ) -> Result<Self> {
        let shards = split(tensors, max_shard_bytes.unwrap_or(u64::MAX));
        let n_shards = shards.len();
        if n_shards > MAX_FILES {
            let what = format!("the merged model would be cut into {n_shards} files");
            return Err(Error::usage(what).advice("allow larger ones, such as 5GB"));
        }
        let mut files = Vec::new();
        let mut start_bytes = 0;
        for (index, tensors) in shards.into_iter().enumerate() {
            let layout = Layout::new(tensors, metadata)?;
            let name = match max_shard_bytes {
                Some(_) if n_shards > 1 => shard_name(index, n_shards),
                _ => "model.safetensors".into(),
            };
            let end_bytes = start_bytes + layout.total_bytes();
            files.push(OutputFile { name, start_bytes, layout });
            start_bytes = end_bytes;
        }
        Ok(Self { files })
    }

    /// The files, in the order of their offsets.
    pub fn files(&self) -> &[OutputFile] {
        &self.files
    }

    /// The index, where there are several files.
    pub fn index_json(&self) -> Option<String> {
        let places = self.files.iter().flat_map(|file| {
            file.layout.tensors().iter().map(|tensor| (tensor.name.as_str(), file.name.as_str()))
        });
        let data = |file: &OutputFile| file.layout.header().data_len_bytes();
        let metadata = IndexMetadata { total_size: self.files.iter().map(data).sum() };
        let index = Index { metadata, weight_map: filled(places) };
        (self.files.len() > 1).then(|| serde_json::to_string_pretty(&index).unwrap_or_default())
    }

    /// Length of all files together, without the index.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.layout.total_bytes()).sum()
    }

    /// Where a tensor's bytes start in the range of all files.
    pub fn offset_bytes(&self, name: &str) -> Option<u64> {
        let place = |file: &OutputFile| Some(file.start_bytes + file.layout.offset_bytes(name)?);
        self.files.iter().find_map(place)
    }
}

/// Consecutive tensors, as many as fit.
fn split(tensors: impl IntoIterator<Item = Unplaced>, max_bytes: u64) -> Vec<Vec<Unplaced>> {
    let mut shards = vec![Vec::new()];
    let mut size_bytes = 0_u64;
    for tensor in tensors {
        let bits = tensor.2.iter().fold(tensor.1.bits(), |bits, n| bits.saturating_mul(*n));
        let grown = size_bytes.saturating_add(bits / 8);
        if grown > max_bytes && size_bytes > 0 {
            shards.push(Vec::new());
            size_bytes = bits / 8;
        } else {
            size_bytes = grown;
        }
        if let Some(shard) = shards.last_mut() {
            shard.push(tensor);
        }
    }
    shards
}

fn shard_name(index: usize, n_shards: usize) -> String {
    format!("model-{:05}-of-{n_shards:05}.safetensors", index + 1)
}

/// As Hugging Face's libraries write it.
#[derive(Serialize)]
struct Index<'a> {
    metadata: IndexMetadata,
    weight_map: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct IndexMetadata {
    total_size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::ShardIndex;

    fn laid_out(sizes: &[u64], max_shard_bytes: Option<u64>) -> OutputLayout {
        let tensor = |(i, n): (usize, &u64)| (format!("t{i}"), Dtype::F32, vec![*n]);
        let tensors = sizes.iter().enumerate().map(tensor);
        OutputLayout::new(tensors, &BTreeMap::new(), max_shard_bytes).expect("a layout")
    }

    fn tensors_of<'a>(layout: &'a OutputLayout) -> Vec<Vec<&'a str>> {
        let names = |file: &'a OutputFile| {
            file.layout.tensors().iter().map(|tensor| tensor.name.as_str()).collect()
        };
        layout.files().iter().map(names).collect()
    }

    #[test]
    fn a_slip_of_the_pen_does_not_make_thousands_of_files() {
        let made = |n: usize| {
            let tensor = |i| (format!("t{i}"), Dtype::F32, vec![1]);
            OutputLayout::new((0..n).map(tensor), &BTreeMap::new(), Some(4))
        };
        assert_eq!(made(MAX_FILES).expect("files").files().len(), MAX_FILES);
        let refused = made(MAX_FILES + 1).expect_err("too many").to_string();
        assert!(refused.contains("1001 files"), "{refused}");
    }

    #[test]
    fn shards_hold_what_fits_and_a_larger_tensor_alone() {
        let layout = laid_out(&[10, 10, 5, 100, 1, 25], Some(100));
        assert_eq!(
            tensors_of(&layout),
            [vec!["t0", "t1", "t2"], vec!["t3"], vec!["t4"], vec!["t5"]]
        );
        assert_eq!(layout.files()[1].name, "model-00002-of-00004.safetensors");
    }

    #[test]
    fn without_a_limit_there_is_one_file_and_no_index() {
        for max_shard_bytes in [None, Some(1000)] {
            let layout = laid_out(&[10, 10], max_shard_bytes);
            assert_eq!(layout.files().len(), 1);
            assert_eq!(layout.files()[0].name, "model.safetensors");
            assert_eq!(layout.index_json(), None);
        }
    }

    #[test]
    fn files_lie_one_behind_the_other_and_the_index_is_read_back() {
        let layout = laid_out(&[10, 20, 30], Some(90));
        let mut end_bytes = 0;
        for file in layout.files() {
            assert_eq!(file.start_bytes, end_bytes);
            end_bytes += file.layout.total_bytes();
            for tensor in file.layout.tensors() {
                let offset_bytes = layout.offset_bytes(&tensor.name).expect("a place");
                assert!((file.start_bytes..end_bytes).contains(&offset_bytes));
            }
        }
        assert_eq!(layout.total_bytes(), end_bytes);
        let index = ShardIndex::parse(layout.index_json().expect("shards").as_bytes());
        let index = index.expect("an index");
        let headers = layout.files().iter().map(|file| (file.name.as_str(), file.layout.header()));
        assert_eq!(index.check(&headers.collect::<Vec<_>>()), Ok(vec![]));
    }
}

//! Checkpoints in several files: the index that lists them, and the pattern of their names.
//!
//! Must not know: file systems. Names from an index are only ever compared with the names of the
//! files at hand, never opened as paths.
//! Invariants: every listed name is a plain file name; a tensor is in exactly one shard.
//! Source: `*.safetensors.index.json` as transformers writes it.

use std::collections::BTreeMap;

use super::header::Header;
use crate::order::filled;
use crate::{Error, Result, printable};

mod index;
mod name;

pub use index::{MAX_INDEX_BYTES, ShardIndex};
pub use name::{ShardName, missing_numbers};

/// Most names in one sentence.
const MAX_LISTED: usize = 8;

impl ShardIndex {
    /// Compares the index with the shards at hand, given as (file name without folder, header).
    /// Files that it does not list are not looked at. Returns warnings.
    ///
    /// # Errors
    /// `Input` if a shard is missing, lacks a tensor, or shares one with another shard.
    pub fn check(&self, present: &[(&str, &Header)]) -> Result<Vec<String>> {
        let present: BTreeMap<&str, &Header> =
            filled(present.iter().filter(|(name, _)| self.lists(name)).copied());
        self.check_presence(&present)?;
        let listed: Vec<_> = present.iter().map(|(name, header)| (*name, *header)).collect();
        check_disjoint(&listed)?;
        for (tensor, shard) in self.tensors() {
            if present.get(shard).is_none_or(|header| header.get(tensor).is_none()) {
                return Err(misplaced(tensor, shard, &listed));
            }
        }
        Ok([self.unlisted_tensors(&listed), self.wrong_total(&listed)]
            .into_iter()
            .flatten()
            .collect())
    }

    fn check_presence(&self, present: &BTreeMap<&str, &Header>) -> Result<()> {
        let is_missing = |name: &&str| !present.contains_key(name);
        let missing: Vec<_> = self.shards().iter().map(String::as_str).filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let what = format!("{} of its shards are missing: {}", missing.len(), listing(&missing));
        Err(Error::input(what).advice("add them; names have to be the same to the letter"))
    }

    fn unlisted_tensors(&self, present: &[(&str, &Header)]) -> Option<String> {
        let names = present.iter().flat_map(|(_, header)| &header.tensors);
        let extra: Vec<_> = names
            .map(|tensor| tensor.name.as_str())
            .filter(|name| self.shard_of(name).is_none())
            .collect();
        let n = extra.len();
        (n > 0).then(|| format!("The index does not list {n} tensors: {}.", listing(&extra)))
    }

    fn wrong_total(&self, present: &[(&str, &Header)]) -> Option<String> {
        let sizes = present.iter().map(|(_, header)| header.data_len_bytes());
        let total_bytes = sizes.fold(0, u64::saturating_add);
        let claimed_bytes = self.total_size_bytes().filter(|claimed| *claimed != total_bytes)?;
        Some(format!(
            "The index says that the tensors have {claimed_bytes} bytes, but they have {total_bytes}."
        ))
    }
}

/// Checks that no tensor is in two shards, given as (file name, header).
///
/// # Errors
/// `Input`, naming the tensor and both files.
pub fn check_disjoint(shards: &[(&str, &Header)]) -> Result<()> {
    let mut owners = BTreeMap::new();
    for (file, header) in shards {
        for tensor in &header.tensors {
            if let Some(other) = owners.insert(tensor.name.as_str(), *file) {
                let what = format!("it is also in `{}`", printable(other));
                let advice = "hand in the shards of one model only";
                return Err(Error::input(what).file(*file).tensor(&tensor.name).advice(advice));
            }
        }
    }
    Ok(())
}

fn misplaced(tensor: &str, shard: &str, present: &[(&str, &Header)]) -> Error {
    let owner = present.iter().find(|(_, header)| header.get(tensor).is_some());
    let shard = printable(shard);
    let what = match owner {
        Some((owner, _)) => {
            format!("the index places it in `{shard}`, but it is in `{}`", printable(owner))
        }
        None => format!("the index places it in `{shard}`, but it is in no shard"),
    };
    Error::input(what).tensor(tensor).advice("use shards and index of the same download")
}

/// The first few names, quoted, and how many more there are.
fn listing(names: &[&str]) -> String {
    let quote = |name: &&str| format!("`{}`", printable(name));
    let shown: Vec<_> = names.iter().take(MAX_LISTED).map(quote).collect();
    match names.len().saturating_sub(MAX_LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

//! The names of shards: `model-00001-of-00004.safetensors`.

use crate::order::filled;
/// Parts of a shard's file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardName<'a> {
    /// What precedes the numbers: the same for all shards of a model.
    pub stem: &'a str,
    /// Which shard this is, from 1.
    pub number: u32,
    /// How many there are.
    pub total: u32,
}

impl<'a> ShardName<'a> {
    /// Recognises a shard by its file name, without folder.
    ///
    /// ```
    /// use gramerge::format::ShardName;
    /// let name = ShardName::parse("model-00002-of-00004.safetensors").unwrap();
    /// assert_eq!((name.stem, name.number, name.total), ("model", 2, 4));
    /// ```
    pub fn parse(file_name: &'a str) -> Option<Self> {
        let name = file_name.strip_suffix(".safetensors")?;
        let (rest, total) = name.rsplit_once("-of-")?;
        let (stem, number) = rest.rsplit_once('-')?;
        let (number, total) = (digits(number)?, digits(total)?);
        (1..=total).contains(&number).then_some(Self { stem, number, total })
    }
}

fn digits(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// The numbers of 1..=`total` that are not in `present`: how many, and the first few.
pub fn missing_numbers(present: &[u32], total: u32) -> (u32, Vec<u32>) {
    let present: std::collections::BTreeSet<u32> =
        filled(present.iter().copied().filter(|number| (1..=total).contains(number)));
    // A hostile name may claim four billion shards: look no further than the first few gaps.
    let first = (1..=total).filter(|number| !present.contains(number));
    (total - present.len() as u32, first.take(super::MAX_LISTED).collect())
}

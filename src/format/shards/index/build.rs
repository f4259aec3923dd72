//! An index while its JSON is read. Shard names are stored once, however many tensors repeat them.
//!
//! Must not know: the shards.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::{ShardIndex, not_an_index};
use crate::format::header::MAX_TENSORS;
use crate::format::json::{Ignored, UniqueMap, repeated};
use crate::order::sort_by;
use crate::{Error, Result, printable};

/// The longest file name of the usual file systems.
const MAX_FILE_NAME_BYTES: usize = 255;

/// What has been read so far.
#[derive(Default)]
pub(super) struct Builder {
    shards: BTreeMap<String, u32>,
    tensors: Vec<(String, u32)>,
    has_weight_map: bool,
    total_size_bytes: Option<u64>,
}

impl Builder {
    pub(super) fn finish(mut self) -> Result<ShardIndex> {
        if !self.has_weight_map {
            return Err(not_an_index("it has no `weight_map`"));
        }
        sort_by(&mut self.tensors, Ord::cmp);
        if let Some(twins) = self.tensors.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let error = Error::input("the index lists this tensor twice").tensor(&twins[0].0);
            return Err(error.advice("download it again, or hand in the shards without it"));
        }
        // From order of appearance to order of names.
        let mut ranks = vec![0; self.shards.len()];
        for (rank, &index) in (0..).zip(self.shards.values()) {
            ranks[index as usize] = rank;
        }
        for (_, shard) in &mut self.tensors {
            *shard = ranks[*shard as usize];
        }
        let Self { tensors, total_size_bytes, .. } = self;
        Ok(ShardIndex { shards: self.shards.into_keys().collect(), tensors, total_size_bytes })
    }

    fn read_metadata(&mut self, metadata: Option<UniqueMap<Ignored>>) {
        let total_size = metadata.as_ref().and_then(|UniqueMap(map)| map.get("total_size"));
        self.total_size_bytes = total_size.and_then(|value| value.natural);
    }

    fn add_tensor<E: serde::de::Error>(&mut self, tensor: String, file: &str) -> Result<(), E> {
        if self.tensors.len() == MAX_TENSORS {
            return Err(E::custom(format_args!("it lists more than {MAX_TENSORS} tensors")));
        }
        let shard = match self.shards.get(file) {
            Some(shard) => *shard,
            None => self.add_shard(file)?,
        };
        self.tensors.push((tensor, shard));
        Ok(())
    }

    fn add_shard<E: serde::de::Error>(&mut self, file: &str) -> Result<u32, E> {
        if !is_plain_name(file) {
            let file = printable(file);
            return Err(E::custom(format_args!(
                "a shard has no plain `.safetensors` file name: `{file}`"
            )));
        }
        let shard = self.shards.len() as u32;
        self.shards.insert(file.to_owned(), shard);
        Ok(shard)
    }
}

/// Whether a name from an index can be nothing but a file beside it: no folder, drive, address or
/// hidden character.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\' | ':');
    name.len() <= MAX_FILE_NAME_BYTES
        && name.strip_suffix(".safetensors").is_some_and(|stem| !stem.is_empty())
        && !name.starts_with('.')
        && name.chars().all(is_plain)
}

impl<'de> DeserializeSeed<'de> for &mut Builder {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Builder {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a `weight_map`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                _ if seen.contains(&key) => return Err(repeated(&key)),
                "weight_map" => map.next_value_seed(WeightMap(self))?,
                "metadata" => self.read_metadata(map.next_value()?),
                _ => {
                    map.next_value::<Ignored>()?;
                }
            }
            seen.insert(key);
        }
        self.has_weight_map = seen.contains("weight_map");
        Ok(())
    }
}

struct WeightMap<'a>(&'a mut Builder);

impl<'de> DeserializeSeed<'de> for WeightMap<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WeightMap<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from tensor names to file names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((tensor, file)) = map.next_entry::<String, String>()? {
            self.0.add_tensor::<A::Error>(tensor, &file)?;
        }
        Ok(())
    }
}

//! Indices of shards: what is read must be what the text says, entry by entry.

use std::collections::BTreeMap;
use std::fmt;

use gramerge::format::ShardIndex;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::allocation;
use crate::case::{Case, File};
use crate::damage;
use crate::hunt::{Target, Verdict};
use crate::json::Node;
use crate::planted::Fault;
use crate::random::Random;

pub(crate) const TARGET: Target = Target { name: "indices", make, check, n_runs: 20_000 };

const NAME: &str = "model.safetensors.index.json";
const TENSORS: [&str; 6] = ["a", "b.weight", "c.bias", "", "é", "__metadata__"];
/// Bytes that a reader may hold at once, per byte of the text; and beside them.
const MAX_EXPANSION: usize = 8;
const SMALL_BYTES: usize = 64 << 10;

fn make(random: &mut Random) -> Case {
    let n_shards = 1 + random.below(3);
    let shard = |n: usize| format!("model-{:05}-of-{n_shards:05}.safetensors", n + 1);
    let entries: Vec<String> = (0..random.below(TENSORS.len()))
        .map(|index| {
            format!("{}:\"{}\"", Value::from(TENSORS[index]), shard(random.below(n_shards)))
        })
        .collect();
    let size = random.below(1 << 20);
    let text =
        format!(r#"{{"metadata":{{"total_size":{size}}},"weight_map":{{{}}}}}"#, entries.join(","));
    let mut node = Node::parse(&text);
    for _ in 0..random.below(4) {
        node.damage(random);
    }
    let mut bytes = node.to_string().into_bytes();
    if random.once_in(8) {
        damage::bytes(&mut bytes, random);
    }
    Case::new("indices", Vec::new(), vec![File { name: NAME.into(), bytes }])
}

fn check(case: &Case, fault: Option<Fault>) -> Verdict {
    let bytes = case.file(NAME).unwrap_or_default();
    let (parsed, peak_bytes) = allocation::peak(|| ShardIndex::parse(bytes));
    if peak_bytes > bytes.len() * MAX_EXPANSION + SMALL_BYTES {
        return Err(format!("reading held {peak_bytes} bytes"));
    }
    let parsed = match (parsed, fault) {
        // Values of the standard parser keep the last of two equal keys.
        (Err(_), Some(Fault::TensorTwice)) => match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => ShardIndex::parse(value.to_string().as_bytes()),
            Err(_) => return Ok(()),
        },
        (parsed, _) => parsed,
    };
    match parsed {
        Ok(index) => compare(&index, bytes),
        Err(error) if error.to_string().contains(char::is_control) => {
            Err(format!("a bad sentence: {error:?}"))
        }
        Err(_) => Ok(()),
    }
}

/// Every entry of the text is in the index, and nothing else; names are those of plain files.
fn compare(index: &ShardIndex, bytes: &[u8]) -> Verdict {
    let Pairs(top) = serde_json::from_slice(bytes).map_err(|error| format!("read: {error}"))?;
    let maps: Vec<&Value> =
        top.iter().filter(|(key, _)| key == "weight_map").map(|(_, value)| value).collect();
    let [_] = maps[..] else { return Err(format!("it has {} weight maps", maps.len())) };
    let text = weight_map(bytes).map_err(|error| format!("read: {error}"))?;
    let wanted: BTreeMap<&str, &str> =
        text.iter().map(|(tensor, shard)| (tensor.as_str(), shard.as_str())).collect();
    if wanted.len() != text.len() {
        return Err("an index that lists a tensor twice was read".into());
    }
    if index.tensors().collect::<BTreeMap<_, _>>() != wanted {
        return Err("the index holds other entries than its text".into());
    }
    let is_plain = |name: &&str| {
        name.ends_with(".safetensors")
            && !name.contains(['/', '\\', ':', '\0'])
            && !name.starts_with('.')
    };
    match wanted.values().find(|name| !is_plain(name)) {
        None => Ok(()),
        Some(name) => Err(format!("the name {name:?} was accepted")),
    }
}

/// An object's entries as they are written, repeated keys included.
struct Pairs<V>(Vec<(String, V)>);

impl<'de, V: serde::Deserialize<'de>> serde::Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(All(std::marker::PhantomData))
    }
}

struct All<V>(std::marker::PhantomData<V>);

impl<'de, V: serde::Deserialize<'de>> Visitor<'de> for All<V> {
    type Value = Pairs<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

/// The entries of `weight_map`.
fn weight_map(bytes: &[u8]) -> serde_json::Result<Vec<(String, String)>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: Pairs<String>,
    }
    let Index { weight_map: Pairs(entries) } = serde_json::from_slice(bytes)?;
    Ok(entries)
}

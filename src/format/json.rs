//! Pieces of a stricter JSON reading than serde's own: repeated keys are an error, also inside
//! values that nobody asked for.
//!
//! Must not know: what the JSON means.
//! Invariants: no value is built that is not asked for; nesting is bounded by serde_json's limit,
//! which is why [`Ignored`] walks values itself (`IgnoredAny` has no limit and skips checks).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON object whose keys are all different.
pub(super) struct UniqueMap<V>(pub(super) BTreeMap<String, V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for UniqueMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueMapVisitor(PhantomData))
    }
}

struct UniqueMapVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for UniqueMapVisitor<V> {
    type Value = UniqueMap<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if entries.contains_key(&key) {
                return Err(repeated(&key));
            }
            let value = map.next_value()?;
            entries.insert(key, value);
        }
        Ok(UniqueMap(entries))
    }
}

/// The error for a key that an object has twice: two readers would disagree on which one counts.
pub(super) fn repeated<E: serde::de::Error>(key: &str) -> E {
    E::custom(format_args!("a key appears twice: `{}`", crate::printable(key)))
}

/// Any JSON value, checked and dropped; only a whole number is remembered, also one that was
/// written with a fraction or exponent.
pub(super) struct Ignored {
    pub(super) natural: Option<u64>,
}

const DROPPED: Ignored = Ignored { natural: None };

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IgnoredVisitor)
    }
}

struct IgnoredVisitor;

impl<'de> Visitor<'de> for IgnoredVisitor {
    type Value = Ignored;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Ignored, E> {
        Ok(DROPPED)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Ignored, E> {
        Ok(DROPPED)
    }

    fn visit_u64<E>(self, n: u64) -> Result<Ignored, E> {
        Ok(Ignored { natural: Some(n) })
    }

    fn visit_f64<E>(self, x: f64) -> Result<Ignored, E> {
        let is_natural = x.fract() == 0.0 && (0.0..=9e15).contains(&x);
        Ok(Ignored { natural: is_natural.then_some(x as u64) })
    }

    fn visit_str<E>(self, _: &str) -> Result<Ignored, E> {
        Ok(DROPPED)
    }

    fn visit_unit<E>(self) -> Result<Ignored, E> {
        Ok(DROPPED)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Ignored, A::Error> {
        while seq.next_element::<Ignored>()?.is_some() {}
        Ok(DROPPED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ignored, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<Ignored>()?;
            if let Some(key) = seen.replace(key) {
                return Err(repeated(&key));
            }
        }
        Ok(DROPPED)
    }
}

/// serde_json's message in words fit to print: without its position where the position says
/// nothing (a wrong value is named by its key), of bounded length.
pub(super) fn message(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if error.is_data()
        && let Some(end) = text.rfind(" at line ")
    {
        text.truncate(end);
    }
    crate::printable(&text)
}

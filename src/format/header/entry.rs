//! One tensor's entry in the header: dtype, shape and offsets, each exactly once.
//!
//! Must not know: the tensor's name, other tensors.
//! Invariants: numbers are whole and in range; no key appears twice; unknown fields are checked
//! and dropped.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{MAX_DIMENSION, MAX_RANK};
use crate::format::json::{Ignored, repeated};
use crate::printable;
use crate::tensor::dtype::Dtype;

/// The value of one tensor's key.
pub(super) struct Entry {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<u64>,
    pub(super) begin_bytes: u64,
    pub(super) end_bytes: u64,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with dtype, shape and data_offsets")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let (mut dtype, mut shape, mut offsets) = (None, None, None);
        let mut others = BTreeSet::new();
        while let Some(Text(field)) = map.next_key()? {
            match field.as_ref() {
                "dtype" => once(&mut dtype, "dtype", &mut map, |DtypeName(dtype)| dtype)?,
                "shape" => once(&mut shape, "shape", &mut map, |Shape(shape)| shape)?,
                "data_offsets" => once(&mut offsets, "data_offsets", &mut map, |pair| pair)?,
                other => {
                    map.next_value::<Ignored>()?;
                    if !others.insert(other.to_owned()) {
                        return Err(repeated(other));
                    }
                }
            }
        }
        let (Natural(begin_bytes), Natural(end_bytes)) = required(offsets, "data_offsets")?;
        let (dtype, shape) = (required(dtype, "dtype")?, required(shape, "shape")?);
        Ok(Entry { dtype, shape, begin_bytes, end_bytes })
    }
}

fn once<'de, A: MapAccess<'de>, V: Deserialize<'de>, T>(
    slot: &mut Option<T>,
    field: &'static str,
    map: &mut A,
    unwrap: impl FnOnce(V) -> T,
) -> Result<(), A::Error> {
    match slot.replace(unwrap(map.next_value()?)) {
        None => Ok(()),
        Some(_) => Err(repeated(field)),
    }
}

fn required<T, E: serde::de::Error>(slot: Option<T>, field: &'static str) -> Result<T, E> {
    slot.ok_or_else(|| E::missing_field(field))
}

/// A string, borrowed where the JSON has no escapes in it.
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(text.to_owned().into()))
    }
}

struct DtypeName(Dtype);

impl<'de> Deserialize<'de> for DtypeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(name) = Text::deserialize(deserializer)?;
        Dtype::from_name(&name)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format_args!("unknown dtype `{}`", printable(&name))))
    }
}

struct Shape(Vec<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of dimensions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut shape = Vec::new();
        while let Some(Natural(n)) = seq.next_element()? {
            if shape.len() == MAX_RANK {
                let what = format_args!("it has more than {MAX_RANK} dimensions");
                return Err(A::Error::custom(what));
            }
            if n > MAX_DIMENSION {
                return Err(A::Error::custom(format_args!("the dimension {n} is too large")));
            }
            shape.push(n);
        }
        Ok(Shape(shape))
    }
}

/// A JSON number without sign, fraction or exponent.
struct Natural(u64);

impl<'de> Deserialize<'de> for Natural {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(NaturalVisitor)
    }
}

struct NaturalVisitor;

impl Visitor<'_> for NaturalVisitor {
    type Value = Natural;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 to 2^64 - 1")
    }

    fn visit_u64<E>(self, n: u64) -> Result<Natural, E> {
        Ok(Natural(n))
    }
}

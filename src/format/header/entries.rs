//! The header's JSON, tensor by tensor, without building a tree of it.
//!
//! Must not know: whether the tensors fit together.
//! Invariants: no repeated key inside an entry or the metadata (repeated tensors show after
//! sorting, in the parent); memory is bounded by the header's length and by `MAX_TENSORS`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::entry::Entry;
use super::{MAX_NAME_BYTES, MAX_TENSORS, METADATA_KEY, TensorInfo, WRITE_AGAIN, unreadable};
use crate::format::json::{UniqueMap, repeated};
use crate::{Error, Result};

/// What the JSON says, tensors in the order written.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) tensors: Vec<TensorInfo>,
    pub(super) metadata: BTreeMap<String, String>,
    has_metadata: bool,
    /// The entry being read, so that an error can name it.
    current: Option<String>,
}

pub(super) fn parse(json: &[u8]) -> Result<Entries> {
    let text = std::str::from_utf8(json)
        .map_err(|_| Error::input("its header is not UTF-8 text").advice(WRITE_AGAIN))?;
    let mut entries = Entries::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match (&mut entries).deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
        Ok(()) => Ok(entries),
        Err(error) => Err(in_entry(&error, entries.current)),
    }
}

fn in_entry(error: &serde_json::Error, current: Option<String>) -> Error {
    let error = unreadable(error).advice(WRITE_AGAIN);
    match current {
        Some(name) => error.tensor(name),
        None => error,
    }
}

impl<'de> DeserializeSeed<'de> for &mut Entries {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Entries {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one entry per tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == METADATA_KEY {
                self.read_metadata(&mut map)?;
            } else {
                self.read_tensor(name, &mut map)?;
            }
        }
        Ok(())
    }
}

impl Entries {
    fn read_metadata<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        if std::mem::replace(&mut self.has_metadata, true) {
            return Err(repeated(METADATA_KEY));
        }
        self.current = Some(METADATA_KEY.to_owned());
        if let Some(UniqueMap(metadata)) = map.next_value()? {
            self.metadata = metadata;
        }
        self.current = None;
        Ok(())
    }

    fn read_tensor<'de, A: MapAccess<'de>>(
        &mut self,
        name: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        if self.tensors.len() == MAX_TENSORS {
            return Err(A::Error::custom(format_args!("it has more than {MAX_TENSORS} tensors")));
        }
        let too_long = name.len() > MAX_NAME_BYTES;
        self.current = Some(name);
        if too_long {
            let what = format_args!("the name is longer than {MAX_NAME_BYTES} bytes");
            return Err(A::Error::custom(what));
        }
        let Entry { dtype, shape, begin_bytes, end_bytes } = map.next_value()?;
        let name = self.current.take().unwrap_or_default();
        self.tensors.push(TensorInfo { name, dtype, shape, begin_bytes, end_bytes });
        Ok(())
    }
}

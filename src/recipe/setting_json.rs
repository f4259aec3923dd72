//! A setting from JSON or from a page's message: a number, a switch, a list of either, or filters.
//!
//! By hand, since what a derived reader of such a choice needs is larger than all settings' own code.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Filtered, Setting};

/// Whatever stands where a setting may.
enum Part {
    Number(f64),
    Switch(bool),
    Filtered(Filtered),
    List(Vec<Part>),
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mixed =
            || D::Error::custom("a list holds numbers, switches or filters, and one kind alone");
        match Part::deserialize(deserializer)? {
            Part::Number(value) => Ok(Self::Value(value)),
            Part::Switch(is_on) => Ok(Self::Switch(is_on)),
            Part::Filtered(one) => Ok(Self::Filtered(vec![one])),
            Part::List(parts) => list(parts).ok_or_else(mixed),
        }
    }
}

fn list(parts: Vec<Part>) -> Option<Setting> {
    let n = parts.len();
    let (mut numbers, mut switches, mut filtered) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Number(value) => numbers.push(value),
            Part::Switch(is_on) => switches.push(is_on),
            Part::Filtered(one) => filtered.push(one),
            Part::List(_) => return None,
        }
    }
    match n {
        n if n == numbers.len() => Some(Setting::Gradient(numbers)),
        n if n == switches.len() => Some(Setting::Switches(switches)),
        n if n == filtered.len() => Some(Setting::Filtered(filtered)),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parts)
    }
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Part;

    fn expecting(&self, words: &mut fmt::Formatter<'_>) -> fmt::Result {
        words.write_str("a number, true, false, a list or a filter")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Part, E> {
        Ok(Part::Number(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Part, E> {
        Ok(Part::Number(value as f64))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Part, E> {
        Ok(Part::Number(value as f64))
    }

    fn visit_bool<E: Error>(self, is_on: bool) -> Result<Part, E> {
        Ok(Part::Switch(is_on))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Part, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element()? {
            parts.push(part);
        }
        Ok(Part::List(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let (mut filter, mut value) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "filter" => filter = map.next_value()?,
                "value" => value = Some(map.next_value()?),
                _ => return Err(A::Error::unknown_field(&key, &["filter", "value"])),
            }
        }
        let value = value.ok_or_else(|| A::Error::missing_field("value"))?;
        Ok(Part::Filtered(Filtered { filter, value: Box::new(value) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_survives() {
        let value = |value| Box::new(Setting::Value(value));
        for setting in [
            Setting::Value(0.5),
            Setting::Value(2.0),
            Setting::Switch(true),
            Setting::Gradient(vec![0.0, 1.0]),
            Setting::Switches(vec![true, false]),
            Setting::Filtered(vec![
                Filtered { filter: Some("mlp".into()), value: value(1.0) },
                Filtered { filter: None, value: Box::new(Setting::Gradient(vec![0.5, -1.0])) },
            ]),
        ] {
            let json = serde_json::to_string(&setting).unwrap();
            assert_eq!(serde_json::from_str::<Setting>(&json).unwrap(), setting, "{json}");
        }
        for wrong in
            ["[1, true]", "\"x\"", "[[1]]", "{\"filter\": \"x\"}", "{\"value\": 1, \"x\": 2}"]
        {
            assert!(serde_json::from_str::<Setting>(wrong).is_err(), "{wrong}");
        }
    }
}

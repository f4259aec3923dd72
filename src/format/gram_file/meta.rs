//! A Gram file's metadata: format version, normalization, row counts, aliases, fingerprint.
//!
//! Must not know: tensors.
//! Invariants: an unknown version is refused, since its meaning is; row counts are positive.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Normalization;
use crate::format::json::{UniqueMap, message};
use crate::{Error, Result, printable};

/// Metadata key whose presence makes a file a Gram file.
pub(super) const FORMAT_KEY: &str = "gram_format";
const FORMAT: &str = "1";

/// The metadata, read but not yet compared with the tensors.
pub(super) struct Meta {
    pub(super) normalization: Normalization,
    pub(super) rows: BTreeMap<String, f64>,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) source: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) warnings: Vec<String>,
}

impl Meta {
    pub(super) fn parse(metadata: &BTreeMap<String, String>) -> Result<Self> {
        check_format(metadata.get(FORMAT_KEY))?;
        let rows: BTreeMap<String, f64> = object(metadata, "rows")?;
        if let Some((name, count)) = rows.iter().find(|(_, count)| **count <= 0.0) {
            let what = format!("its row count in the metadata `rows` is {count}");
            let advice = "a Gram matrix sums one row at least; count them, or leave it out";
            return Err(Error::input(what).tensor(name).advice(advice));
        }
        let normalization = normalization(metadata.get("normalization"))?;
        let aliases = object(metadata, "aliases")?;
        let (fingerprint, warning) = fingerprint(metadata.get("fingerprint"));
        let (source, warnings) = (metadata.get("source").cloned(), Vec::from_iter(warning));
        Ok(Self { normalization, rows, aliases, source, fingerprint, warnings })
    }
}

/// In lower case, or a warning about what is none.
fn fingerprint(text: Option<&String>) -> (Option<String>, Option<String>) {
    let Some(text) = text else { return (None, None) };
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return (Some(text.to_ascii_lowercase()), None);
    }
    let shown = printable(text);
    (None, Some(format!("The Gram file's fingerprint `{shown}` is no SHA-256 in hexadecimal.")))
}

fn check_format(format: Option<&String>) -> Result<()> {
    match format {
        None => Ok(()),
        Some(format) if format == FORMAT => Ok(()),
        Some(format) => {
            let what = format!("its gram_format is `{}`, not `{FORMAT}`", printable(format));
            Err(Error::input(what).advice("use a version of gramerge that knows this format"))
        }
    }
}

fn normalization(text: Option<&String>) -> Result<Normalization> {
    match text.map(String::as_str) {
        None | Some("mean") => Ok(Normalization::Mean),
        Some("sum") => Ok(Normalization::Sum),
        Some(other) => {
            let what = format!("its normalization is `{}`", printable(other));
            Err(Error::input(what).advice("it has to be `mean` or `sum`"))
        }
    }
}

/// A metadata value that is itself a JSON object.
fn object<V: for<'de> Deserialize<'de>>(
    metadata: &BTreeMap<String, String>,
    key: &str,
) -> Result<BTreeMap<String, V>> {
    let Some(json) = metadata.get(key) else {
        return Ok(BTreeMap::new());
    };
    match serde_json::from_str(json) {
        Ok(UniqueMap(object)) => Ok(object),
        Err(error) => {
            let what = format!("its metadata `{key}` is wrong: {}", message(&error));
            Err(Error::input(what).advice("it has to be a JSON object with weight names as keys"))
        }
    }
}

//! A Gram file's metadata: format version, normalization, row counts, aliases.
//!
//! Must not know: tensors, other than through the entries that aliases lead to.
//! Invariants: an unknown version is refused, since its meaning is; no alias leads in a circle.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::names::canonical_weight_name;
use super::{GramEntry, Normalization};
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
}

impl Meta {
    pub(super) fn parse(metadata: &BTreeMap<String, String>) -> Result<Self> {
        check_format(metadata.get(FORMAT_KEY))?;
        let rows: BTreeMap<String, f64> = object(metadata, "rows")?;
        if let Some((name, _)) = rows.iter().find(|(_, count)| !is_row_count(**count)) {
            return Err(Error::input("its row count in the metadata is negative").tensor(name));
        }
        let normalization = normalization(metadata.get("normalization"))?;
        let aliases = object(metadata, "aliases")?;
        Ok(Self { normalization, rows, aliases, source: metadata.get("source").cloned() })
    }
}

fn is_row_count(count: f64) -> bool {
    count.is_finite() && count >= 0.0
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

/// Canonical alias to the canonical name of the Gram matrix that it finally leads to.
pub(super) fn resolve_aliases(
    aliases: &BTreeMap<String, String>,
    entries: &BTreeMap<String, GramEntry>,
) -> Result<BTreeMap<String, String>> {
    let links = canonical_links(aliases, entries)?;
    let mut resolved = BTreeMap::new();
    for &alias in links.keys() {
        let (path, target) = follow(alias, &links, &resolved, entries)?;
        for step in path {
            resolved.insert(step.to_owned(), target.clone());
        }
    }
    Ok(resolved)
}

/// The links with canonical names at both ends, without those that lead to themselves.
fn canonical_links<'a>(
    aliases: &'a BTreeMap<String, String>,
    entries: &BTreeMap<String, GramEntry>,
) -> Result<BTreeMap<&'a str, &'a str>> {
    let mut links = BTreeMap::new();
    for (alias, target) in aliases {
        let (from, to) = (canonical_weight_name(alias), canonical_weight_name(target));
        let has_own = entries.contains_key(from);
        if has_own && from == to {
            continue;
        }
        if has_own || links.insert(from, to).is_some_and(|before| before != to) {
            let what = "the metadata `aliases` gives this weight a second Gram matrix";
            return Err(Error::input(what).tensor(alias).advice("remove one of the two"));
        }
    }
    Ok(links)
}

/// The aliases passed on the way to a Gram matrix, and its canonical name. Each is passed once in
/// all calls together, so that long chains cost no more than short ones.
fn follow<'a>(
    alias: &'a str,
    links: &BTreeMap<&'a str, &'a str>,
    resolved: &BTreeMap<String, String>,
    entries: &BTreeMap<String, GramEntry>,
) -> Result<(BTreeSet<&'a str>, String)> {
    let mut path = BTreeSet::new();
    let mut name = alias;
    loop {
        if let Some(target) = resolved.get(name) {
            return Ok((path, target.clone()));
        }
        if entries.contains_key(name) {
            return Ok((path, name.to_owned()));
        }
        let Some(next) = links.get(name) else {
            let what =
                format!("its alias leads to `{}`, which has no Gram matrix", printable(name));
            return Err(Error::input(what).tensor(alias).advice("correct the metadata `aliases`"));
        };
        if !path.insert(name) {
            let what = "its alias leads in a circle";
            return Err(Error::input(what).tensor(alias).advice("correct the metadata `aliases`"));
        }
        name = next;
    }
}

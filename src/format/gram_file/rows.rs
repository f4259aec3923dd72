//! Row counts: how many inputs each Gram matrix was made of.
//!
//! Must not know: tensors, other than by their names.
//! Invariants: two different counts for one matrix are refused.

use std::collections::BTreeMap;

use super::names::{Closest, Names};
use super::{GramEntry, unclear};
use crate::{Error, Result, printable};

/// Gives every matrix its row count. Counts of weights without a matrix are harmless, but hint at a
/// wrong name: they are a warning.
pub(super) fn add(
    entries: &mut BTreeMap<String, GramEntry>,
    names: &Names<'_>,
    aliases: &BTreeMap<String, String>,
    rows: &BTreeMap<String, f64>,
) -> Result<Vec<String>> {
    let mut spelled: BTreeMap<&str, &str> = BTreeMap::new();
    let shared = Names::new(aliases.keys().map(String::as_str));
    let mut strangers = Vec::new();
    for (name, count) in rows {
        if names.twin(name).is_none() && shared.twin(name).is_some() {
            continue;
        }
        let key = match names.closest(name) {
            Closest::One(key) => key,
            Closest::Several(one, other) => {
                return Err(unclear("in the metadata `rows`, it", [one, other]).tensor(name));
            }
            Closest::None if shared.closest(name) != Closest::None => continue,
            Closest::None => {
                strangers.push(name);
                continue;
            }
        };
        let Some(entry) = entries.get_mut(key) else { continue };
        let before = spelled.insert(key, name);
        match (entry.rows.replace(*count), before) {
            (Some(other), Some(twin)) if other != *count => {
                let what = format!(
                    "the metadata `rows` gives it {other} rows as `{}` and {count} as `{}`",
                    printable(twin),
                    printable(name)
                );
                return Err(Error::input(what).tensor(key).advice("remove one of the two"));
            }
            _ => {}
        }
    }
    Ok(strange(&strangers))
}

fn strange(strangers: &[&String]) -> Vec<String> {
    let Some(first) = strangers.first().map(|name| printable(name)) else {
        return Vec::new();
    };
    let n = strangers.len();
    vec![format!("Row counts are given for {n} weights without a Gram matrix, such as `{first}`.")]
}

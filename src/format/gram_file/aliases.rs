//! Aliases: further weights that share a Gram matrix.
//!
//! Must not know: tensors, other than by their names.
//! Invariants: every alias leads to a matrix that is there; none leads in a circle, or gives a
//! weight a second matrix.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Closest, Names};
use super::unclear;
use crate::{Error, Result, printable};

/// Each alias with the name of the Gram matrix that it finally leads to.
pub(super) fn resolve(
    aliases: &BTreeMap<String, String>,
    grams: &Names<'_>,
) -> Result<BTreeMap<String, String>> {
    let links = Links::new(aliases, grams)?;
    let mut resolved = BTreeMap::new();
    for &alias in links.targets.keys() {
        let (path, target) = links.follow(alias, &resolved)?;
        for step in path {
            resolved.insert(step.to_owned(), target.clone());
        }
    }
    Ok(resolved)
}

/// The aliases without those that lead to themselves.
struct Links<'a> {
    targets: BTreeMap<&'a str, &'a str>,
    names: Names<'a>,
    grams: &'a Names<'a>,
}

impl<'a> Links<'a> {
    fn new(aliases: &'a BTreeMap<String, String>, grams: &'a Names<'a>) -> Result<Self> {
        let mut links = Self { targets: BTreeMap::new(), names: Names::default(), grams };
        for (alias, target) in aliases {
            let own = match grams.twin(alias) {
                None if alias == target => grams.closest(alias),
                Some(own) => Closest::One(own),
                None => Closest::None,
            };
            if own != Closest::None && own == grams.closest(target) {
                continue;
            }
            let twin = links.names.twin(alias).and_then(|twin| links.targets.get(twin));
            if own != Closest::None || twin.is_some_and(|before| *before != target) {
                let what = "the metadata `aliases` gives this weight a second Gram matrix";
                return Err(Error::input(what).tensor(alias).advice("remove one of the two"));
            }
            if twin.is_none() {
                links.names.insert(alias);
                links.targets.insert(alias, target);
            }
        }
        Ok(links)
    }

    /// The aliases passed on the way to a Gram matrix, and its name. Each is passed once in all
    /// calls together, so that long chains cost no more than short ones.
    fn follow(
        &self,
        alias: &'a str,
        resolved: &BTreeMap<String, String>,
    ) -> Result<(BTreeSet<&'a str>, String)> {
        let mut path = BTreeSet::new();
        let mut step = alias;
        loop {
            if let Some(target) = resolved.get(step) {
                return Ok((path, target.clone()));
            }
            if !path.insert(step) {
                let what = "its alias leads in a circle";
                return Err(wrong(what, alias));
            }
            let name = self.targets.get(step).copied().unwrap_or(step);
            // A closer alias comes before a Gram matrix of another spelling.
            let further = self.names.twin(name).filter(|_| self.grams.twin(name).is_none());
            step = match (further, self.grams.closest(name)) {
                (Some(further), _) => further,
                (None, Closest::One(gram)) => return Ok((path, gram.to_owned())),
                (None, Closest::Several(one, other)) => {
                    return Err(unclear("its alias", [one, other]).tensor(alias));
                }
                (None, Closest::None) => match self.names.closest(name) {
                    Closest::One(further) => further,
                    Closest::None | Closest::Several(..) => {
                        let name = printable(name);
                        let what = format!("its alias leads to `{name}`, which has no Gram matrix");
                        return Err(wrong(what, alias));
                    }
                },
            };
        }
    }
}

fn wrong(what: impl Into<String>, alias: &str) -> Error {
    Error::input(what).tensor(alias).advice("correct the metadata `aliases`")
}

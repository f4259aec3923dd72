//! Which weights of a checkpoint a Gram file's matrices belong to.
//!
//! Must not know: shapes, values, other models.
//! Invariants: a matrix or alias goes to one weight at most, and a weight has one at most; a name
//! that both sides have is never given to another; what is unclear is said, not guessed.

use std::collections::BTreeMap;

use super::GramFile;
use super::names::{Closest, Names};
use crate::order::filled;
use crate::printable;

/// What a Gram file has for a weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GramMatch {
    /// A matrix of its own, by its key in [`GramFile::entries`].
    Own(String),
    /// Another weight's matrix, by its key, through an alias.
    Shared(String),
    /// Two names are as close to each other: a sentence about them.
    Unclear(String),
}

impl GramMatch {
    /// The matrix's key in [`GramFile::entries`].
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Own(key) | Self::Shared(key) => Some(key),
            Self::Unclear(_) => None,
        }
    }
}

/// What a Gram file has for each weight of a checkpoint, by the weight's full name.
pub type GramMatches = BTreeMap<String, GramMatch>;

impl GramFile {
    /// Finds the weights, of a checkpoint's tensor names, that the matrices and aliases mean.
    pub fn matches<'a>(&self, weights: impl IntoIterator<Item = &'a str>) -> GramMatches {
        let names = || self.entries.keys().chain(self.aliases.keys()).map(String::as_str);
        let (all_grams, all_weights) = (Names::new(names()), Names::new(weights));
        // What both sides have by its full name is settled.
        let grams = Names::new(names().filter(|name| !all_weights.has(name)));
        let weights = Names::new(all_weights.iter().filter(|name| !all_grams.has(name)));
        let exact = names().filter(|name| all_weights.has(name));
        let mut found: GramMatches =
            filled(exact.map(|name| (name.to_owned(), self.match_of(name))));
        for weight in weights.iter() {
            if let Some(what) = self.inexact(weight, &grams, &weights) {
                found.insert(weight.to_owned(), what);
            }
        }
        found
    }

    /// A match of two names that are each other's closest.
    fn inexact(&self, weight: &str, grams: &Names<'_>, weights: &Names<'_>) -> Option<GramMatch> {
        let gram = match grams.closest(weight) {
            Closest::None => return None,
            Closest::One(gram) => gram,
            Closest::Several(one, other) => {
                let (one, other) = (printable(one), printable(other));
                return Some(GramMatch::Unclear(format!(
                    "the Gram file's `{one}` and `{other}` could both be its own; name it in full \
                     there"
                )));
            }
        };
        match weights.closest(gram) {
            Closest::One(back) if back == weight => Some(self.match_of(gram)),
            Closest::One(_) | Closest::None => None,
            Closest::Several(one, other) => {
                let rival = printable(if one == weight { other } else { one });
                let gram = printable(gram);
                Some(GramMatch::Unclear(format!(
                    "the Gram file's `{gram}` could be that of `{rival}` as well; name it in full \
                     there"
                )))
            }
        }
    }

    fn match_of(&self, name: &str) -> GramMatch {
        match self.aliases.get(name) {
            Some(key) => GramMatch::Shared(key.clone()),
            None => GramMatch::Own(name.to_owned()),
        }
    }
}

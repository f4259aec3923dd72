//! Names of weights as Gram files spell them, and names of Gram files themselves.
//!
//! Wrappers prefix parameter names (`module.` by parallel training, `model.` by task heads), and
//! tools key Gram matrices by module or by parameter. A key that matches nothing would silently
//! turn RegMean into averaging, so all these spellings may mean one weight; but `fc.weight` and
//! `model.fc.weight` may stand beside each other too, so the closest spelling comes first.

use std::collections::{BTreeMap, BTreeSet};

const WRAPPERS: [&str; 2] = ["module.", "model."];
const WEIGHT_SUFFIX: &str = ".weight";

/// The spelling that all spellings of a weight's name share: without leading `module.` and
/// `model.`, however often, and without `.weight`.
///
/// ```
/// use gramerge::format::canonical_weight_name;
/// assert_eq!(canonical_weight_name("module.model.layers.0.q.weight"), "layers.0.q");
/// assert_eq!(canonical_weight_name("layers.0.q"), "layers.0.q");
/// ```
pub fn canonical_weight_name(name: &str) -> &str {
    let mut name = stem(name);
    while let Some(rest) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        if rest.is_empty() {
            break;
        }
        name = rest;
    }
    name
}

/// A weight's name as its module's.
fn stem(name: &str) -> &str {
    name.strip_suffix(WEIGHT_SUFFIX).unwrap_or(name)
}

/// The names of a set that are closest to one that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closest<'a> {
    /// It has no spelling in the set.
    None,
    /// It is this one.
    One(&'a str),
    /// It is as close to these two, and perhaps to others.
    Several(&'a str, &'a str),
}

/// A set of names in which other spellings of them are found, too.
#[derive(Default)]
pub(super) struct Names<'a> {
    exact: BTreeSet<&'a str>,
    by_stem: BTreeMap<&'a str, &'a str>,
    /// Two of each suffice: then none is the closest.
    by_canonical: BTreeMap<&'a str, (&'a str, Option<&'a str>)>,
}

impl<'a> Names<'a> {
    pub(super) fn new(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for name in names {
            all.insert(name);
        }
        all
    }

    /// Adds a name; answers with the one that differs from it by `.weight` alone, or not at all.
    pub(super) fn insert(&mut self, name: &'a str) -> Option<&'a str> {
        let (canonical, is_new) = (canonical_weight_name(name), self.exact.insert(name));
        let twin = self.by_stem.insert(stem(name), name);
        match self.by_canonical.get_mut(canonical) {
            None => drop(self.by_canonical.insert(canonical, (name, None))),
            Some((_, second)) if is_new => drop(second.get_or_insert(name)),
            Some(_) => {}
        }
        twin
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.exact.iter().copied()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.exact.contains(name)
    }

    /// The name itself, else one that differs by `.weight` alone, else one that differs by
    /// wrappers.
    pub(super) fn closest(&self, name: &str) -> Closest<'a> {
        if let Some(twin) = self.twin(name) {
            return Closest::One(twin);
        }
        match self.by_canonical.get(canonical_weight_name(name)) {
            None => Closest::None,
            Some((only, None)) => Closest::One(only),
            Some((first, Some(second))) => Closest::Several(first, second),
        }
    }

    /// The name itself, else one that differs by `.weight` alone.
    pub(super) fn twin(&self, name: &str) -> Option<&'a str> {
        self.exact.get(name).or_else(|| self.by_stem.get(stem(name))).copied()
    }
}

/// Whether a file's name says that it is a Gram file: one of its words is `gram` or `grams`,
/// perhaps with a number or letter (`gramA`, `gram_v2`), unlike `program` or `grammar`.
pub fn has_gram_name(path: &str) -> bool {
    let base = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    base.split(|c: char| !c.is_ascii_alphanumeric()).any(is_gram_word)
}

fn is_gram_word(word: &str) -> bool {
    let Some(rest) = word.strip_prefix("gram") else {
        return false;
    };
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    rest.len() <= 1 || rest.bytes().all(|b| b.is_ascii_digit())
}

//! What paths have in common.
//!
//! Paths are compared as sets of words, so that `gram_a` and `model_a`, or `a.gram.safetensors` and
//! `a/model.safetensors`, are recognised as a pair.

use crate::order::filled;
use std::collections::BTreeSet;

/// Words that name no particular model. Plurals precede singulars.
const NOISE: [&str; 10] = [
    "safetensors",
    "checkpoints",
    "checkpoint",
    "pytorch",
    "weights",
    "models",
    "model",
    "grams",
    "gram",
    "ckpt",
];

/// The folder part of a path, without the last separator.
pub(super) fn folder(path: &str) -> &str {
    path.rfind(['/', '\\']).map_or("", |end| &path[..end])
}

/// The file name at the end of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rfind(['/', '\\']).map_or(path, |end| &path[end + 1..])
}

/// The file name without `.safetensors`.
pub(super) fn stem(path: &str) -> &str {
    let base = base_name(path);
    base.strip_suffix(".safetensors").unwrap_or(base)
}

/// The words of a path that can tell models apart, in lower case.
pub(super) fn words(path: &str) -> BTreeSet<String> {
    let path = path.to_ascii_lowercase();
    let words = path.split(|c: char| !c.is_alphanumeric());
    filled(words.map(without_noise).filter(|word| !word.is_empty()).map(str::to_owned))
}

/// `modela` and `grama` both become `a`, `model2` becomes `2`; other words stay.
fn without_noise(word: &str) -> &str {
    let is_label = |rest: &str| rest.len() <= 1 || rest.bytes().all(|b| b.is_ascii_digit());
    let rest = NOISE.iter().find_map(|noise| word.strip_prefix(noise));
    rest.filter(|rest| is_label(rest)).unwrap_or(word)
}

/// Agreement of two sets of words, 0 to 1000: twice the common ones over all (Dice).
pub(super) fn agreement(a: &BTreeSet<String>, b: &BTreeSet<String>) -> usize {
    let n_common = a.intersection(b).count();
    (2000 * n_common).checked_div(a.len() + b.len()).unwrap_or(0)
}

/// Whether `text` mentions `name` by itself, not as a part of a longer word.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

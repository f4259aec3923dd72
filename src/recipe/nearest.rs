//! The known name that a misspelt one was probably meant to be.

use super::yaml::wrong_so;
use crate::{Error, printable};

/// Characters beyond which a name is not compared.
const MAX_CHARS: usize = 64;

/// An error that says what is not there, and advises the nearest known name, or all if none is near.
#[cold]
pub(super) fn unknown(line: usize, what_lacks: &str, name: &str, known: &[&str]) -> Box<Error> {
    let advice = match nearest(name, known) {
        Some(other) => format!("did you mean `{other}`?"),
        None => format!("there are {}", known.join(", ")),
    };
    wrong_so(line, &format!("{what_lacks} `{}`", printable(name)), &advice)
}

/// The known name that is nearest, if one is near.
#[cold]
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let mut found = None;
    let mut least = usize::MAX;
    for other in known {
        let distance = distance(name, other);
        if distance < least && distance <= (other.len() / 3).max(1) {
            (found, least) = (Some(*other), distance);
        }
    }
    found
}

/// Letters to add, remove, change, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    match a.len().max(b.len()) > MAX_CHARS {
        true => MAX_CHARS,
        false => strsim::osa_distance(a, b),
    }
}

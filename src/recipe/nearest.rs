//! The known name that a misspelt one was probably meant to be.

use super::yaml::wrong_so;
use crate::{Error, printable};

/// Characters beyond which a name is not compared.
const MAX_CHARS: usize = 64;

/// An error that says what is not there, and advises the nearest known name, or all if none is near.
#[cold]
pub(super) fn unknown(line: usize, what_lacks: &str, name: &str, known: &[&str]) -> Box<Error> {
    let mut advice = format!("there are {}", known.join(", "));
    let mut nearest = usize::MAX;
    for other in known {
        let distance = distance(name, other);
        if distance < nearest && distance <= (other.len() / 3).max(1) {
            nearest = distance;
            advice = format!("did you mean `{other}`?");
        }
    }
    wrong_so(line, &format!("{what_lacks} `{}`", printable(name)), &advice)
}

/// Letters to add, remove, change, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    match a.len().max(b.len()) > MAX_CHARS {
        true => MAX_CHARS,
        false => strsim::osa_distance(a, b),
    }
}

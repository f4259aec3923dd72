//! The known name that a misspelt one was probably meant to be.

use super::yaml::wrong;
use crate::{Error, printable};

/// Characters beyond which a name is not compared.
const MAX_CHARS: usize = 64;

/// An error that says what is not there, and advises the nearest known name, or all if none is near.
pub(super) fn unknown<'a>(
    line: usize,
    what_lacks: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Error {
    let known: Vec<&str> = known.collect();
    let error = wrong(line, format!("{what_lacks} `{}`", printable(name)));
    let near = known.iter().map(|other| (distance(name, other), other));
    match near.min_by_key(|(distance, _)| *distance) {
        Some((distance, other)) if distance <= (other.len() / 3).max(1) => {
            error.advice(format!("did you mean `{other}`?"))
        }
        _ => error.advice(format!("there are {}", known.join(", "))),
    }
}

/// Letters to add, remove, change, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    match a.len().max(b.len()) > MAX_CHARS {
        true => MAX_CHARS,
        false => strsim::osa_distance(a, b),
    }
}

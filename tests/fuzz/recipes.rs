//! Recipes: any text gives a recipe or one sentence with its line, and a recipe survives being
//! written.

use std::path::Path;

use gramerge::Error;
use gramerge::recipe::{Recipe, read_for, write};

use crate::allocation;
use crate::case::{Case, File};
use crate::damage;
use crate::hunt::{Target, Verdict};
use crate::methods::METHODS;
use crate::planted::Fault;
use crate::random::Random;

pub(crate) const TARGET: Target = Target { name: "recipes", make, check, n_runs: 20_000 };

const NAME: &str = "recipe.yaml";
/// Bytes that a reader may hold at once, per byte of the text; and beside them.
const MAX_EXPANSION: usize = 128;
const SMALL_BYTES: usize = 64 << 10;

/// Pieces that mean something to YAML or to a recipe.
const PIECES: [&str; 40] = [
    "\n",
    "\n  ",
    "\n- ",
    "  ",
    "\t",
    ": ",
    ":",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "#",
    "'",
    "\"",
    "\\u0000",
    "*",
    "&x ",
    "|",
    "!x ",
    "---\n",
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    ".nan",
    "é",
    "\u{202e}",
    "filter: ",
    "value: ",
    "model: ",
    "weight: ",
    "t: ",
    "parameters:\n",
    "layer_range: [0, 2]\n",
    "keep: [\"=1\"]\n",
    "exclude: [\"(\"]\n",
    "gram: x\n",
];

/// A recipe that can be read.
fn good(random: &mut Random) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mergekit/recipes");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let bytes = std::fs::read(random.pick(&paths)).unwrap();
    match random.once_in(4) {
        true => write(&read_for(&bytes, &METHODS).unwrap()).into_bytes(),
        false => bytes,
    }
}

fn make(random: &mut Random) -> Case {
    let mut bytes = good(random);
    for _ in 0..random.below(4) {
        damage_text(&mut bytes, random);
    }
    if random.once_in(8) {
        damage::bytes(&mut bytes, random);
    }
    Case::new("recipes", Vec::new(), vec![File { name: NAME.into(), bytes }])
}

/// Changes pieces or whole lines.
fn damage_text(bytes: &mut Vec<u8>, random: &mut Random) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    if lines.is_empty() {
        return;
    }
    let (a, b) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(6) {
        0 => lines.swap(a, b),
        1 => lines.insert(a, lines[b].clone()),
        2 => drop(lines.remove(a)),
        3 => lines[a].insert_str(0, "  "),
        4 => lines[a] = lines[a].trim_start().to_owned(),
        _ => {
            let places: Vec<usize> = lines[a].char_indices().map(|(place, _)| place).collect();
            let place = places.get(random.below(places.len() + 1)).copied();
            let place = place.unwrap_or(lines[a].len());
            let piece = *random.pick(&PIECES);
            lines[a].insert_str(place, piece);
        }
    }
    *bytes = lines.join("\n").into_bytes();
}

fn check(case: &Case, fault: Option<Fault>) -> Verdict {
    let bytes = case.file(NAME).unwrap_or_default();
    let (found, peak_bytes) = allocation::peak(|| read_for(bytes, &METHODS));
    if peak_bytes > bytes.len() * MAX_EXPANSION + SMALL_BYTES {
        return Err(format!("reading held {peak_bytes} bytes"));
    }
    match found {
        Ok(recipe) => survives(&recipe, fault),
        Err(error) => is_sentence(&error, bytes),
    }
}

fn survives(recipe: &Recipe, fault: Option<Fault>) -> Verdict {
    let text = write(recipe);
    let mut again =
        read_for(text.as_bytes(), &METHODS).map_err(|error| format!("written: {error}"))?;
    if fault == Some(Fault::LostLayers) && again.scopes.is_empty() {
        again.n_layers = None;
    }
    match again == *recipe {
        true => Ok(()),
        false => Err("a recipe changed by being written".into()),
    }
}

/// One line without control characters, that names a line of the text.
fn is_sentence(error: &Error, bytes: &[u8]) -> Verdict {
    let text = error.to_string();
    let n_lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
    let number = text.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    let line = number.and_then(|(number, _)| number.parse::<usize>().ok());
    match line {
        Some(line) if (1..=n_lines).contains(&line) && !text.contains(char::is_control) => Ok(()),
        _ => Err(format!("a bad sentence: {text:?}")),
    }
}

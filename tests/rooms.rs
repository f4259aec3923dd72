//! The rooms of `src/`: which uses which, and that none uses itself by way of others.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Uses = BTreeMap<String, BTreeSet<String>>;

/// Each room and the rooms that its files name. The command line is a program of its own.
fn uses() -> Uses {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut uses = Uses::new();
    for entry in std::fs::read_dir(&src).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !["bin", "lib"].contains(&room.as_str()) {
            read(&path, uses.entry(room).or_default());
        }
    }
    let rooms: BTreeSet<String> = uses.keys().cloned().collect();
    for (room, used) in &mut uses {
        used.retain(|other| other != room && rooms.contains(other));
    }
    uses
}

fn read(path: &Path, used: &mut BTreeSet<String>) {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| read(&entry.unwrap().path(), used));
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    for part in code.flat_map(|line| line.split("crate::").skip(1)) {
        let names = part.trim_start_matches('{').split(['}', ';']).next().unwrap_or_default();
        let is_list = part.starts_with('{');
        for name in names.split(',').take(if is_list { usize::MAX } else { 1 }) {
            let end = name.trim().find(|c: char| !c.is_alphanumeric() && c != '_');
            used.insert(name.trim()[..end.unwrap_or(name.trim().len())].to_owned());
        }
    }
}

/// A room that uses itself by way of others, and the way.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    fn walk(uses: &Uses, way: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        let Some(last) = way.last().cloned() else { return false };
        for next in uses.get(&last).into_iter().flatten() {
            let is_back = way.contains(next);
            way.push(next.clone());
            if is_back || (!done.contains(next) && walk(uses, way, done)) {
                return true;
            }
            way.pop();
        }
        done.insert(last);
        false
    }
    let mut done = BTreeSet::new();
    uses.keys().find_map(|room| {
        let mut way = vec![room.clone()];
        walk(uses, &mut way, &mut done).then_some(way)
    })
}

#[test]
fn no_room_uses_itself_by_way_of_others() {
    let uses = uses();
    assert!(uses["plan"].contains("methods") && uses["methods"].contains("tensor"), "{uses:?}");
    assert_eq!(circle(&uses), None);
}

#[test]
fn a_planted_circle_is_seen() {
    let mut uses = uses();
    uses.get_mut("tensor").unwrap().insert("plan".into());
    assert!(circle(&uses).is_some());
}

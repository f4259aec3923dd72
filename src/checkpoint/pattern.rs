//! Names of tensors in natural order, and the patterns that numbered ones share.
//!
//! `layer.2` comes before `layer.10`; `layer.0.bias` to `layer.11.bias` are one line,
//! `layer.*.bias`, where all that is told of them is equal too.
//! Must not know: what is told of them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::order::{sort_by, sorted_places};

/// Tensors whose names differ in whole-number components alone, and of which the same is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Their name, with `*` in place of every number that differs.
    pub pattern: String,
    /// Their indices, in natural order; never empty.
    pub tensors: Vec<usize>,
}

/// Lines of one pattern that a tensor is compared with: beyond them a hostile file would take
/// quadratic time.
const MAX_COMPARED: usize = 16;

/// Puts `len` items into lines, in natural order of their first names; `is_alike` says of two
/// items whether the same is told of them.
pub fn lines<'a>(
    len: usize,
    name: impl Fn(usize) -> &'a str,
    is_alike: impl Fn(usize, usize) -> bool,
) -> Vec<Line> {
    let patterns: Vec<String> = (0..len).map(|index| starred(name(index), &|_| true)).collect();
    let order = sorted_places(len, &mut |a, b| {
        patterns[a].cmp(&patterns[b]).then_with(|| natural(name(a), name(b)))
    });
    let mut lines: Vec<Line> = Vec::new();
    for index in order {
        let is_same = |line: &&mut Line| {
            let first = line.tensors[0];
            patterns[first] == patterns[index] && is_alike(first, index)
        };
        match lines.iter_mut().rev().take(MAX_COMPARED).find(is_same) {
            Some(line) => line.tensors.push(index),
            None => lines.push(Line { pattern: String::new(), tensors: vec![index] }),
        }
    }
    for line in &mut lines {
        let names: Vec<&str> = line.tensors.iter().map(|index| name(*index)).collect();
        line.pattern = shared(&names);
    }
    sort_by(&mut lines, |a, b| natural(name(a.tensors[0]), name(b.tensors[0])));
    lines
}

/// Compares names: whole numbers in them by value, all else by characters.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(first), Some(second)) = (left.first(), right.first()) {
        let order = match first.is_ascii_digit() && second.is_ascii_digit() {
            true => number(&mut left).cmp(&number(&mut right)),
            false => {
                (left, right) = (&left[1..], &right[1..]);
                first.cmp(second)
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    // Numbers with leading zeros are equal by value, and yet other names.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// Takes a whole number off the front: its length without leading zeros, and its digits. Of two
/// numbers the longer is larger.
fn number<'a>(text: &mut &'a [u8]) -> (usize, &'a [u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    (digits.len() - zeros, &digits[zeros..])
}

/// The pattern of names that differ in numbers alone.
fn shared(names: &[&str]) -> String {
    let Some(first) = names.first() else { return String::new() };
    let of_first: Vec<&str> = first.split('.').collect();
    let mut differs = vec![false; of_first.len()];
    for name in names {
        for (place, part) in name.split('.').enumerate() {
            differs[place] |= of_first[place] != part;
        }
    }
    starred(first, &|place| differs[place])
}

/// The name with `*` in place of its whole-number components, where `is_wanted` says so.
fn starred(name: &str, is_wanted: &dyn Fn(usize) -> bool) -> String {
    let mut starred = String::with_capacity(name.len());
    for (place, part) in name.split('.').enumerate() {
        if place > 0 {
            starred.push('.');
        }
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        starred.push_str(if is_number && is_wanted(place) { "*" } else { part });
    }
    starred
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(names: &[&str], facts: &[u32]) -> Vec<(String, Vec<usize>)> {
        let lines = lines(names.len(), |i| names[i], |a, b| facts[a] == facts[b]);
        lines.into_iter().map(|line| (line.pattern, line.tensors)).collect()
    }

    #[test]
    fn numbers_are_compared_by_value_and_the_order_is_total() {
        let sorted = [
            "",
            "a",
            "a.0",
            "a.00",
            "a.01",
            "a.1",
            "a.2",
            "a.2.b",
            "a.10",
            "a.10.b",
            "a.10.c",
            "a.b",
            "a0",
            "a0b",
            "a1",
            "a2",
            "a10",
            "b.9",
            "b.18446744073709551615",
            "b.18446744073709551616",
            "ä.2",
            "ä.10",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(natural(a, b), i.cmp(&j), "{a} and {b}");
            }
        }
    }

    #[test]
    fn numbered_tensors_of_the_same_facts_are_one_line() {
        let names = ["l.10.w", "l.2.w", "l.0.w", "head", "l.2.b", "l.0.b"];
        let expected = [
            ("head".into(), vec![3]),
            ("l.*.b".into(), vec![5, 4]),
            ("l.*.w".into(), vec![2, 1, 0]),
        ];
        assert_eq!(patterns(&names, &[0; 6]), expected);
        // Another shape is another line, and one tensor alone has its own name.
        let expected = [("l.*.w".into(), vec![0, 2]), ("l.1.w".into(), vec![1])];
        assert_eq!(patterns(&["l.0.w", "l.1.w", "l.2.w"], &[0, 1, 0]), expected);
    }

    #[test]
    fn only_whole_components_that_differ_are_starred() {
        let one = |names: &[&str]| {
            let found = patterns(names, &vec![0; names.len()]);
            found.into_iter().map(|(pattern, _)| pattern).collect::<Vec<_>>()
        };
        assert_eq!(one(&["b.0.mlp.2.w", "b.1.mlp.2.w"]), ["b.*.mlp.2.w"]);
        assert_eq!(one(&["b.0.e.0.w", "b.0.e.1.w", "b.1.e.0.w"]), ["b.*.e.*.w"]);
        assert_eq!(one(&["fc1.w", "fc2.w"]), ["fc1.w", "fc2.w"]);
        assert_eq!(one(&["a.-1", "a.1x", "a..w"]), ["a.-1", "a..w", "a.1x"]);
        assert_eq!(one(&["*.0", "*.1"]), ["*.*"]);
    }

    /// Every tensor is on exactly one line, whatever the facts, and hostile ones take no longer.
    #[test]
    fn no_tensor_is_lost() {
        let names: Vec<String> = (0..2000).map(|i| format!("l.{i}.w")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for modulus in [1, 2, 15, 16, 17, 2000] {
            let facts: Vec<u32> = (0..2000).map(|i| i % modulus).collect();
            let mut all: Vec<usize> =
                patterns(&names, &facts).into_iter().flat_map(|(_, tensors)| tensors).collect();
            all.sort();
            assert_eq!(all, (0..2000).collect::<Vec<_>>());
        }
    }
}

//! Our reader and the safetensors crate answer the same on every file, but for a list of intended
//! differences; the list is data and every line of it is tested.

use std::collections::BTreeMap;

use gramerge::tensor::dtype::Dtype;
use proptest::prelude::*;

use crate::common::answers::{
    Answer, DIFFERENCES, Place, Tensors, compare, long_header, ours, theirs,
};
use crate::common::raw_file;

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    compare(&ours(bytes), &theirs(bytes)).map_err(TestCaseError::fail)
}

#[test]
fn every_intended_difference_is_real() {
    for (header, n_data_bytes, reason) in DIFFERENCES {
        let bytes = raw_file(long_header(header), n_data_bytes);
        let Answer::Refused(why) = ours(&bytes) else { panic!("we read {header}") };
        assert!(why.contains(reason), "{header}: {why}");
        assert!(matches!(theirs(&bytes), Answer::Header { .. }), "the crate refuses {header}");
    }
}

#[test]
fn comparison_turns_red_on_planted_errors() {
    let json =
        r#"{"__metadata__":{"k":"v"},"a":{"dtype":"I8","shape":[2,3],"data_offsets":[0,6]}}"#;
    let good = theirs(&raw_file(json, 6));
    compare(&good, &good).unwrap();
    let Answer::Header { tensors, metadata } = &good else { panic!("refused") };
    let with = |change: &dyn Fn(&mut Place)| {
        let mut tensors = tensors.clone();
        change(tensors.get_mut("a").unwrap());
        Answer::Header { tensors, metadata: metadata.clone() }
    };
    let planted = [
        with(&|t| t.0 = "U8".into()),
        with(&|t| t.1.swap(0, 1)),
        with(&|t| t.2 += 1),
        with(&|t| t.3 -= 1),
        Answer::Header { tensors: Tensors::new(), metadata: metadata.clone() },
        Answer::Header { tensors: tensors.clone(), metadata: BTreeMap::new() },
        Answer::Refused("the file is cut short".into()),
    ];
    for wrong in planted {
        assert!(compare(&wrong, &good).is_err(), "not noticed: {wrong:?}");
    }
    let lenient = Answer::Header { tensors: tensors.clone(), metadata: metadata.clone() };
    assert!(compare(&lenient, &Answer::Refused("a hole".into())).is_err(), "leniency not noticed");
}

/// A header's parts, still to be written as JSON.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) tensors: Vec<(String, Dtype, Vec<u64>)>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Draft {
    pub(crate) fn len_bytes(&self) -> u64 {
        self.tensors.iter().map(|(_, dtype, shape)| n_bits(*dtype, shape) / 8).sum()
    }

    /// One JSON entry per tensor, and one for the metadata; `gap` is white space.
    fn entries(&self, gap: &str) -> Vec<String> {
        let mut entries = Vec::new();
        let mut at = 0;
        for (name, dtype, shape) in &self.tensors {
            let end = at + n_bits(*dtype, shape) / 8;
            let name = serde_json::to_string(name).unwrap();
            let dtype = dtype.name();
            entries.push(format!(
                r#"{name}{gap}:{{"dtype":"{dtype}",{gap}"shape":{shape:?},"data_offsets":[{at},{end}]}}"#
            ));
            at = end;
        }
        if !self.metadata.is_empty() {
            let metadata = serde_json::to_string(&self.metadata).unwrap();
            entries.push(format!(r#""__metadata__":{metadata}"#));
        }
        entries
    }
}

fn n_bits(dtype: Dtype, shape: &[u64]) -> u64 {
    shape.iter().product::<u64>() * dtype.bits()
}

prop_compose! {
    fn tensor()(
        name in prop_oneof!["[a-c]{0,2}", "[ -~]{0,12}", "\\PC{0,6}"],
        dtype in proptest::sample::select(&Dtype::ALL[..]),
        mut shape in prop::collection::vec(0_u64..4, 0..4),
    ) -> (String, Dtype, Vec<u64>) {
        if !n_bits(dtype, &shape).is_multiple_of(8) {
            shape.push(4);
        }
        (name, dtype, shape)
    }
}

prop_compose! {
    /// A valid header with tensors in any order.
    pub(crate) fn draft()(
        mut tensors in prop::collection::vec(tensor(), 0..6),
        metadata in prop::collection::btree_map("\\PC{0,4}", "\\PC{0,8}", 0..3),
    ) -> Draft {
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        tensors.dedup_by(|a, b| a.0 == b.0);
        tensors.retain(|(name, ..)| name != "__metadata__");
        tensors.reverse();
        Draft { tensors, metadata }
    }
}

/// What can happen to the entries before they are joined.
#[derive(Debug, Clone)]
enum Damage {
    Repeat(usize),
    Drop(usize),
    /// Replace the n-th number by another text.
    Number(usize, String),
    /// Replace the n-th string by another.
    Text(usize, String),
}

fn damage() -> impl Strategy<Value = Damage> {
    let numbers = [
        "0",
        "1",
        "-1",
        "7",
        "16.0",
        "1e3",
        "-0",
        "01",
        "null",
        "\"1\"",
        "[1]",
        "4294967296",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "",
    ];
    let texts = [
        "dtype",
        "shape",
        "data_offsets",
        "F32",
        "f32",
        "I8",
        "F4",
        "\\u0061",
        "\\ud800",
        "__metadata__",
        "a",
        "",
    ];
    prop_oneof![
        any::<usize>().prop_map(Damage::Repeat),
        any::<usize>().prop_map(Damage::Drop),
        (any::<usize>(), proptest::sample::select(numbers.to_vec()))
            .prop_map(|(at, text)| Damage::Number(at, text.to_owned())),
        (any::<usize>(), proptest::sample::select(texts.to_vec()))
            .prop_map(|(at, text)| Damage::Text(at, text.to_owned())),
    ]
}

fn apply(entries: &mut Vec<String>, damage: &Damage) {
    if entries.is_empty() {
        return;
    }
    let n = entries.len();
    match damage {
        Damage::Repeat(at) => entries.push(entries[at % n].clone()),
        Damage::Drop(at) => drop(entries.remove(at % n)),
        Damage::Number(at, text) => {
            let entry = &mut entries[at % n];
            replace_nth(entry, at / n, text, |c| c.is_ascii_digit());
        }
        Damage::Text(at, text) => {
            let entry = &mut entries[at % n];
            replace_nth(entry, at / n, text, |c| c.is_alphabetic() || c == '_');
        }
    }
}

/// Replaces one of the runs of characters that `is_part` accepts.
fn replace_nth(text: &mut String, nth: usize, by: &str, is_part: impl Fn(char) -> bool) {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| is_part(*c)) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += c.len_utf8(),
            _ => runs.push(at..at + c.len_utf8()),
        }
    }
    if !runs.is_empty() {
        text.replace_range(runs[nth % runs.len()].clone(), by);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn valid_headers_are_read_alike(draft in draft(), gap in "[ \n\t]{0,3}", tail in " {0,9}") {
        let json = format!("{gap}{{{}}}{tail}", draft.entries(&gap).join(","));
        let bytes = raw_file(json, draft.len_bytes() as usize);
        let theirs = theirs(&bytes);
        let is_read = matches!(theirs, Answer::Header { .. });
        prop_assert!(is_read, "the generator made a bad file");
        prop_assert_eq!(ours(&bytes), theirs);
    }

    #[test]
    fn damaged_headers_are_answered_alike(
        draft in draft(),
        damages in prop::collection::vec(damage(), 1..4),
        extra in -2_i64..3,
    ) {
        let mut entries = draft.entries("");
        for damage in &damages {
            apply(&mut entries, damage);
        }
        let n_data_bytes = draft.len_bytes() as i64;
        let json = format!("{{{}}}", entries.join(","));
        check(&raw_file(&json, n_data_bytes as usize))?;
        check(&raw_file(&json, (n_data_bytes + extra).max(0) as usize))?;
    }

    #[test]
    fn damaged_bytes_are_answered_alike(
        draft in draft(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..4),
    ) {
        let json = format!("{{{}}}", draft.entries("").join(","));
        let mut bytes = raw_file(json, draft.len_bytes() as usize);
        for (at, byte, how) in edits {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        check(&bytes)?;
    }
}

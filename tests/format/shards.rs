//! Indices of shards, and their agreement with the shards.

use gramerge::format::{Header, ShardIndex, ShardName, check_disjoint, missing_numbers};
use gramerge::tensor::dtype::Dtype;

use crate::common::layout;

const ONE: &str = "model-00001-of-00002.safetensors";
const TWO: &str = "model-00002-of-00002.safetensors";

fn header(names: &[&str]) -> Header {
    let tensors: Vec<_> = names.iter().map(|name| (*name, Dtype::F32, &[2_u64][..])).collect();
    layout(&tensors, &[]).header().clone()
}

fn index(total: &str) -> ShardIndex {
    let json = format!(
        r#"{{"metadata":{{"total_size":{total},"x":[{{}}]}},"weight_map":{{"b":"{TWO}","a":"{ONE}","c":"{TWO}"}}}}"#
    );
    ShardIndex::parse(json.as_bytes()).unwrap()
}

#[test]
fn an_index_says_which_tensor_is_where() {
    let index = index("24");
    assert_eq!(index.shards(), [ONE, TWO]);
    assert_eq!(index.shard_of("a"), Some(ONE));
    assert_eq!(index.shard_of("c"), Some(TWO));
    assert_eq!(index.shard_of("d"), None);
    assert!(index.lists(ONE) && !index.lists("model.safetensors"));
    assert_eq!(index.tensors().collect::<Vec<_>>(), [("a", ONE), ("b", TWO), ("c", TWO)]);
}

#[test]
fn agreeing_shards_pass_and_others_are_not_looked_at() {
    let (one, two, other) = (header(&["a"]), header(&["b", "c"]), header(&["a"]));
    let present = [(TWO, &two), ("other.safetensors", &other), (ONE, &one)];
    assert_eq!(index("24").check(&present).unwrap(), Vec::<String>::new());
    assert_eq!(index("24.0").total_size_bytes(), Some(24));
    assert_eq!(index("\"much\"").check(&present).unwrap(), Vec::<String>::new());
}

#[test]
fn harmless_differences_are_warnings() {
    let (one, two) = (header(&["a"]), header(&["b", "c", "more"]));
    let warnings = index("24").check(&[(ONE, &one), (TWO, &two)]).unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("`more`"), "{warnings:?}");
    assert!(warnings[1].contains("24") && warnings[1].contains("32"), "{warnings:?}");
}

#[test]
fn disagreements_are_refused_by_name() {
    let (a, b, bc, abc) =
        (header(&["a"]), header(&["b"]), header(&["b", "c"]), header(&["a", "b", "c"]));
    type Present<'a> = &'a [(&'a str, &'a Header)];
    let cases: [(Present<'_>, &[&str]); 6] = [
        (&[(ONE, &a)], &["missing", TWO]),
        (
            &[(ONE, &a), ("Model-00002-of-00002.safetensors", &bc)],
            &["missing", TWO, "to the letter"],
        ),
        (&[], &["2 of its shards", ONE, TWO]),
        (&[(ONE, &a), (TWO, &b)], &["`c`", "in no shard"]),
        (&[(ONE, &bc), (TWO, &a)], &["places it in", "but it is in"]),
        (&[(ONE, &a), (TWO, &abc)], &["`a`", "also in"]),
    ];
    for (present, words) in cases {
        let error = index("24").check(present).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
    }
}

#[test]
fn shards_of_two_models_do_not_mix() {
    let (one, two) = (header(&["a", "b"]), header(&["b", "c"]));
    let error = check_disjoint(&[(ONE, &one), (TWO, &two)]).unwrap_err();
    assert_eq!(error.tensor.as_deref(), Some("b"));
    check_disjoint(&[(ONE, &one), (TWO, &header(&["c"]))]).unwrap();
}

#[test]
fn numbered_names_are_recognised() {
    let parse = |name| ShardName::parse(name).map(|n| (n.stem, n.number, n.total));
    assert_eq!(parse(TWO), Some(("model", 2, 2)));
    assert_eq!(parse("a-b-1-of-3.safetensors"), Some(("a-b", 1, 3)));
    let others = [
        "model.safetensors",
        "model-3-of-2.safetensors",
        "model-0-of-2.safetensors",
        "model-00001-of-00002.bin",
        "model-+1-of-2.safetensors",
        "model--of-.safetensors",
        "model-1-of-99999999999999999999.safetensors",
    ];
    for other in others {
        assert_eq!(parse(other), None, "{other}");
    }
}

#[test]
fn missing_numbers_are_found_without_listing_billions() {
    assert_eq!(missing_numbers(&[1, 3], 4), (2, vec![2, 4]));
    assert_eq!(missing_numbers(&[2, 1], 2), (0, vec![]));
    let (n, first) = missing_numbers(&[1], u32::MAX);
    assert_eq!((n, first.len()), (u32::MAX - 1, 8));
}

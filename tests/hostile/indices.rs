//! Hostile indices of shards.

use gramerge::ErrorKind;
use gramerge::format::{MAX_INDEX_BYTES, ShardIndex};

use crate::{MAX_EXPANSION, SMALL_BYTES, allocation};

fn refused(number: &str, json: &[u8], reason: &str) {
    let allowed_bytes = json.len() * MAX_EXPANSION + SMALL_BYTES;
    let (answer, peak_bytes) = allocation::peak(|| ShardIndex::parse(json));
    assert!(peak_bytes <= allowed_bytes, "{number}: {peak_bytes} bytes, not {allowed_bytes}");
    let Err(error) = answer else { panic!("{number}: accepted") };
    let sentence = error.to_string();
    assert_eq!(error.kind, ErrorKind::Input, "{number}");
    assert!(sentence.contains(reason), "{number}: not {reason:?} but {sentence}");
    assert!(sentence.chars().count() < 500, "{number}: {sentence}");
}

#[test]
fn names_that_are_paths_are_refused() {
    let names = [
        "../x.safetensors",
        "/x.safetensors",
        "a/b.safetensors",
        r"C:\\x.safetensors",
        "C:x.safetensors",
        r"..\\x.safetensors",
        "https://example.org/x.safetensors",
        "..",
        ".",
        "",
        ".safetensors",
        ".hidden.safetensors",
        r"a\u0000.safetensors",
        r"a\n.safetensors",
        "pytorch_model.bin",
    ];
    for name in names {
        let json = format!(r#"{{"weight_map":{{"a":"{name}"}}}}"#);
        refused("69", json.as_bytes(), "no plain `.safetensors` file name");
    }
    let long = format!(r#"{{"weight_map":{{"a":"{}.safetensors"}}}}"#, "n".repeat(1 << 20));
    refused("69 long", long.as_bytes(), "no plain");
}

#[test]
fn broken_indices_are_refused() {
    let file = r#""m.safetensors""#;
    let cases = [
        ("empty", String::new(), "EOF"),
        ("array", "[]".into(), "expected an object"),
        ("no map", "{}".into(), "has no `weight_map`"),
        ("map is an array", r#"{"weight_map":[]}"#.into(), "expected an object from tensor names"),
        ("shard is a number", r#"{"weight_map":{"a":1}}"#.into(), "expected a string"),
        ("tensor twice", format!(r#"{{"weight_map":{{"a":{file},"a":{file}}}}}"#), "twice"),
        (
            "tensor twice by escape",
            format!(r#"{{"weight_map":{{"a":{file},"\u0061":{file}}}}}"#),
            "twice",
        ),
        ("map twice", r#"{"weight_map":{},"weight_map":{}}"#.into(), "twice"),
        ("metadata twice", r#"{"weight_map":{},"metadata":{},"metadata":{}}"#.into(), "twice"),
        ("twice in metadata", r#"{"weight_map":{},"metadata":{"a":1,"a":2}}"#.into(), "twice"),
        ("other key twice", r#"{"weight_map":{},"x":1,"x":1}"#.into(), "twice"),
        ("trailing", r#"{"weight_map":{}}{}"#.into(), "trailing"),
        ("deep", format!(r#"{{"weight_map":{{}},"x":{}"#, "[".repeat(100_000)), "recursion"),
        ("web page", "<!DOCTYPE html>".into(), "no index of shards"),
    ];
    for (number, json, reason) in cases {
        refused(number, json.as_bytes(), reason);
    }
    refused("not UTF-8", b"{\"weight_map\":{\"\xff\":\"m.safetensors\"}}", "no index");
}

#[test]
fn an_index_over_the_limit_is_refused_unread() {
    // 72
    ShardIndex::check_len(MAX_INDEX_BYTES).unwrap();
    let error = ShardIndex::check_len(MAX_INDEX_BYTES + 1).unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}

#[test]
fn an_index_of_many_tensors_is_read() {
    let entries: Vec<_> = (0..500_000)
        .map(|i| format!(r#""layers.{i}.weight":"m-{:05}.safetensors""#, i % 99))
        .collect();
    let json = format!(r#"{{"weight_map":{{{}}}}}"#, entries.join(","));
    let index = ShardIndex::parse(json.as_bytes()).unwrap();
    assert_eq!((index.shards().len(), index.tensors().count()), (99, 500_000));
    assert_eq!(index.shard_of("layers.100.weight"), Some("m-00001.safetensors"));
}

#[test]
fn odd_but_harmless_values_are_read() {
    for metadata in [
        "null",
        "{}",
        r#"{"total_size":-1}"#,
        r#"{"total_size":1e400}"#.replace("400", "30").as_str(),
        r#"{"total_size":null,"x":{"y":[]}}"#,
    ] {
        let json = format!(r#"{{"metadata":{metadata},"weight_map":{{"a":"m.safetensors"}}}}"#);
        let index = ShardIndex::parse(json.as_bytes()).unwrap();
        assert_eq!((index.total_size_bytes(), index.shards().len()), (None, 1), "{metadata}");
    }
}

//! Large files that have to work, and large headers that must not cost more than they are worth.

use std::fs::File;
use std::os::unix::fs::FileExt;

use gramerge::format::{Layout, TensorFile};
use gramerge::io::native::FileSource;
use gramerge::tensor::dtype::Dtype;
use pollster::block_on;

use crate::common::{layout, raw_file};
use crate::{Refused, Tensors, check};

/// An entry without elements.
const ZERO: &str = r#"{"dtype":"I8","shape":[0],"data_offsets":[0,0]}"#;

fn joined(entries: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
}

/// Writes a layout as a file of holes, and opens it.
fn sparse(layout: &Layout) -> (tempfile::TempDir, File, TensorFile<FileSource>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.safetensors");
    let file = File::options().create_new(true).write(true).open(&path).unwrap();
    file.set_len(layout.total_bytes()).unwrap();
    file.write_all_at(layout.header_bytes(), 0).unwrap();
    let opened = block_on(TensorFile::open(FileSource::open(&path).unwrap())).unwrap();
    (folder, file, opened)
}

#[test]
fn tensors_over_512_mib_and_files_over_4_gib_are_read() {
    // 63: more bits than 32 hold, then a tensor that starts beyond 4 GiB.
    let big = [1 << 10, (1 << 20) + 3];
    let layout = layout(&[("big", Dtype::F32, &big), ("last", Dtype::BF16, &[3, 5])], &[]);
    let (_folder, file, opened) = sparse(&layout);
    assert!(layout.total_bytes() > 1 << 32);
    let offset_bytes = layout.offset_bytes("last").unwrap();
    assert!(offset_bytes > 1 << 32);
    let written: Vec<u8> = (1..31).collect();
    file.write_all_at(&written, offset_bytes).unwrap();
    file.write_all_at(b"end!", offset_bytes - 4).unwrap();

    assert_eq!(*opened.header, *layout.header());
    let (big, last) = (opened.header.get("big").unwrap(), opened.header.get("last").unwrap());
    assert_eq!(block_on(opened.read(last)).unwrap(), written);
    let mut end = [0; 4];
    block_on(opened.read_part(big, big.len_bytes() - 4, &mut end)).unwrap();
    assert_eq!(&end, b"end!");
    assert!(block_on(opened.read_part(big, big.len_bytes() - 3, &mut end)).is_err());
}

#[test]
fn a_tensor_of_half_a_gibibyte_is_read_whole() {
    let layout = layout(&[("embedding", Dtype::F16, &[1 << 14, 1 << 14])], &[]);
    let (_folder, file, opened) = sparse(&layout);
    file.write_all_at(b"end!", layout.total_bytes() - 4).unwrap();
    let tensor = opened.header.get("embedding").unwrap();
    let bytes = block_on(opened.read(tensor)).unwrap();
    assert_eq!((bytes.len(), &bytes[bytes.len() - 4..]), (1 << 29, &b"end!"[..]));
}

#[test]
fn a_file_cut_after_it_was_opened_is_an_error_with_names() {
    let layout = layout(&[("a", Dtype::F32, &[64])], &[]);
    let (_folder, file, opened) = sparse(&layout);
    file.set_len(layout.total_bytes() - 1).unwrap();
    let error = block_on(opened.read(opened.header.get("a").unwrap())).unwrap_err();
    assert_eq!(error.kind, gramerge::ErrorKind::Io);
    assert_eq!(error.tensor.as_deref(), Some("a"));
    assert!(error.file.unwrap().ends_with("large.safetensors"));
}

#[test]
fn a_header_of_exactly_100_mb_is_read() {
    // 10
    let json = format!(r#"{{"a":{ZERO}}}{}"#, " ".repeat(100_000_000 - 6 - ZERO.len()));
    assert_eq!(json.len(), 100_000_000);
    check("10", "a.safetensors", raw_file(json, 0), Tensors(1));
}

#[test]
fn half_a_million_tensors_are_read() {
    // 64
    let n = 500_000;
    let entry = |i: usize| {
        let (from, to) = (4 * i, 4 * i + 4);
        let name = format!("model.layers.{i}.mlp.experts.weight");
        format!(r#""{name}":{{"dtype":"F32","shape":[1],"data_offsets":[{from},{to}]}}"#)
    };
    let json = joined((0..n).map(entry));
    check("64", "a.safetensors", raw_file(json, 4 * n), Tensors(n));
}

#[test]
fn hostile_headers_cost_little() {
    let place = r#"{"dtype":"I8","shape":[4],"data_offsets":[0,4]}"#;
    let same = joined((0..100_000).map(|i| format!(r#""{i}":{place}"#)));
    check("57 100,000 tensors in one place", "a", raw_file(same, 4), Refused("overlaps"));
    let many = joined((0..1_000_001).map(|i| format!(r#""{i:x}":{ZERO}"#)));
    check("more than a million", "a", raw_file(many, 0), Refused("more than 1000000 tensors"));
    let shape = format!("[{}]", vec!["0"; 1_000_000].join(","));
    let wide = format!(r#"{{"a":{}}}"#, ZERO.replace("[0]", &shape));
    check("a million dimensions", "a", raw_file(wide, 0), Refused("dimensions"));
    let deep = format!(r#"{{"a":{{"x":{}"#, "[".repeat(1_000_000));
    check("a million brackets", "a", raw_file(deep, 0), Refused("recursion limit"));
    let fields = joined((0..200_000).map(|i| format!(r#""{i}":0"#)));
    let fields = format!(r#"{{"a":{fields}}}"#);
    check("many fields", "a", raw_file(fields, 0), Refused("missing field"));
    let text = format!(r#"{{"a":"{}"}}"#, "x".repeat(10_000_000));
    check("a long value", "a", raw_file(text, 0), Refused("invalid type"));
}

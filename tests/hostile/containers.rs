//! Files that are cut, stretched or something else altogether.

use crate::common::raw_file;
use crate::{Expect, Refused, Tensors, check};

const JSON: &str = r#"{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}"#;

/// A file that claims a header of that length.
fn claiming(len_bytes: u64) -> Vec<u8> {
    let mut bytes = raw_file(JSON, 4);
    bytes[..8].copy_from_slice(&len_bytes.to_le_bytes());
    bytes
}

fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = raw_file(JSON, 4);
    change(&mut bytes);
    bytes
}

#[test]
fn containers() {
    let header_end = 8 + JSON.len();
    let cases: Vec<(&str, Vec<u8>, Expect)> = vec![
        ("0 the unharmed file", raw_file(JSON, 4), Tensors(1)),
        ("1, 20 empty file", Vec::new(), Refused("empty")),
        ("2 seven bytes", vec![0; 7], Refused("too short")),
        ("3 length 0", claiming(0), Refused("header is empty")),
        ("4 length 1", claiming(1), Refused("not valid JSON")),
        ("5 length over the limit", claiming(100_000_001), Refused("does not start with")),
        ("6 length 2^32-1", claiming(u32::MAX.into()), Refused("does not start with")),
        ("7 length 2^63", claiming(1 << 63), Refused("does not start with")),
        ("8 length 2^64-1", claiming(u64::MAX), Refused("does not start with")),
        ("9 length beyond the file", claiming(58), Refused("ends inside its header")),
        ("9 length of 100 MB beyond the file", claiming(100_000_000), Refused("ends inside")),
        ("11 header cut", changed(|b| b.truncate(header_end - 1)), Refused("ends inside")),
        (
            "11 cut behind the header",
            changed(|b| b.truncate(header_end)),
            Refused("4 bytes of its"),
        ),
        ("12 a byte short", changed(|b| b.truncate(header_end + 3)), Refused("1 bytes of its")),
        ("13 a byte long", changed(|b| b.push(0)), Refused("1 bytes after its last tensor")),
        ("14 zip appended", changed(|b| b.extend(b"PK\x03\x04zip")), Refused("7 bytes after")),
    ];
    for (number, bytes, expected) in cases {
        check(number, "a.safetensors", bytes, expected);
    }
}

#[test]
fn other_formats_are_recognised() {
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let padded = |start: &[u8]| [start, &[0x5a; 64]].concat();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("15 web page", b"<!DOCTYPE html>\n<html>".to_vec(), "web page"),
        ("15 web page, white space", b"\n\n  <HTML lang=en>".to_vec(), "web page"),
        ("16 LFS pointer", lfs.into(), "git lfs pull"),
        ("17 zip", padded(b"PK\x03\x04\x00\x00\x08\x08"), "zip archive"),
        ("17 zip with a possible length", padded(b"PK\x03\x04\0\0\0\0"), "zip archive"),
        ("17 pickle", padded(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"), "pickle"),
        ("18 GGUF", padded(b"GGUF\x03\0\0\0"), "GGUF"),
        ("19 gzip", padded(b"\x1f\x8b\x08\x00\0\0\0\0"), "gzip"),
        ("JSON text", b"{\n  \"model_type\": \"bert\"\n}".to_vec(), "JSON text"),
        ("JSON text behind a mark", b"\xef\xbb\xbf[1, 2, 3, 4, 5]".to_vec(), "JSON text"),
        ("XML", b"<?xml version=\"1.0\"?><Error/>".to_vec(), "XML"),
        ("HDF5", padded(b"\x89HDF\r\n\x1a\n"), "HDF5"),
    ];
    for (number, bytes, reason) in cases {
        let expected: &'static str = Box::leak(reason.to_owned().into_boxed_str());
        check(number, "model.safetensors", bytes, Refused(expected));
    }
    check("17 by name", "model.bin", vec![0x77; 64], Refused("PyTorch checkpoint"));
    check("unknown", "model.safetensors", vec![0x77; 64], Refused("does not start with"));
}

#[test]
fn damaged_files_are_not_taken_for_other_formats() {
    // These header lengths begin like a pickle (640), like JSON (123), like gzip (559,903).
    for len in [640, 123, 559_903] {
        let mut json = r#"{"a":{"dtype":"F7","shape":[],"data_offsets":[0,4]}}"#.to_owned();
        json.push_str(&" ".repeat(len - json.len()));
        check("length as magic", "a.safetensors", raw_file(json, 4), Refused("dtype `F7`"));
    }
}

#[test]
fn a_folder_is_refused() {
    use gramerge::format::TensorFile;
    use gramerge::io::native::FileSource;
    let folder = tempfile::tempdir().unwrap();
    let opened = FileSource::open(folder.path())
        .and_then(|source| pollster::block_on(TensorFile::open(source)));
    assert_eq!(opened.unwrap_err().kind, gramerge::ErrorKind::Io);
}

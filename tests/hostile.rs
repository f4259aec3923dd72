//! Hostile files: each is refused with a reason or read, never a panic, and never at the price of
//! memory that its own length does not pay for. Numbers are those of the project's list of bad
//! inputs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

#[path = "hostile/allocation.rs"]
mod allocation;
#[path = "hostile/containers.rs"]
mod containers;
#[path = "hostile/headers.rs"]
mod headers;
#[path = "hostile/indices.rs"]
mod indices;
#[path = "hostile/large.rs"]
mod large;

use gramerge::ErrorKind;
use gramerge::format::read_header;

use common::Memory;

/// What has to happen to a file.
#[derive(Debug, Clone, Copy)]
enum Expect {
    /// It is read, with so many tensors.
    Tensors(usize),
    /// It is refused, and the sentence says this.
    Refused(&'static str),
}
use Expect::{Refused, Tensors};

/// Bytes that a reader may hold at once, per byte of the file: names, shapes and their places
/// take more room than the JSON that gives them.
const MAX_EXPANSION: usize = 8;
/// What small things may cost, whatever the file's length.
const SMALL_BYTES: usize = 64 << 10;

/// Reads a file called `name` and compares what happens with what has to happen.
fn check(number: &str, name: &str, bytes: Vec<u8>, expected: Expect) {
    let allowed_bytes = bytes.len() * MAX_EXPANSION + SMALL_BYTES;
    let file = Memory::new(name, bytes);
    let (answer, peak_bytes) = allocation::peak(|| pollster::block_on(read_header(&file)));
    assert!(peak_bytes <= allowed_bytes, "{number}: {peak_bytes} bytes, not {allowed_bytes}");
    match (answer, expected) {
        (Ok(header), Tensors(n)) => assert_eq!(header.tensors.len(), n, "{number}"),
        (Err(error), Refused(reason)) => {
            let sentence = error.to_string();
            assert_eq!(error.kind, ErrorKind::Input, "{number}: {sentence}");
            assert!(sentence.starts_with(&format!("`{name}`: ")), "{number}: {sentence}");
            assert!(sentence.contains(reason), "{number}: not {reason:?} but {sentence}");
            assert!(sentence.chars().count() < 700, "{number}: {sentence}");
            assert!(!sentence.contains(|c: char| c.is_control()), "{number}: {sentence}");
        }
        (answer, expected) => panic!("{number}: expected {expected:?}, got {answer:?}"),
    }
}

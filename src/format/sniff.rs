//! What a file is that turned out not to be safetensors, in words that help.
//!
//! Asked only after reading failed, and silent about damaged safetensors files: a length prefix can
//! look like any magic number (640 is a pickle's, 123 is `{`).
//! Must not know: what headers say. Source: the formats' own magic numbers.

use super::header::{MAX_HEADER_BYTES, PREFIX_BYTES};
use crate::Error;

/// Bytes of a file's start that are enough to tell.
pub(super) const SNIFF_BYTES: usize = 512;

/// First bytes, what they mean, what to do about it.
const MAGIC: [(&[u8], &str, &str); 9] = [
    (b"version https://git-lfs", "it is a Git LFS pointer, not the file itself", LFS),
    (b"GGUF", "it is a GGUF file", UNQUANTISED),
    (b"PK\x03\x04", "it is a zip archive, probably a PyTorch checkpoint", CONVERT),
    (b"PK\x05\x06", "it is an empty zip archive", "download it again"),
    (b"\x1f\x8b", "it is compressed with gzip", "unpack it first"),
    (b"(\xb5\x2f\xfd", "it is compressed with zstd", "unpack it first"),
    (b"\x89HDF\r\n", "it is an HDF5 file", CONVERT),
    (b"\x93NUMPY", "it is a NumPy array", CONVERT),
    (b"\x80", "it is a Python pickle, probably a PyTorch checkpoint", CONVERT),
];

const LFS: &str = "fetch the real file with `git lfs pull`";
const UNQUANTISED: &str = "merge the original safetensors checkpoint and convert the result";
const CONVERT: &str = "convert it with `safetensors.torch.save_file` in Python";

/// The error for a file that begins with `start` (some hundred bytes suffice) and is no safetensors
/// file, if it is recognised as something else.
pub fn wrong_file(start: &[u8], name: &str) -> Option<Error> {
    if start.is_empty() {
        let advice = "download it again, or make it available offline if it is in a cloud folder";
        return Some(Error::input("the file is empty").advice(advice));
    }
    if is_damaged_header(start) {
        return None;
    }
    let (what, advice) = by_magic(start).or_else(|| by_text(start)).or_else(|| by_name(name))?;
    Some(Error::input(what).advice(advice))
}

/// A possible length followed by the start of JSON.
fn is_damaged_header(start: &[u8]) -> bool {
    let Some((prefix, json)) = start.split_first_chunk::<{ PREFIX_BYTES as usize }>() else {
        return false;
    };
    let is_possible = u64::from_le_bytes(*prefix) <= MAX_HEADER_BYTES;
    is_possible && json.trim_ascii_start().starts_with(b"{")
}

type Words = (&'static str, &'static str);

fn by_magic(start: &[u8]) -> Option<Words> {
    let (_, what, advice) = MAGIC.iter().find(|(magic, ..)| start.starts_with(magic))?;
    // A pickle's first byte alone says little: the second is its protocol, 2 to 5 today.
    let is_doubtful = start[0] == 0x80 && !matches!(start.get(1), Some(2..=5));
    (!is_doubtful).then_some((*what, *advice))
}

fn by_text(start: &[u8]) -> Option<Words> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins = |tag: &[u8]| text.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag));
    if begins(b"<!doctype") || begins(b"<html") || begins(b"<head") {
        let what = "it is a web page, often an error or login page saved instead of the file";
        return Some((what, "download it again, signed in if the site asks for it"));
    }
    if begins(b"<?xml") {
        return Some(("it is an XML document, often a server's error", "download it again"));
    }
    let is_json = begins(b"{") || begins(b"[");
    is_json
        .then_some(("it is JSON text, not a checkpoint", "choose the safetensors file beside it"))
}

fn by_name(name: &str) -> Option<Words> {
    let (_, extension) = name.rsplit_once('.')?;
    let is_pytorch = ["bin", "pt", "pth", "ckpt", "pkl"].contains(&extension);
    is_pytorch.then_some(("its name is that of a PyTorch checkpoint", CONVERT))
}

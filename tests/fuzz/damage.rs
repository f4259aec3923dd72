//! Damage to bytes, and to safetensors files whose parts are known.

use crate::json::Node;
use crate::random::Random;

/// Numbers that prefixes and offsets are replaced by.
const ODD: [u64; 9] = [0, 1, 7, 8, 1 << 31, 1 << 32, 100_000_001, (1 << 63) - 1, u64::MAX];

/// Changes some bytes of anything.
pub(crate) fn bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return bytes.push(random.next() as u8);
    }
    let (at, other) = (random.below(bytes.len()), random.below(bytes.len()));
    let len = (1 + random.below(16)).min(bytes.len() - at.max(other));
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.next() as u8,
        2 => bytes.truncate(at),
        3 => bytes.insert(at, random.next() as u8),
        4 => drop(bytes.drain(at..at + len)),
        5 => bytes.copy_within(other..other + len, at),
        _ => {
            let odd = random.pick(&ODD).to_le_bytes();
            let len = odd.len().min(bytes.len() - at);
            bytes[at..at + len].copy_from_slice(&odd[..len]);
        }
    }
}

/// Changes a safetensors file: mostly its header's JSON, with a prefix that fits it.
pub(crate) fn tensor_file(file: &mut Vec<u8>, random: &mut Random) {
    let Some((json, data)) = parts(file) else { return bytes(file, random) };
    match random.below(8) {
        0 => bytes(file, random),
        1 => {
            let mut data = data.to_vec();
            bytes(&mut data, random);
            *file = joined(&json, &data);
        }
        _ => {
            let mut node = Node::parse(&json);
            node.damage(random);
            *file = joined(&node.to_string(), data);
        }
    }
}

/// The header's JSON and the data behind it.
pub(crate) fn parts(file: &[u8]) -> Option<(String, &[u8])> {
    let (prefix, rest) = file.split_first_chunk::<8>()?;
    let len = usize::try_from(u64::from_le_bytes(*prefix)).ok()?;
    let (json, data) = rest.split_at_checked(len)?;
    Some((String::from_utf8(json.to_vec()).ok()?, data))
}

/// A file of that header and data.
pub(crate) fn joined(json: &str, data: &[u8]) -> Vec<u8> {
    [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), data].concat()
}

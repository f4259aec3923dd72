//! Answers of our reader and of the safetensors crate about a file, and whether they agree.

use std::collections::BTreeMap;

use gramerge::format::{Header, read_header};
use safetensors::SafeTensors;

use super::Memory;

/// Dtype, shape, begin, end.
pub(crate) type Place = (String, Vec<u64>, u64, u64);
pub(crate) type Tensors = BTreeMap<String, Place>;

/// Answer of a reader about a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Header { tensors: Tensors, metadata: BTreeMap<String, String> },
    Refused(String),
}

/// Asks our reader.
pub(crate) fn ours(bytes: &[u8]) -> Answer {
    match pollster::block_on(read_header(&Memory::new("f.safetensors", bytes.to_vec()))) {
        Ok(header) => from_header(&header),
        Err(error) => Answer::Refused(error.to_string()),
    }
}

fn from_header(header: &Header) -> Answer {
    let describe = |t: &gramerge::format::TensorInfo| {
        let place = (t.dtype.name().to_owned(), t.shape.clone(), t.begin_bytes, t.end_bytes);
        (t.name.clone(), place)
    };
    let tensors = header.tensors.iter().map(describe).collect();
    Answer::Header { tensors, metadata: header.metadata.clone() }
}

/// Asks the safetensors crate.
pub(crate) fn theirs(bytes: &[u8]) -> Answer {
    let metadata = match SafeTensors::read_metadata(bytes) {
        Ok((_, metadata)) => metadata,
        Err(error) => return Answer::Refused(error.to_string()),
    };
    let describe = |(name, info): (String, &safetensors::tensor::TensorInfo)| {
        let shape = info.shape.iter().map(|n| *n as u64).collect();
        let (begin, end) = info.data_offsets;
        (name, (info.dtype.to_string(), shape, begin as u64, end as u64))
    };
    let tensors = metadata.tensors().into_iter().map(describe).collect();
    let free = metadata.metadata().clone().unwrap_or_default().into_iter().collect();
    Answer::Header { tensors, metadata: free }
}

/// Intended differences: a header that the crate reads, the data it needs, and why we refuse it.
/// All have one reason in common: another reader could see another model in the same file.
pub(crate) const DIFFERENCES: [(&str, usize, &str); 10] = [
    (
        r#"{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]}}"#,
        4,
        "names this tensor twice",
    ),
    (r#"{"__metadata__":{"k":"1","k":"2"}}"#, 0, "appears twice"),
    (r#"{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1],"x":1,"x":2}}"#, 1, "appears twice"),
    (
        r#"{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1],"x":{"y":1,"y":2}}}"#,
        1,
        "appears twice",
    ),
    (r#"{"a":["I8",[1],[0,1]]}"#, 1, "invalid type: sequence"),
    (r#"{"a":{"dtype":{"I8":null},"shape":[1],"data_offsets":[0,1]}}"#, 1, "invalid type: map"),
    (
        r#"{"a":{"dtype":"I8","shape":[9007199254740993,0],"data_offsets":[0,0]}}"#,
        0,
        "is too large",
    ),
    // The next three are made long by `long_header`.
    ("long name", 0, "longer than 4096 bytes"),
    ("high rank", 0, "more than 64 dimensions"),
    ("many tensors", 0, "more than 1000000 tensors"),
];

/// The header of a difference, with the long ones made.
pub(crate) fn long_header(header: &str) -> String {
    let zero = r#"{"dtype":"I8","shape":[0],"data_offsets":[0,0]}"#;
    match header {
        "long name" => format!(r#"{{"{}":{zero}}}"#, "n".repeat(4097)),
        "high rank" => format!(r#"{{"a":{}}}"#, zero.replace("[0]", &format!("{:?}", [0; 65]))),
        "many tensors" => {
            let entries: Vec<_> = (0..1_000_001).map(|i| format!(r#""{i}":{zero}"#)).collect();
            format!("{{{}}}", entries.join(","))
        }
        other => other.to_owned(),
    }
}

/// Whether two answers agree, or differ as intended.
pub(crate) fn compare(ours: &Answer, theirs: &Answer) -> Result<(), String> {
    match (ours, theirs) {
        (Answer::Refused(_), Answer::Refused(_)) => Ok(()),
        (Answer::Refused(why), Answer::Header { .. })
            if DIFFERENCES.iter().any(|(_, _, reason)| why.contains(reason)) =>
        {
            Ok(())
        }
        _ if ours == theirs => Ok(()),
        _ => Err(format!("ours: {ours:?}\ntheirs: {theirs:?}")),
    }
}

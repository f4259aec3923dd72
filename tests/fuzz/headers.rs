//! Headers of safetensors files: our reader beside the format's own crate.

use gramerge::format::read_header;
use gramerge::tensor::dtype::Dtype;

use crate::allocation;
use crate::case::{Case, File};
use crate::common::Memory;
use crate::common::answers::{Answer, compare, ours, theirs};
use crate::damage;
use crate::hunt::{Target, Verdict};
use crate::planted::Fault;
use crate::random::Random;

pub(crate) const TARGET: Target = Target { name: "headers", make, check, n_runs: 20_000 };

const NAMES: [&str; 8] = ["a", "b", "fc.weight", "", "é\u{301}", "__proto__", "A", "x\"\\"];

/// Bytes that a reader may hold at once, per byte of the file; and beside them.
const MAX_EXPANSION: usize = 8;
const SMALL_BYTES: usize = 64 << 10;

fn make(random: &mut Random) -> Case {
    let mut bytes = whole(random);
    for _ in 0..random.below(4) {
        damage::tensor_file(&mut bytes, random);
    }
    Case::new("headers", Vec::new(), vec![File { name: "f.safetensors".into(), bytes }])
}

/// A valid file.
fn whole(random: &mut Random) -> Vec<u8> {
    let mut entries = Vec::new();
    if random.once_in(2) {
        entries.push(r#""__metadata__":{"format":"pt","k":"v"}"#.to_owned());
    }
    let (mut end, first) = (0, random.below(NAMES.len()));
    for index in 0..random.below(5) {
        let dtype = *random.pick(&Dtype::ALL);
        let mut shape: Vec<u64> = (0..random.below(3)).map(|_| random.below(4) as u64).collect();
        shape.push(8);
        let begin = end;
        end += shape.iter().product::<u64>() * dtype.bits() / 8;
        let name = serde_json::Value::from(NAMES[(first + index) % NAMES.len()]);
        let dtype = dtype.name();
        entries.push(format!(
            r#"{name}:{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#
        ));
    }
    damage::joined(&format!("{{{}}}", entries.join(",")), &vec![0; end as usize])
}

fn check(case: &Case, fault: Option<Fault>) -> Verdict {
    let bytes = case.file("f.safetensors").unwrap_or_default();
    let mut own = ours(bytes);
    if fault == Some(Fault::ByteTooMany)
        && matches!(&own, Answer::Refused(why) if why.contains(" 1 bytes after its last tensor"))
    {
        own = ours(&bytes[..bytes.len() - 1]);
    }
    compare(&own, &theirs(bytes))?;
    sentence(&own)?;
    memory(bytes)
}

/// A refusal is one sentence that names the file and cannot draw on a terminal.
fn sentence(answer: &Answer) -> Verdict {
    let Answer::Refused(why) = answer else { return Ok(()) };
    let named = why.starts_with("`f.safetensors`: ");
    match named && why.chars().count() < 700 && !why.contains(char::is_control) {
        true => Ok(()),
        false => Err(format!("a bad sentence: {why:?}")),
    }
}

fn memory(bytes: &[u8]) -> Verdict {
    let allowed_bytes = bytes.len() * MAX_EXPANSION + SMALL_BYTES;
    let file = Memory::new("f.safetensors", bytes.to_vec());
    let (_, peak_bytes) = allocation::peak(|| pollster::block_on(read_header(&file)).is_ok());
    match peak_bytes <= allowed_bytes {
        true => Ok(()),
        false => Err(format!("reading held {peak_bytes} bytes, not {allowed_bytes}")),
    }
}

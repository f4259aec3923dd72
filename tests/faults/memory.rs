//! Memory that runs out in earnest: the driver is left no room, in a process of its own.

use std::process::Command;

use gramerge::backend::Backend;
use gramerge::backend::gpu::{Gpu, Matrix};
use gramerge::engine::kernels;
use pollster::block_on;

use crate::cards::Faulty;
use crate::{fault, forced, solved};

const CHILD: &str = "memory::without_room";

/// What is left to a process besides what it has: enough for a layer, but not for a driver's next block.
const LEFT_BYTES: u64 = 48 << 20;

/// Sides of the matrices that fill the card's blocks, the last of them to the last buffer.
const SIDES: [usize; 6] = [2048, 1024, 512, 256, 128, 64];

#[test]
fn real_exhaustion_is_told_and_the_processor_solves() {
    let own = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let mut child = Command::new(own);
    child.args(["--exact", CHILD, "--ignored", "--nocapture"]);
    let output = child.output().unwrap_or_else(|error| panic!("{error}"));
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn without_room() {
    let mut cards = Faulty::new(&[]);
    cards.settings.poison = false;
    let guarded = forced(&cards);
    assert_eq!(solved(&guarded).reports[0].fault, None);
    let gpu = cards.last();
    leave(LEFT_BYTES);
    let filling = fill(&gpu);
    let solution = solved(&guarded);
    assert!(fault(&solution).contains("has no memory"), "{}", fault(&solution));
    assert_eq!(solution.reports[0].kernels, kernels());
    drop((filling, gpu));
    let next = solved(&guarded);
    assert_ne!(next.reports[0].kernels, kernels(), "the card was given up: {}", fault(&next));
}

/// Takes all the memory that the card has.
fn fill(gpu: &Gpu) -> Vec<Matrix> {
    let mut taken = Vec::new();
    for side in SIDES {
        let refused = loop {
            match block_on(gpu.zeros(side, side)) {
                Ok(matrix) => taken.push(matrix),
                Err(error) => break error.what,
            }
        };
        assert!(refused.contains("has no memory"), "{refused}");
    }
    taken
}

/// Limits this process to what it has and so much more.
fn leave(bytes: u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let limit = kib.unwrap_or_else(|| panic!("no size in {status}")) * 1024 + bytes;
    let mut limited = Command::new("prlimit");
    limited.args([format!("--pid={}", std::process::id()), format!("--as={limit}")]);
    assert!(limited.status().is_ok_and(|status| status.success()), "prlimit failed");
}

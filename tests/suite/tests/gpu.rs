//! The suite on this machine's graphics card, or on the software that stands in for one.

use gramerge_suite::{Finished, gpu};
use pollster::block_on;

#[test]
fn graphics_card() {
    let finished = block_on(gpu::run());
    let failed: Vec<&Finished> = finished.iter().filter(|case| !case.ok).collect();
    assert!(failed.is_empty(), "{} of {} cases failed:\n{failed:#?}", failed.len(), finished.len());
    assert!(finished.len() >= 300, "only {} cases ran", finished.len());
}

#[test]
fn large_matrix() {
    assert_eq!(block_on(gpu::large(4096)), Ok(()));
}

//! The suite on the kernels of this machine.

use gramerge::backend::cpu::{Native, Portable};
use gramerge_suite::{Finished, run_cpu};
use pollster::block_on;

fn assert_all(finished: &[Finished], at_least: usize) {
    assert!(finished.len() >= at_least, "only {} cases ran", finished.len());
    let failed: Vec<String> = finished
        .iter()
        .filter(|case| !case.ok)
        .map(|case| format!("{}: {}", case.name, case.detail))
        .collect();
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn native_kernels() {
    assert_all(&block_on(run_cpu::<Native<f32>, Native<f64>>("native")), 187);
}

#[test]
fn portable_kernels() {
    assert_all(&block_on(run_cpu::<Portable<f32>, Portable<f64>>("portable")), 187);
}

//! The suite in browser workers, once per kernel build.

use std::time::Duration;

use gramerge_browser_tests::{Firefox, Session};
use serde_json::Value;

/// The whole suite, on a slow machine.
const LIMIT: Duration = Duration::from_secs(600);

fn run(kernels: &str) {
    let mut session = Session::start("GRAMERGE_WEB_TESTS");
    session.open(&format!("index.html?kernels={kernels}"));
    session.wait_for_within("window.result", LIMIT);
    let result = session.evaluate("window.result");
    assert_eq!(result["failure"], Value::Null, "{kernels}: {}", result["failure"]);
    assert_eq!(result["kernels"], kernels, "another build ran");
    check(kernels, result["cases"].as_array().map_or(&[], Vec::as_slice));
    session.assert_quiet();
}

/// In the other engine: `cargo xtask test firefox`.
#[test]
#[ignore = "needs Firefox, which takes minutes on software"]
fn gpu_in_firefox() {
    let mut firefox = Firefox::start("GRAMERGE_WEB_TESTS");
    firefox.open("index.html?kernels=gpu");
    let result = firefox.wait_for("window.result", LIMIT);
    assert_eq!(result["failure"], Value::Null, "{}", result["failure"]);
    check("gpu in Firefox", result["cases"].as_array().map_or(&[], Vec::as_slice));
}

fn check(kernels: &str, cases: &[Value]) {
    assert!(!cases.is_empty(), "{kernels}: no case ran");
    let failed: Vec<String> = cases.iter().filter(|case| case["ok"] != true).map(line).collect();
    let (n_failed, n) = (failed.len(), cases.len());
    assert!(failed.is_empty(), "{kernels}: {n_failed} of {n} failed:\n{}", failed.join("\n"));
    println!("{kernels}: {n} cases passed");
}

fn line(case: &Value) -> String {
    let text = |key: &str| case[key].as_str().unwrap_or("?").to_string();
    format!("  {}: {}", text("name"), text("detail"))
}

#[test]
fn scalar() {
    run("scalar");
}

#[test]
fn simd128() {
    run("simd128");
}

#[test]
fn relaxed() {
    run("relaxed");
}

#[test]
fn gpu() {
    run("gpu");
}

#[test]
#[should_panic(expected = "1 of 2 failed")]
fn a_failed_case_fails_the_run() {
    let cases = [true, false].map(|ok| serde_json::json!({ "name": "case", "ok": ok }));
    check("planted", &cases);
}

#[test]
#[should_panic(expected = "no case ran")]
fn an_empty_suite_fails_the_run() {
    check("planted", &[]);
}

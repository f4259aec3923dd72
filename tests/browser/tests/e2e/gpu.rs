//! A forced graphics card, which here is the browser's own software.

use std::collections::BTreeSet;

use gramerge_browser_tests::Session;
use serde_json::Value;

use crate::sample::{merge_sample, verify_saved};

fn forced() -> Session {
    let mut page = Session::start("GRAMERGE_WEB");
    page.open("?device=gpu");
    page
}

fn report(page: &mut Session) -> Value {
    page.click_button("Download the report as JSON");
    let text = std::fs::read_to_string(page.saved_file()).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_forced_graphics_card_merges_the_sample() {
    let mut page = forced();
    merge_sample(&mut page);
    verify_saved(&mut page);
    page.forget();
    let report = report(&mut page);
    let solves = report["tensors"].as_array().unwrap().iter().map(|tensor| &tensor["solve"]);
    let solves: Vec<&Value> = solves.filter(|solve| !solve.is_null()).collect();
    let paths: Vec<&Value> = solves.iter().map(|solve| &solve["path"]).collect();
    assert!(paths.contains(&&"f32".into()), "the card solved nothing: {solves:#?}");
    assert!(paths.contains(&&"f64".into()), "nothing was handed back: {solves:#?}");
    let kernels: BTreeSet<&str> = solves.iter().filter_map(|s| s["kernels"].as_str()).collect();
    assert_eq!(kernels.len(), 2, "the card and the processor: {kernels:?}");
    assert!(solves.iter().all(|solve| solve["fault"].is_null()), "{solves:#?}");
    page.assert_quiet();
}

#[test]
fn without_an_adapter_a_forced_graphics_card_is_refused_in_words() {
    let mut page = Session::start_without_webgpu("GRAMERGE_WEB");
    page.open("?device=gpu");
    page.click_button("Try the sample");
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.wait_for("document.body.innerText.includes('no graphics card')");
    assert!(!page.has_role("region", "Report"), "a refused merge has a report");
}

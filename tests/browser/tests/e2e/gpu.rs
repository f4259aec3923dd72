//! A forced graphics card, which here is the browser's own software.

use gramerge_browser_tests::Session;
use serde_json::Value;

use crate::sample::{merge_sample, verify_saved};

/// Merges the sample with these settings, and checks it where they are the page's own; answers with the report of every solve.
fn merged(settings: &str) -> Vec<Value> {
    let mut page = Session::start("GRAMERGE_WEB");
    page.open(&format!("?device=gpu{settings}"));
    merge_sample(&mut page);
    if settings.is_empty() {
        verify_saved(&mut page);
        page.forget();
    }
    page.assert_quiet();
    let solves = solves(&mut page);
    let table = page.by_role("table", "What happened to each tensor");
    let table = page.text(&table);
    let shows = |solve: &Value| table.contains(solve["kernels"].as_str().unwrap_or("?"));
    assert!(solves.iter().all(|solve| on_processor(solve) || shows(solve)), "{table}");
    assert!(solves.iter().all(|solve| solve["fault"].is_null()), "{solves:#?}");
    solves
}

/// The report of every solve, of the report that the page shows.
pub(crate) fn solves(page: &mut Session) -> Vec<Value> {
    page.click_button("Download the report as JSON");
    let text = std::fs::read_to_string(page.saved_file()).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let solves = report["tensors"].as_array().unwrap().iter().map(|tensor| &tensor["solve"]);
    solves.filter(|solve| !solve.is_null()).cloned().collect()
}

pub(crate) fn on_processor(solve: &Value) -> bool {
    solve["kernels"].as_str().is_some_and(|kernels| kernels.starts_with("wasm"))
}

#[test]
fn a_forced_graphics_card_merges_the_sample() {
    let solves = merged("#precision=fast");
    assert!(!solves.is_empty() && !solves.iter().any(on_processor), "{solves:#?}");
    // What f32 gives for these layers: ten times the bound of `auto`.
    let good = |solve: &Value| solve["error_estimate"].as_f64().is_some_and(|error| error < 1e-5);
    assert!(solves.iter().all(good), "{solves:#?}");
}

#[test]
fn what_f32_does_not_suffice_for_goes_back_to_the_processor() {
    let solves = merged("");
    let by_processor = solves.iter().filter(|solve| on_processor(solve));
    assert!(by_processor.clone().all(|solve| solve["path"] == "f64"), "{solves:#?}");
    assert!(by_processor.count() > 0, "nothing was handed back: {solves:#?}");
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

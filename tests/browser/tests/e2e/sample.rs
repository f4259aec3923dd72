//! The bundled sample, from the first click to the saved file.

use std::process::Command;

use gramerge_browser_tests::{Session, place};

use crate::opened;

fn merged_sample() -> Session {
    let mut page = opened();
    merge_sample(&mut page);
    page
}

/// From the first click to the report.
pub(crate) fn merge_sample(page: &mut Session) {
    page.click_button("Try the sample");
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
}

/// Saves the merged sample, which the command line must find right.
pub(crate) fn verify_saved(page: &mut Session) {
    page.click_button("Save merged model");
    let saved = page.saved_file();
    let sample = place("GRAMERGE_WEB").join("samples/digits");
    let status = Command::new(place("GRAMERGE_CLI"))
        .arg("verify")
        .arg(saved)
        .args(["digits-a.safetensors", "digits-b.safetensors"].map(|name| sample.join(name)))
        .arg("--gram")
        .args(["digits-a.gram.safetensors", "digits-b.gram.safetensors"].map(|n| sample.join(n)))
        .status()
        .expect("the command line starts");
    assert!(status.success(), "the command line does not verify what the page saved");
}

#[test]
fn the_sample_merges_and_is_put_to_the_test() {
    let mut page = merged_sample();
    page.wait_for("/plain average/.test(document.querySelector('#accuracy')?.innerText ?? '')");
    page.wait_for("/Accuracy on 360 unseen images/.test(document.body.innerText)");
    let text = page.evaluate("document.body.innerText");
    let text = text.as_str().unwrap_or_default();
    for wrong in ["rightly", " %", "Put to the test", "1.0 times"] {
        assert!(!text.contains(wrong), "`{wrong}` is not English");
    }
    verify_saved(&mut page);
    page.assert_quiet();
}

#[test]
fn merging_asks_for_nothing_but_the_pages_own_files() {
    let mut page = merged_sample();
    let own = page.url();
    let strangers: Vec<String> = page
        .record()
        .requests
        .iter()
        .map(|request| request.url.clone())
        .filter(|url| !url.starts_with(&own) && !url.starts_with("blob:"))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn the_sample_works_by_keyboard_alone() {
    let mut page = opened();
    let sample = page.by_role("button", "Try the sample");
    page.call_on(&sample, "function () { this.focus(); }");
    page.press("Enter");
    page.by_role("table", "Plan");
    let merge = page.by_role("button", "Merge");
    page.call_on(&merge, "function () { this.focus(); }");
    page.press("Enter");
    page.by_role("region", "Report");
    page.assert_quiet();
}

//! Files in, merged model out, and the same as the command line makes.

use std::path::PathBuf;

use gramerge_browser_tests::Session;

use crate::compare::{merge_natively, same};
use crate::inputs::{CASE, Folder, golden_inputs, paths};
use crate::opened;

/// The golden merge's solved tensors.
fn regressed() -> Vec<String> {
    let case = std::fs::read(crate::inputs::golden(CASE, "case.json")).expect("a golden case");
    let case: serde_json::Value = serde_json::from_slice(&case).expect("JSON");
    let names = case["regressed"].as_array().expect("names").iter();
    names.map(|name| name.as_str().expect("a name").to_owned()).collect()
}

fn merge_and_save(page: &mut Session) -> PathBuf {
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.click_button("Save merged model");
    page.saved_file()
}

#[test]
fn dropped_files_merge_as_on_the_command_line() {
    let mut page = opened();
    page.drop_files("body", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    let saved = merge_and_save(&mut page);
    let folder = Folder::new();
    let expected = folder.path("cli.safetensors");
    merge_natively(&golden_inputs(CASE), &expected, &[]);
    let regressed = regressed();
    let regressed: Vec<&str> = regressed.iter().map(String::as_str).collect();
    same(&saved, &expected, &regressed).unwrap();
    plant_and_see(&saved, &expected, &regressed);
    page.assert_quiet();
}

/// One wrong byte anywhere in the data must be seen.
fn plant_and_see(saved: &std::path::Path, expected: &std::path::Path, regressed: &[&str]) {
    let whole = std::fs::read(saved).unwrap();
    let data_start = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    for at in [data_start + 6, whole.len() - 2] {
        let mut spoiled = whole.clone();
        spoiled[at] ^= 0x20;
        std::fs::write(saved, &spoiled).unwrap();
        assert!(same(saved, expected, regressed).is_err(), "a planted error at {at} went unseen");
    }
}

#[test]
fn picked_files_merge_again_with_other_settings() {
    let mut page = opened();
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    merge_and_save(&mut page);
    page.forget();
    let alpha = page.by_selector("#set-alpha");
    page.call_on(&alpha, "function () { this.value = '0.1'; this.dispatchEvent(new Event('input', {bubbles: true})); this.dispatchEvent(new Event('change', {bubbles: true})); }");
    let saved = merge_and_save(&mut page);
    let folder = Folder::new();
    let expected = folder.path("cli.safetensors");
    merge_natively(&golden_inputs(CASE), &expected, &["--alpha", "0.1"]);
    let regressed = regressed();
    let regressed: Vec<&str> = regressed.iter().map(String::as_str).collect();
    same(&saved, &expected, &regressed).unwrap();
    page.assert_quiet();
}

#[test]
fn a_folder_is_grouped_into_models() {
    let mut page = opened();
    let file = golden_inputs(CASE).remove(0);
    let folder = file.parent().expect("a golden case is a folder");
    page.set_files("Choose a folder", &[folder]);
    // The expected answer lies in the same folder and counts as a third model until removed.
    page.wait_for("document.querySelectorAll('#model-cards > li').length === 3");
    page.click_button("Remove expected");
    page.by_role("table", "Plan");
    page.assert_quiet();
}

#[test]
fn a_dropped_folder_is_read() {
    let folder = Folder::of_golden(CASE);
    let mut page = opened();
    page.drop_files("body", &[folder.folder()]);
    page.wait_for("document.querySelectorAll('#model-cards > li').length === 2");
    page.by_role("table", "Plan");
    page.assert_quiet();
}

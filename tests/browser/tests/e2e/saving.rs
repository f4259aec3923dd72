//! Saving to a place that the user picks, after the merge or straight away: whole or not at all.

mod faulty;
mod places;

use gramerge_browser_tests::Session;
use serde_json::json;

use crate::compare::sha256;
use crate::pages::Copy;
use faulty::{can_be_cancelled, fails_whenever_it_can, faulty};
use places::{Files, expected, expected_file, planned, saved};

const PICKED: &str = "worker/picked.js";
/// A file that exists, which a picker gives when the user agrees to replace it.
const OLD: &str = "(async () => {
    const root = await navigator.storage.getDirectory();
    const file = await root.getFileHandle('merged.safetensors', { create: true });
    const stream = await file.createWritable();
    await stream.write('old');
    await stream.close();
})()";
/// What the page keeps for itself.
const KEPT: &str = "(async () => {
    const root = await navigator.storage.getDirectory();
    const names = [];
    for await (const name of root.keys()) if (name === 'gramerge') names.push(name);
    return names.length;
})()";
const NOTE: &str = "document.querySelector('#save-note').textContent";
const TO_FILE: &str = "Save to a place of your choice…";
const TO_FOLDER: &str = "Save into a folder…";

fn choose_straight(page: &mut Session) {
    let place = page.by_label("Write to");
    let choose = "function () { this.value = 'now'; this.dispatchEvent(new Event('input', { bubbles: true })); }";
    page.call_on(&place, choose);
}

#[test]
fn a_result_is_copied_to_a_picked_file_or_not_at_all() {
    let copy = faulty();
    let mut page = planned(&copy, "");
    page.click_button("Merge");
    page.by_role("region", "Report");
    fails_whenever_it_can(&mut page, TO_FILE);
    can_be_cancelled(&mut page, TO_FILE);
    page.click_button(TO_FILE);
    page.wait_for(&format!("{NOTE}.includes('its SHA-256 is the same')"));
    assert_eq!(saved(&mut page), expected_file());
    page.assert_quiet();
}

#[test]
fn a_file_that_could_not_be_replaced_holds_what_it_held() {
    let copy = faulty();
    let mut page = planned(&copy, "");
    page.evaluate(OLD);
    page.click_button("Merge");
    page.by_role("region", "Report");
    for fault in ["fault 2 QuotaExceededError", "fault close AbortError"] {
        page.evaluate(&format!("caches.open({}).then(() => 0)", json!(fault)));
        page.click_button(TO_FILE);
        page.wait_for("!document.querySelector('[role=alert]').hidden");
        let old = Files::from([("merged.safetensors".into(), b"old".to_vec())]);
        assert_eq!(saved(&mut page), old, "{fault}");
        page.evaluate(&format!("caches.delete({})", json!(fault)));
        page.wait_for("document.querySelector('#run').hidden");
    }
    page.click_button(TO_FILE);
    page.wait_for(&format!("{NOTE}.includes('its SHA-256 is the same')"));
    assert_eq!(saved(&mut page), expected_file());
}

#[test]
fn a_result_is_copied_into_a_picked_folder_or_not_at_all() {
    let copy = faulty();
    let mut page = planned(&copy, "&shard=0.5kB");
    page.click_button("Merge");
    page.by_role("region", "Report");
    fails_whenever_it_can(&mut page, TO_FOLDER);
    can_be_cancelled(&mut page, TO_FOLDER);
    page.click_button(TO_FOLDER);
    page.wait_for(&format!("{NOTE}.includes('its SHA-256 is the same')"));
    assert_eq!(saved(&mut page), expected(&["--shard-size", "0.5kB"]));
    // A second time, the names are taken.
    page.click_button(TO_FOLDER);
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    assert!(page.text(&alert).contains("already holds"));
    assert_eq!(saved(&mut page), expected(&["--shard-size", "0.5kB"]));
}

#[test]
fn a_merge_goes_straight_to_a_picked_file_or_nowhere() {
    let copy = faulty();
    let mut page = planned(&copy, "");
    choose_straight(&mut page);
    fails_whenever_it_can(&mut page, "Merge");
    can_be_cancelled(&mut page, "Merge");
    page.click_button("Merge");
    page.by_role("region", "Report");
    assert_eq!(saved(&mut page), expected_file());
    assert_eq!(page.evaluate(KEPT), 0, "the private file system was used");
    assert!(!page.has_role("button", "Save merged model"));
    let digest = sha256(&expected_file()["merged.safetensors"]);
    page.wait_for(&format!(
        "document.querySelector('#report-digest').textContent.includes('{digest}')"
    ));
    page.assert_quiet();
}

#[test]
fn a_merge_goes_straight_into_a_picked_folder_or_nowhere() {
    let copy = faulty();
    let mut page = planned(&copy, "&shard=0.5kB");
    choose_straight(&mut page);
    fails_whenever_it_can(&mut page, "Merge");
    can_be_cancelled(&mut page, "Merge");
    page.click_button("Merge");
    page.by_role("region", "Report");
    assert_eq!(saved(&mut page), expected(&["--shard-size", "0.5kB"]));
    assert_eq!(page.evaluate(KEPT), 0, "the private file system was used");
    page.assert_quiet();
}

/// Spoiled between writing and reading back.
#[test]
fn what_reads_back_otherwise_is_not_called_saved() {
    let copy = Copy::new();
    let line = "    return await output.finish();";
    let spoil = "    const saved = await output.finish();
    const stream = await target.createWritable({ keepExistingData: true });
    await stream.write({ type: 'write', position: saved[0].size - 1, data: '!' });
    await stream.close();
    return [await target.getFile()];";
    copy.change(PICKED, line, spoil);
    copy.publish(PICKED, "spoiling");
    let mut page = planned(&copy, "");
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.click_button(TO_FILE);
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    assert!(page.text(&alert).contains("another SHA-256"));
}

#[test]
fn a_closed_picker_is_no_error() {
    let copy = Copy::new();
    let mut page = planned(&copy, "");
    page.click_button("Merge");
    page.by_role("region", "Report");
    // The browser's own, which closes at once where there is no screen; so it may open in the frame.
    page.evaluate(
        "window.showSaveFilePicker = (wish) => ownPicker(wish).catch((error) => {
            window.answer = error.name + ': ' + error.message;
            throw error;
        });
        0",
    );
    page.click_button(TO_FILE);
    page.wait_for("window.answer");
    let answer = page.evaluate("window.answer");
    assert!(answer.as_str().is_some_and(|answer| answer.starts_with("AbortError")), "{answer}");
    page.wait_for("document.querySelector('#run').hidden");
    assert_eq!(page.evaluate("document.querySelector('[role=alert]').hidden"), true);
    page.click_button("Save merged model");
    assert_eq!(std::fs::read(page.saved_file()).unwrap(), expected_file()["merged.safetensors"]);
    page.assert_quiet();
}

//! Saving to a place that the user picks, after the merge or straight away: whole or not at all.
//!
//! Browsers' own pickers cannot be used by a test. Others stand in for them, which give files of the
//! private file system: these are written as files of the disk are.

use std::collections::BTreeMap;

use gramerge_browser_tests::Session;
use serde_json::json;

use crate::compare::merge_natively;
use crate::inputs::{CASE, Folder, golden_inputs, paths};
use crate::pages::Copy;

const PICKED: &str = "worker/picked.js";
/// So that a small file takes several writes.
const PIECES: (&str, &str) = ("const PIECE_BYTES = 4 << 20;", "const PIECE_BYTES = 512;");
const OPENED: (&str, &str) = (
    "    file.stream = await handle.createWritable();",
    "    file.stream = await faulty(() => handle.createWritable());",
);
/// A stream that fails or hangs where the name of a cache says so, such as `fault 1 Hanging`.
const FAULTY: &str = "
let nSteps = 0;
async function faulty(open) {
  const [, at, name] = (await caches.keys()).find((key) => key.startsWith('fault'))?.split(' ') ?? [];
  const step = async (what) => {
    if (at !== what) return;
    if (name === 'Hanging') await new Promise(() => {});
    throw new DOMException('', name);
  };
  nSteps = 0;
  await step('open');
  const stream = await open();
  return {
    write: (data) => step(String(nSteps++)).then(() => stream.write(data)),
    close: () => step('close').then(() => stream.close()),
    abort: () => stream.abort(),
  };
}
";
const PICKERS: &str = "(() => {
    const root = navigator.storage.getDirectory();
    window.ownPicker = window.showSaveFilePicker;
    window.showSaveFilePicker = async ({ suggestedName }) =>
        (await root).getFileHandle(suggestedName, { create: true });
    window.showDirectoryPicker = async () =>
        (await root).getDirectoryHandle('picked', { create: true });
})()";
/// Names and bytes of what is in the picked places, whatever the page keeps for itself.
const SAVED: &str = "(async () => {
    const found = {};
    const walk = async (folder) => {
        for await (const entry of folder.values()) {
            if (entry.name === 'gramerge') continue;
            if (entry.kind === 'directory') await walk(entry);
            else found[entry.name] = [...new Uint8Array(await (await entry.getFile()).arrayBuffer())];
        }
    };
    await walk(await navigator.storage.getDirectory());
    return found;
})()";
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

type Files = BTreeMap<String, Vec<u8>>;

/// What can fail, and what the page says of it.
const FAULTS: [(&str, &str); 8] = [
    ("fault open NotAllowedError", "choose the place again and allow it"),
    ("fault 0 NotAllowedError", "choose the place again and allow it"),
    ("fault 0 QuotaExceededError", "free some disk space"),
    ("fault 1 QuotaExceededError", "free some disk space"),
    ("fault 2 QuotaExceededError", "free some disk space"),
    ("fault 2 InvalidStateError", "cannot be written"),
    ("fault close AbortError", "cannot be written"),
    ("fault close QuotaExceededError", "free some disk space"),
];

/// The page with places to pick and the plan of an average, whose bytes are the command line's.
fn planned(copy: &Copy, settings: &str) -> Session {
    let mut page = Session::serving(copy.folder());
    page.open(&format!("#method=average{settings}"));
    page.evaluate(PICKERS);
    page.set_files("Models and Gram files", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    page
}

fn faulty() -> Copy {
    let copy = Copy::new();
    copy.change(PICKED, PIECES.0, PIECES.1);
    copy.change(PICKED, OPENED.0, OPENED.1);
    copy.change(
        PICKED,
        "/** @typedef {FileSystemFileHandle |",
        &format!("{FAULTY}/** @typedef {{FileSystemFileHandle |"),
    );
    copy.publish(PICKED, "faulty");
    copy
}

fn choose_straight(page: &mut Session) {
    let place = page.by_label("Write to");
    let choose = "function () { this.value = 'now'; this.dispatchEvent(new Event('input', { bubbles: true })); }";
    page.call_on(&place, choose);
}

fn saved(page: &mut Session) -> Files {
    serde_json::from_value(page.evaluate(SAVED)).unwrap()
}

/// What the command line writes.
fn expected(extra: &[&str]) -> Files {
    let folder = Folder::new();
    let out = folder.path("out");
    std::fs::create_dir(&out).unwrap();
    merge_natively(&golden_inputs(CASE), &out, &[&["--method", "average"], extra].concat());
    let entries = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap());
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    // Configuration lies beside the golden files for other tests' sake.
    entries.map(file).filter(|(name, _)| name != "case.json").collect()
}

/// The one file, under the name that a picker proposes.
fn expected_file() -> Files {
    let bytes = expected(&[]).remove("model.safetensors").unwrap();
    BTreeMap::from([("merged.safetensors".into(), bytes)])
}

fn fails_whenever_it_can(page: &mut Session, button: &str) {
    for (fault, words) in FAULTS {
        page.evaluate(&format!("caches.open({}).then(() => 0)", json!(fault)));
        page.click_button(button);
        page.wait_for("!document.querySelector('[role=alert]').hidden");
        let alert = page.by_selector("[role=alert]");
        let text = page.text(&alert);
        assert!(text.contains(words), "{fault}: no `{words}` in: {text}");
        assert_eq!(saved(page), Files::new(), "{fault} left something behind");
        page.evaluate(&format!("caches.delete({})", json!(fault)));
        page.wait_for("document.querySelector('#run').hidden");
    }
}

/// Whatever it hangs at, cancelling ends it and leaves nothing.
fn can_be_cancelled(page: &mut Session, button: &str) {
    for fault in ["fault 0 Hanging", "fault 2 Hanging"] {
        page.evaluate(&format!("caches.open({}).then(() => 0)", json!(fault)));
        page.click_button(button);
        page.click_button("Cancel");
        page.wait_for("document.querySelector('#run').hidden");
        page.wait_for(&format!("{SAVED}.then((found) => Object.keys(found).length === 0)"));
        let alert = page.by_selector("[role=alert]");
        assert_eq!(page.text(&alert), "", "cancelling at {fault}");
        page.evaluate(&format!("caches.delete({})", json!(fault)));
    }
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
    let mut page = planned(&copy, "&shard=500");
    page.click_button("Merge");
    page.by_role("region", "Report");
    fails_whenever_it_can(&mut page, TO_FOLDER);
    can_be_cancelled(&mut page, TO_FOLDER);
    page.click_button(TO_FOLDER);
    page.wait_for(&format!("{NOTE}.includes('its SHA-256 is the same')"));
    assert_eq!(saved(&mut page), expected(&["--shard-size", "500"]));
    // A second time, the names are taken.
    page.click_button(TO_FOLDER);
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    assert!(page.text(&alert).contains("already holds"));
    assert_eq!(saved(&mut page), expected(&["--shard-size", "500"]));
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
    let mut page = planned(&copy, "&shard=500");
    choose_straight(&mut page);
    fails_whenever_it_can(&mut page, "Merge");
    can_be_cancelled(&mut page, "Merge");
    page.click_button("Merge");
    page.by_role("region", "Report");
    assert_eq!(saved(&mut page), expected(&["--shard-size", "500"]));
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

/// In hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

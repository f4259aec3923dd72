//! The origin's private storage: shared by tabs, denied, cleared; and merges cancelled at every stage.

use gramerge_browser_tests::Session;
use serde_json::json;

use crate::cancel::EMPTY;
use crate::inputs::Folder;
use crate::pages::Copy;
use crate::resume::{WARNINGS, begin, saved, undisturbed};

const LEAD: &str = "  const outcome = await engine.run_job(";

/// The page with another line in a worker's file.
fn changed(file: &str, line: &str, other: &str) -> Copy {
    let copy = Copy::new();
    copy.change(file, line, other);
    copy.publish(file, "changed");
    copy
}

fn opened(copy: &Copy) -> Session {
    let mut page = Session::serving(copy.folder());
    page.open("");
    page
}

/// The folders of private files, one for each tab that has any.
pub(crate) const FOLDERS: &str = "(async () => {
    const root = await navigator.storage.getDirectory();
    const names = [];
    for await (const name of (await root.getDirectoryHandle('gramerge')).keys()) names.push(name);
    return names;
})()";

fn done(count: usize) -> String {
    format!("document.querySelector('#run-figures').textContent.startsWith('{count} of 6')")
}

/// Both tabs have the same merge under way, so the second could take the first one's files for
/// abandoned.
#[test]
fn two_tabs_do_not_touch_each_others_merge() {
    let folder = Folder::slow(96, 6);
    let wait = "  while (index >= 4 && !(await caches.has('go'))) await new Promise((resolve) => setTimeout(resolve, 20));";
    let copy = changed("worker/compute.js", LEAD, &format!("{wait}\n{LEAD}"));
    let mut page = opened(&copy);
    begin(&mut page, &folder);
    page.wait_for(&done(4));
    let first = page.new_tab();
    page.open("");
    begin(&mut page, &folder);
    page.wait_for(&done(4));
    assert_eq!(page.evaluate(FOLDERS).as_array().map(Vec::len), Some(2), "a folder for each");
    page.evaluate("caches.open('go').then(() => true)");
    let expected = undisturbed(&folder, "");
    assert!(saved(&mut page) == expected, "the second tab's bytes");
    let warnings = page.evaluate(WARNINGS);
    assert_eq!(warnings.as_str().map(|text| text.contains("interruption")), Some(false));
    page.switch(first);
    assert!(saved(&mut page) == expected, "the first tab's bytes");
}

#[test]
fn a_merge_that_is_cancelled_at_any_stage_leaves_nothing() {
    let folder = Folder::slow(96, 6);
    // As many layers are merged as caches have been opened.
    let stall = "  if (index >= (await caches.keys()).filter((name) => name.startsWith('try')).length) await new Promise(() => {});";
    let copy = changed("worker/compute.js", LEAD, &format!("{stall}\n{LEAD}"));
    let mut page = opened(&copy);
    begin(&mut page, &folder);
    for count in 0..6 {
        page.wait_for(&done(count));
        page.click_button("Cancel");
        page.wait_for("document.querySelector('#run').hidden");
        assert!(!page.has_role("region", "Report"), "a merge cancelled after {count} has a report");
        page.wait_for(EMPTY);
        page.evaluate(&format!("caches.open('try {count}').then(() => true)"));
        page.click_button("Merge");
    }
    assert!(saved(&mut page) == undisturbed(&folder, ""), "other bytes after all that");
}

/// As in some browsers' private windows.
#[test]
fn without_private_storage_memory_holds_the_output() {
    let folder = Folder::slow(96, 6);
    let line = "  return (await navigator.storage.getDirectory())";
    let denied = "  return (await Promise.reject(new DOMException('', 'SecurityError')))";
    let copy = changed("shared/abandoned.js", line, denied);
    let mut page = opened(&copy);
    begin(&mut page, &folder);
    assert!(saved(&mut page) == undisturbed(&folder, ""), "other bytes than from a file");
}

/// By the user, in the browser's settings. Chromium then neither answers nor fails.
#[test]
fn storage_that_is_cleared_while_a_merge_runs_is_no_result() {
    let folder = Folder::slow(96, 6);
    let line = "    await engine.check_inputs();";
    let wait = "    while (!(await caches.has('cleared'))) await 0;";
    let copy = changed("worker/coordinator.js", line, &format!("{wait}\n{line}"));
    let soon = ("const CLOSING_MILLIS = 5000;", "const CLOSING_MILLIS = 0;");
    copy.change("page/views/progress.js", soon.0, soon.1);
    copy.publish("page/views/progress.js", "impatient");
    let mut page = opened(&copy);
    begin(&mut page, &folder);
    page.wait_for(&done(6));
    let origin = page.url();
    let wish = json!({ "origin": origin.trim_end_matches('/'), "storageTypes": "file_systems" });
    page.tab("Storage.clearDataForOrigin", wish);
    page.evaluate("caches.open('cleared').then(() => true)");
    page.wait_for("/data was cleared/.test(document.querySelector('#run-current').innerText)");
    page.click_button("Cancel");
    page.wait_for("document.querySelector('#run').hidden");
    assert!(!page.has_role("region", "Report"), "a report of what is gone");
    page.click_button("Merge");
    assert!(saved(&mut page) == undisturbed(&folder, ""), "other bytes the second time");
}

#[test]
fn a_file_that_is_gone_is_named() {
    let folder = Folder::slow(96, 6);
    let mut page = Session::start("GRAMERGE_WEB");
    page.open("");
    let bytes = std::fs::read(folder.path("b.safetensors")).unwrap();
    page.set_files("Choose models", &crate::inputs::paths(&folder.inputs()));
    page.by_role("table", "Plan");
    std::fs::remove_file(folder.path("b.safetensors")).unwrap();
    page.click_button("Merge");
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    let text = page.text(&alert);
    assert!(text.contains("b.safetensors") && text.contains("gone"), "{text}");
    folder.write("b.safetensors", &bytes);
    page.click_button("Start over");
    begin(&mut page, &folder);
    page.by_role("region", "Report");
}

//! A merge that a closed tab interrupts goes on, if it is the same merge.

use gramerge_browser_tests::Session;

use crate::LOCKED;
use crate::faults::alone;
use crate::inputs::{Folder, paths};
use crate::lock::reach::by_fresh_window;
use crate::pages::Copy;
use crate::storage::FOLDERS;

const LEAD: &str = "  const outcome = await engine.run_job(";
/// From the fifth layer on, workers wait until the page has been closed once. After that, it is noted
/// what they solve.
const STALLED: &str = "  if (index >= 4 && !(await caches.has('go'))) await new Promise(() => {});
  if (await caches.has('go')) await caches.open(`after ${index}`);
  const outcome = await engine.run_job(";

/// A tab whose merge comes to a halt when four of six layers are written down.
pub(crate) fn stalled(copy: &Copy, folder: &Folder, settings: &str) -> Session {
    copy.change("worker/compute.js", LEAD, STALLED);
    copy.publish("worker/compute.js", "stalling");
    flushing_always(copy);
    let mut page = Session::serving(copy.folder());
    page.open(settings);
    begin(&mut page, folder);
    page.wait_for(WRITTEN_DOWN);
    page
}

/// The same, closed then.
pub(crate) fn interrupted(copy: &Copy, folder: &Folder, settings: &str) -> Session {
    let mut page = stalled(copy, folder, settings);
    page.evaluate("caches.open('go').then(() => true)");
    // To another address and back: with the same settings the address is the same, and stays.
    page.open("?");
    page.open(settings);
    page
}

/// Whatever the time.
pub(crate) fn flushing_always(copy: &Copy) {
    copy.change("worker/private.js", "    if (start < dueMillis) return;\n", "");
    copy.publish("worker/private.js", "flushing");
}

/// Whether the journal has four jobs.
const WRITTEN_DOWN: &str = "(async () => {
    const root = await navigator.storage.getDirectory();
    for await (const folder of (await root.getDirectoryHandle('gramerge')).values()) {
        const journal = await (await folder.getFileHandle('journal.jsonl')).getFile();
        if ((await journal.text()).split('\\n').length === 1 + 4) return true;
    }
    return false;
})().catch(() => false)";

pub(crate) fn begin(page: &mut Session, folder: &Folder) {
    page.set_files("Choose models", &paths(&folder.inputs()));
    page.by_role("table", "Plan");
    page.click_button("Merge");
}

pub(crate) fn saved(page: &mut Session) -> Vec<u8> {
    page.by_role("region", "Report");
    page.click_button("Save merged model");
    let saved = page.saved_file();
    std::fs::read(saved).unwrap()
}

pub(crate) fn undisturbed(folder: &Folder, query: &str) -> Vec<u8> {
    let mut page = Session::start("GRAMERGE_WEB");
    page.open(query);
    begin(&mut page, folder);
    saved(&mut page)
}

pub(crate) const WARNINGS: &str = "document.querySelector('#report-warnings').textContent";

/// A crash in the middle of writing a job down.
const CUT_SHORT: &str = "(async () => {
    const root = await navigator.storage.getDirectory();
    for await (const folder of (await root.getDirectoryHandle('gramerge')).values()) {
        const file = await folder.getFileHandle('journal.jsonl');
        const stream = await file.createWritable({ keepExistingData: true });
        const position = (await file.getFile()).size;
        await stream.write({ type: 'write', position, data: '\\n{\"index\":5,\"outco' });
        await stream.close();
    }
})()";

fn goes_on(page: &mut Session, folder: &Folder) {
    begin(page, folder);
    let bytes = saved(page);
    let warnings = page.evaluate(WARNINGS);
    // Four, or one more that a worker took up as the stall was lifted.
    let words = "of 6 tensors had been merged before an interruption";
    assert!(warnings.as_str().is_some_and(|text| text.contains(words)), "{warnings}");
    let again =
        "caches.keys().then((names) => names.filter((name) => /^after [0-3]$/.test(name)).length)";
    assert_eq!(page.evaluate(again), 0, "layers were solved again");
    assert!(bytes == undisturbed(folder, ""), "other bytes than without an interruption");
}

#[test]
fn an_interrupted_merge_goes_on_and_has_the_same_bytes() {
    let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
    let mut page = interrupted(&copy, &folder, "");
    goes_on(&mut page, &folder);
}

#[test]
fn it_goes_on_where_one_worker_holds_the_file() {
    let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
    alone(&copy);
    let mut page = interrupted(&copy, &folder, "");
    goes_on(&mut page, &folder);
}

#[test]
fn a_journal_that_was_cut_short_holds_to_its_last_line() {
    let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
    let mut page = interrupted(&copy, &folder, "");
    page.evaluate(CUT_SHORT);
    goes_on(&mut page, &folder);
}

#[test]
fn another_merge_does_not_go_on_with_it() {
    let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
    let mut page = interrupted(&copy, &folder, "");
    let bytes = std::fs::read(folder.path("b.safetensors")).unwrap();
    let mut changed = bytes.clone();
    let end = changed.len();
    changed[end - 4..].copy_from_slice(&0.5_f32.to_le_bytes());
    folder.write("b.safetensors", &changed);
    begin(&mut page, &folder);
    let merged = saved(&mut page);
    assert_eq!(
        page.evaluate(WARNINGS).as_str().map(|text| text.contains("interruption")),
        Some(false)
    );
    assert!(merged == undisturbed(&folder, ""), "old tensors in a new merge");
}

#[test]
fn with_other_settings_it_begins_anew() {
    let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
    let mut page = interrupted(&copy, &folder, "");
    page.open("?");
    page.open("#alpha=0.5");
    begin(&mut page, &folder);
    let merged = saved(&mut page);
    let warnings = page.evaluate(WARNINGS);
    assert_eq!(warnings.as_str().map(|text| text.contains("interruption")), Some(false));
    assert!(merged == undisturbed(&folder, "#alpha=0.5"), "tensors of other settings");
}

pub(crate) fn open_another_build(copy: &Copy, page: &mut Session) {
    copy.publish("worker/journal.js", "another");
    // The browser's copy would open the page as it was. The page must not be about to make it.
    page.wait_for(LOCKED);
    assert_eq!(page.evaluate(&by_fresh_window("unregister")), true);
    page.open("?");
    page.wait_for("document.querySelector('#build').textContent === 'Build another.'");
}

#[test]
fn another_build_begins_anew_and_removes_what_is_left() {
    let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
    let mut page = interrupted(&copy, &folder, "");
    let left = page.evaluate(FOLDERS);
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    open_another_build(&copy, &mut page);
    begin(&mut page, &folder);
    let merged = saved(&mut page);
    let warnings = page.evaluate(WARNINGS);
    assert_eq!(warnings.as_str().map(|text| text.contains("interruption")), Some(false));
    assert!(merged == undisturbed(&folder, ""), "tensors of another build");
    let kept = page.evaluate(FOLDERS);
    assert_eq!(kept.as_array().map(Vec::len), Some(1), "{kept}");
    assert_ne!(kept, left, "the interrupted merge is still there");
}

#[test]
fn shards_go_on_as_one_file_does_and_not_with_another_size() {
    for (size, goes_on) in [("80kB", true), ("40kB", false)] {
        let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
        let mut page = interrupted(&copy, &folder, "#shard=80kB");
        page.open("?");
        let settings = format!("#shard={size}");
        page.open(&settings);
        begin(&mut page, &folder);
        let all = |page: &mut Session| {
            page.by_role("region", "Report");
            page.click_button("Save merged model");
            let n_files = if goes_on { 3 + 1 } else { 6 + 1 };
            let files = page.saved_files(n_files).into_iter();
            files.map(|(name, path)| (name, std::fs::read(path).unwrap())).collect::<Vec<_>>()
        };
        let bytes = all(&mut page);
        let warnings = page.evaluate(WARNINGS);
        let has_gone_on = warnings.as_str().map(|text| text.contains("interruption"));
        assert_eq!(has_gone_on, Some(goes_on), "{size}");
        let mut page = Session::start("GRAMERGE_WEB");
        page.open(&settings);
        begin(&mut page, &folder);
        assert!(bytes == all(&mut page), "other bytes than without an interruption");
    }
}

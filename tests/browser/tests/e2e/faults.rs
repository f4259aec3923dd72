//! Bad files and files that change: one sentence in an alert, no result, and a way on.

use gramerge_browser_tests::Session;

use crate::inputs::{CASE, Folder, paths};
use crate::opened;
use crate::pages::Copy;
use crate::resume::{begin, flushing_always, saved, undisturbed};

/// The alert says all of this, and there is nothing to save.
fn is_refused(page: &mut Session, words: &[&str]) {
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    let text = page.text(&alert);
    for word in words {
        assert!(text.contains(word), "no `{word}` in the alert: {text}");
    }
    assert!(!page.has_role("region", "Report"), "a refused merge has a report");
}

fn with(page: &mut Session, folder: &Folder) {
    page.set_files("Choose models", &paths(&folder.inputs()));
}

#[test]
fn wrong_files_are_named_in_an_alert() {
    let folder = Folder::of_golden(CASE);
    let whole = std::fs::read(folder.path("a.safetensors")).unwrap();
    let wrong: [(&[u8], &str); 3] = [
        (&whole[..whole.len() - 3], "cut short"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
    ];
    for (bytes, word) in wrong {
        folder.write("a.safetensors", bytes);
        let mut page = opened();
        with(&mut page, &folder);
        page.wait_for(&format!("document.body.innerText.includes({word:?})"));
        assert!(!page.has_role("region", "Report"));
        page.assert_quiet();
    }
}

#[test]
fn one_model_is_not_enough() {
    let folder = Folder::of_golden(CASE);
    let mut page = opened();
    page.set_files("Choose models", &[&folder.path("a.safetensors")]);
    page.wait_for("/one model|two models|second model/i.test(document.body.innerText)");
    page.assert_quiet();
}

#[test]
fn models_of_other_shapes_are_refused_by_name() {
    let folder = Folder::of_golden(CASE);
    let other = crate::inputs::golden("conv1d", "b.safetensors");
    std::fs::copy(other, folder.path("b.safetensors")).unwrap();
    let mut page = opened();
    with(&mut page, &folder);
    is_refused(&mut page, &["they are not copies of one network"]);
    page.assert_quiet();
}

#[test]
fn a_gram_with_a_nan_is_refused_by_name() {
    let folder = Folder::of_golden(CASE);
    let name = "b.gram.safetensors";
    let mut bytes = std::fs::read(folder.path(name)).unwrap();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    folder.write(name, &bytes);
    let mut page = opened();
    with(&mut page, &folder);
    page.click_button("Merge");
    is_refused(&mut page, &["NaN or infinity", name]);
}

#[test]
fn a_file_that_changes_is_refused_and_can_be_chosen_again() {
    let folder = Folder::of_golden(CASE);
    let name = "b.safetensors";
    let bytes = std::fs::read(folder.path(name)).unwrap();
    let mut page = opened();
    with(&mut page, &folder);
    page.by_role("table", "Plan");
    folder.write(name, &[&bytes[..], b"more"].concat());
    page.click_button("Merge");
    is_refused(&mut page, &[name, "changed"]);
    folder.write(name, &bytes);
    page.click_button("Start over");
    with(&mut page, &folder);
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
}

/// A change after the last byte was read, which no reading notices.
#[test]
fn a_file_that_changes_before_publishing_is_refused() {
    let (copy, folder) = (Copy::new(), Folder::of_golden(CASE));
    let line = "    await engine.check_inputs();";
    let waiting =
        "    while (!(await caches.has('changed'))) await 0;\n    await engine.check_inputs();";
    copy.change("worker/coordinator.js", line, waiting);
    copy.publish("worker/coordinator.js", "waiting");
    let mut page = Session::serving(copy.folder());
    page.open("");
    with(&mut page, &folder);
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.wait_for("document.querySelector('#run-percent').textContent === '100%'");
    let name = "a.gram.safetensors";
    let bytes = std::fs::read(folder.path(name)).unwrap();
    folder.write(name, &[&bytes[..], b"more"].concat());
    page.evaluate("caches.open('changed')");
    is_refused(&mut page, &[name, "changed"]);
    page.wait_for(crate::cancel::EMPTY);
}

/// How many merges were tried: a failed one may cost its worker, so they are counted where they
/// outlive it.
const TRIES: &str = "(await caches.keys()).filter((name) => name.startsWith('try')).length";

/// A page whose disk is full after as many writes as merges were tried before.
fn filling() -> Copy {
    let copy = Copy::new();
    let line = "  for (let start = 0; start < bytes.length; start += WRITE_BYTES) {";
    let refuse = "  if (--allowed.writes < 0) throw new DOMException('', 'QuotaExceededError');";
    copy.change("worker/private.js", line, &format!("{refuse}\n{line}"));
    let first = "const WRITE_BYTES = 1 << 20;";
    let allowed = format!("{first}\nexport const allowed = {{ writes: 0 }};");
    copy.change("worker/private.js", first, &allowed);
    let made = "    const journal = await startJournal(";
    let count = format!(
        "    allowed.writes = {TRIES};\n    await caches.open(`try ${{allowed.writes}}`);\n{made}"
    );
    copy.change("worker/output.js", made, &count);
    for file in ["worker/output.js", "worker/outlet.js"] {
        copy.change(file, "import { explain, ", "import { allowed, explain, ");
    }
    copy
}

/// For every n until the merge succeeds.
fn is_explained_at_every_write(copy: &Copy) {
    for file in ["worker/private.js", "worker/output.js", "worker/outlet.js"] {
        copy.publish(file, "full");
    }
    let folder = Folder::of_golden(CASE);
    let mut page = Session::serving(copy.folder());
    page.open("?workers=1");
    with(&mut page, &folder);
    page.by_role("table", "Plan");
    let mut refusals = 0;
    loop {
        page.click_button("Merge");
        page.wait_for("!document.querySelector('[role=alert]').hidden || !document.querySelector('#report').hidden");
        if page.has_role("region", "Report") {
            break;
        }
        is_refused(&mut page, &["no room", "free some disk space", "write to a place"]);
        page.wait_for(crate::cancel::EMPTY);
        refusals += 1;
    }
    assert!(refusals > 3, "the disk was full {refusals} times only");
}

#[test]
fn a_full_disk_is_explained_whenever_it_fills() {
    let copy = filling();
    // The coordinating worker has written the header.
    let opened = "  const handle = await openBeside(file);\n";
    let count = format!("{opened}  allowed.writes = {TRIES} - 2;\n");
    copy.change("worker/outlet.js", opened, &count);
    is_explained_at_every_write(&copy);
}

#[test]
fn a_full_disk_is_explained_where_one_worker_holds_the_file() {
    let copy = filling();
    alone(&copy);
    is_explained_at_every_write(&copy);
}

/// Disks that take what they have no room for, and say so later: to a worker, or at the very end.
#[test]
fn a_disk_that_proves_full_when_it_is_waited_for_is_explained() {
    let line = "\nreportRequests();";
    let full = "FileSystemSyncAccessHandle.prototype.flush = () => {
  throw new DOMException('', 'QuotaExceededError');
};";
    for worker in ["worker/compute.js", "worker/coordinator.js"] {
        let (copy, folder) = (Copy::new(), Folder::of_golden(CASE));
        flushing_always(&copy);
        copy.change(worker, line, &format!("\n{full}{line}"));
        copy.publish(worker, "full");
        let mut page = Session::serving(copy.folder());
        page.open("");
        begin(&mut page, &folder);
        is_refused(&mut page, &["no room", "free some disk space"]);
        page.wait_for(crate::cancel::EMPTY);
    }
}

/// As in browsers that let one worker open a file.
pub(crate) fn alone(copy: &Copy) {
    let line = "  return handle.mode === \"readwrite-unsafe\";";
    copy.change("worker/private.js", line, "  return false;");
    let mode = "createSyncAccessHandle({ mode: \"readwrite-unsafe\" })";
    copy.change("worker/private.js", mode, "createSyncAccessHandle()");
}

#[test]
fn a_file_that_one_worker_holds_gets_the_same_bytes() {
    let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
    alone(&copy);
    copy.publish("worker/private.js", "alone");
    let mut page = Session::serving(copy.folder());
    page.open("");
    begin(&mut page, &folder);
    assert!(saved(&mut page) == undisturbed(&folder, ""), "other bytes than from several writers");
}

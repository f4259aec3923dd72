//! Workers that share a layer, and workers that die: the same bytes, or a sentence.
//!
//! Faults are planted in a copy of the page's own worker code.

use gramerge_browser_tests::Session;

use crate::inputs::{Folder, paths};
use crate::pages::Copy;

/// A line of a worker's code, and what stands in its place.
type Edit<'a> = (&'a str, &'a str, &'a str);

/// `trapOnce(name)` traps where no awaited promise sees it, in the first worker that calls it.
const START_WITH_TRAPS: &str = "let engine;
const TRAP = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 8, 1, 0, 10, 5, 1, 3, 0, 0, 11]);
const trap = () => new Promise(() => setTimeout(() => new WebAssembly.Instance(new WebAssembly.Module(TRAP))));
async function trapOnce(name) {
  if (await caches.has(name)) return;
  await caches.open(name);
  await trap();
}
";
const COMPUTE: &str = "worker/compute.js";
const LEAD: &str = "  const outcome = await engine.run_job(";
const HELP: &str = "  const rows = await engine.help_job(";
const COLLECT: &str = "      send({ type: \"collect\", index });\n      return next(\"rows\")";
const START: &str = "let engine;";

/// The page with these faults, published as a build of its own, and where it lies.
fn faulty(edits: &[Edit], query: &str) -> (Session, Copy) {
    let copy = Copy::new();
    for (file, line, other) in edits {
        copy.change(file, line, other);
        copy.publish(file, "faulty");
    }
    let mut page = Session::serving(copy.folder());
    page.open(query);
    (page, copy)
}

/// Starts to merge the folder's models.
fn begin(page: &mut Session, folder: &Folder) {
    page.set_files("Choose models", &paths(&folder.inputs()));
    page.by_role("table", "Plan");
    page.click_button("Merge");
}

/// The merged model as it is saved.
fn merged(page: &mut Session, folder: &Folder) -> Vec<u8> {
    begin(page, folder);
    page.by_role("region", "Report");
    page.click_button("Save merged model");
    let saved = page.saved_file();
    std::fs::read(saved).unwrap()
}

fn undisturbed(folder: &Folder, workers: usize) -> Vec<u8> {
    let mut page = Session::start("GRAMERGE_WEB");
    page.open(&format!("?workers={workers}"));
    merged(&mut page, folder)
}

fn alert(page: &mut Session) -> String {
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    page.text(&alert)
}

/// One layer, which two workers share and one does not.
#[test]
fn a_shared_layer_has_the_same_bytes() {
    let folder = Folder::slow(384, 1);
    let alone = undisturbed(&folder, 1);
    for workers in [2, 4] {
        let shared = undisturbed(&folder, workers);
        assert!(shared == alone, "{workers} workers make other bytes");
    }
    // That helpers do take part: a broken one spoils the merge.
    let broken = (
        COMPUTE,
        HELP,
        "  throw new Error('broken helper');\n  const rows = await engine.help_job(",
    );
    let (mut page, _served) = faulty(&[broken], "?workers=2");
    begin(&mut page, &folder);
    let alert = alert(&mut page);
    assert!(alert.contains("broken helper") && alert.contains("layer.0.weight"), "{alert}");
}

/// A leader or a helper that dies once, at every stage of a shared layer.
#[test]
fn a_worker_that_dies_is_replaced() {
    let folder = Folder::slow(384, 1);
    let alone = undisturbed(&folder, 1);
    let deaths: [(&str, &str, &str); 3] = [
        (
            "a leader before its work",
            LEAD,
            "  await trapOnce('x');\n  const outcome = await engine.run_job(",
        ),
        (
            "a leader that waits for rows",
            COLLECT,
            "      return trapOnce('x').then(() => { send({ type: \"collect\", index }); return next(\"rows\"); })",
        ),
        (
            "a helper before its work",
            HELP,
            "  await trapOnce('x');\n  const rows = await engine.help_job(",
        ),
    ];
    for (who, line, once) in deaths {
        let edits = [(COMPUTE, line, once), (COMPUTE, START, START_WITH_TRAPS)];
        let (mut page, _served) = faulty(&edits, "?workers=2");
        assert!(merged(&mut page, &folder) == alone, "{who}: other bytes");
        assert_eq!(page.evaluate("caches.has('x')"), true, "{who}: nobody died");
    }
}

#[test]
fn a_worker_that_dies_twice_is_reported_by_tensor_and_leaves_nothing() {
    let folder = Folder::slow(96, 3);
    let always = "  if (index === 1) await trap();\n  const outcome = await engine.run_job(";
    let edits = [(COMPUTE, LEAD, always), (COMPUTE, START, START_WITH_TRAPS)];
    let (mut page, _served) = faulty(&edits, "");
    begin(&mut page, &folder);
    let alert = alert(&mut page);
    assert!(alert.contains("stopped twice") && alert.contains("layer.1.weight"), "{alert}");
    assert!(!page.has_role("region", "Report"));
    page.wait_for(crate::cancel::EMPTY);
}

/// A browser that gives a computing worker so many pages and no more: too few to read a layer, and
/// enough to read but not to solve it, where Rust ends the instance.
#[test]
fn refused_memory_is_explained() {
    let folder = Folder::slow(1024, 2);
    for room in [0, 320] {
        refused_after(room, &folder);
    }
}

fn refused_after(room_pages: u32, folder: &Folder) {
    let line = "  engine.begin(request);";
    let full = "  engine.begin(request);
  const { memory } = await (await import(build.glue)).default();
  memory.grow(65536 - ROOM - memory.buffer.byteLength / 65536);";
    let full = full.replace("ROOM", &room_pages.to_string());
    let (mut page, _served) = faulty(&[(COMPUTE, line, &full)], "");
    begin(&mut page, folder);
    let alert = alert(&mut page);
    for word in ["refused", "MB more memory", "needs about", "layer.", "command line"] {
        assert!(alert.contains(word), "no `{word}` in the alert: {alert}");
    }
    assert!(!page.has_role("region", "Report"));
    page.wait_for(crate::cancel::EMPTY);
}

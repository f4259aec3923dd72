//! Places to pick, what lies in them, and what should.
//!
//! Browsers' own pickers cannot be used by a test. Others stand in for them, which give files of the
//! private file system: these are written as files of the disk are.

use std::collections::BTreeMap;

use gramerge_browser_tests::Session;

use crate::compare::merge_natively;
use crate::inputs::{CASE, Folder, golden_inputs, paths};
use crate::pages::Copy;

const PICKERS: &str = "(() => {
    const root = navigator.storage.getDirectory();
    window.ownPicker = window.showSaveFilePicker;
    window.showSaveFilePicker = async ({ suggestedName }) =>
        (await root).getFileHandle(suggestedName, { create: true });
    window.showDirectoryPicker = async () =>
        (await root).getDirectoryHandle('picked', { create: true });
})()";
/// Names and bytes of what is in the picked places, whatever the page keeps for itself.
pub(super) const SAVED: &str = "(async () => {
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

pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The page with places to pick and the plan of an average, whose bytes are the command line's.
pub(super) fn planned(copy: &Copy, settings: &str) -> Session {
    let mut page = Session::serving(copy.folder());
    page.open(&format!("#method=average{settings}"));
    page.evaluate(PICKERS);
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    page
}

pub(super) fn saved(page: &mut Session) -> Files {
    serde_json::from_value(page.evaluate(SAVED)).unwrap()
}

/// What the command line writes.
pub(super) fn expected(extra: &[&str]) -> Files {
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
pub(super) fn expected_file() -> Files {
    let bytes = expected(&[]).remove("model.safetensors").unwrap();
    BTreeMap::from([("merged.safetensors".into(), bytes)])
}

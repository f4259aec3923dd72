//! Cancelling leaves the page as it was before.

use crate::inputs::{Folder, paths};
use crate::opened;

#[test]
fn a_cancelled_merge_leaves_nothing_and_can_be_started_again() {
    let folder = Folder::slow(1024, 10);
    let mut page = opened();
    page.set_files("Models and Gram files", &paths(&folder.inputs()));
    page.by_role("table", "Plan");
    let exact = page.by_selector("#precision");
    page.call_on(&exact, "function () { this.value = 'exact'; this.dispatchEvent(new Event('change', {bubbles: true})); }");
    page.click_button("Merge");
    page.wait_for(&format!("{EMPTY}.then((isEmpty) => !isEmpty)"));
    page.click_button("Cancel");
    page.wait_for("document.querySelector('#run').hidden");
    assert!(!page.has_role("region", "Report"), "a cancelled merge has a report");
    page.wait_for(EMPTY);
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.assert_quiet();
}

/// No merged file is left in the origin's private file system.
pub(crate) const EMPTY: &str = "(async () => {
    let files = 0;
    const walk = async (folder) => {
        for await (const entry of folder.values()) {
            if (entry.kind === 'directory') await walk(entry); else files += 1;
        }
    };
    await walk(await navigator.storage.getDirectory());
    return files === 0;
})()";

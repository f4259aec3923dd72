//! Cancelling leaves the page as it was before.

use gramerge_browser_tests::Session;

use crate::inputs::{Folder, paths};
use crate::opened;
use crate::pages::Copy;
use crate::resume::{begin, flushing_always};

#[test]
fn a_cancelled_merge_leaves_nothing_and_can_be_started_again() {
    let folder = Folder::slow(1024, 10);
    let mut page = opened();
    page.set_files("Choose models", &paths(&folder.inputs()));
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

/// A disk that is slower than any patience: what waits for it never comes back.
#[test]
fn a_merge_can_be_cancelled_while_a_disk_is_slow() {
    let (copy, folder) = (Copy::new(), Folder::slow(96, 6));
    flushing_always(&copy);
    for worker in ["worker/compute.js", "worker/coordinator.js"] {
        let slow = "FileSystemSyncAccessHandle.prototype.flush = () => { for (;;); };";
        copy.change(worker, "\nreportRequests();", &format!("\n{slow}\nreportRequests();"));
        copy.publish(worker, "slow");
    }
    let mut page = Session::serving(copy.folder());
    page.open("?workers=1");
    begin(&mut page, &folder);
    page.wait_for("document.querySelector('#run-figures').textContent.startsWith('1 of 6')");
    page.click_button("Cancel");
    page.wait_for("document.querySelector('#run').hidden");
    let alert = page.by_selector("[role=alert]");
    assert_eq!(page.text(&alert), "", "cancelling is no failure");
    page.wait_for(EMPTY);
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

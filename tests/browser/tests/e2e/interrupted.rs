//! An interrupted merge is told of when the page opens, to be gone on with or discarded.

use gramerge_browser_tests::Session;

use crate::cancel::EMPTY;
use crate::inputs::Folder;
use crate::pages::Copy;
use crate::resume::{WARNINGS, begin, interrupted, open_another_build, saved, stalled};

/// The page with a mark that says what it has found.
fn marked() -> Copy {
    let copy = Copy::new();
    let line = "  if (!(await isInterrupted(BUILD).catch(() => false))) return;";
    let marking = "  const found = await isInterrupted(BUILD).catch(() => false);
  document.body.dataset.found = String(found);
  if (!found) return;";
    copy.change("page/flow/interrupted.js", line, marking);
    copy.publish("page/flow/interrupted.js", "marked");
    copy
}

/// Whether the page tells of a merge, once it has looked for one.
fn is_told(page: &mut Session) -> bool {
    page.wait_for("document.body.dataset.found");
    page.evaluate("document.querySelector('#interrupted').checkVisibility()") == true
}

fn has_gone_on(page: &mut Session) -> bool {
    let warnings = page.evaluate(WARNINGS);
    warnings.as_str().is_some_and(|text| text.contains("interruption"))
}

#[test]
fn it_is_told_of_until_it_goes_on() {
    let (copy, folder) = (marked(), Folder::slow(96, 6));
    let mut page = interrupted(&copy, &folder, "");
    assert!(is_told(&mut page));
    begin(&mut page, &folder);
    saved(&mut page);
    assert!(has_gone_on(&mut page));
    assert!(!is_told(&mut page), "told of after it has gone on");
    page.open("?");
    assert!(!is_told(&mut page), "told of once more");
}

#[test]
fn it_can_be_discarded_by_keyboard() {
    let (copy, folder) = (marked(), Folder::slow(96, 6));
    let mut page = interrupted(&copy, &folder, "");
    assert!(is_told(&mut page));
    let button = page.by_role("button", "Discard it");
    page.call_on(&button, "function () { this.focus(); }");
    page.press("Enter");
    page.wait_for("document.activeElement.id === 'pick-files'");
    assert!(!is_told(&mut page), "told of after it was discarded");
    assert_eq!(page.evaluate(EMPTY), true, "its files are still there");
    begin(&mut page, &folder);
    saved(&mut page);
    assert!(!has_gone_on(&mut page));
    page.assert_quiet();
}

#[test]
fn what_runs_in_another_tab_is_not_told_of() {
    let (copy, folder) = (marked(), Folder::slow(96, 6));
    let mut page = stalled(&copy, &folder, "");
    let running = page.new_tab();
    page.open("");
    assert!(!is_told(&mut page), "another tab's merge is told of");
    let looking = page.switch(running);
    page.open("?");
    page.switch(looking);
    page.reload();
    assert!(is_told(&mut page), "it is told of when that tab has left it");
}

#[test]
fn what_another_build_has_begun_is_not_told_of() {
    let (copy, folder) = (marked(), Folder::slow(96, 6));
    let mut page = interrupted(&copy, &folder, "");
    assert!(is_told(&mut page));
    open_another_build(&copy, &mut page);
    assert!(!is_told(&mut page), "told of, though it cannot be gone on with");
}

#[test]
fn without_private_storage_nothing_is_told_of() {
    let copy = marked();
    let line = "  return (await navigator.storage.getDirectory())";
    let denied = "  throw new DOMException('', 'SecurityError');";
    copy.change("shared/abandoned.js", line, &format!("{denied}\n{line}"));
    copy.publish("shared/abandoned.js", "denied");
    let mut page = Session::serving(copy.folder());
    page.open("");
    assert!(!is_told(&mut page));
    page.assert_quiet();
}

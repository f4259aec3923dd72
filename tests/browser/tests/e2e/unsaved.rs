//! A merged model that nobody has saved is not lost without a question.

use gramerge_browser_tests::Session;

use crate::inputs::{CASE, golden_inputs, paths};
use crate::opened;
use crate::sample::merge_sample;

const QUESTION: &str = "The merged model is not saved";
const IS_CLOSED: &str = "!document.querySelector('#unsaved').open";
/// What would lose it.
const LOSSES: [&str; 3] = ["Try the sample", "Start over", "Merge"];

fn merged() -> Session {
    let mut page = opened();
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
    page
}

fn asks(page: &mut Session, button: &str) {
    page.click_button(button);
    page.by_role("dialog", QUESTION);
}

fn is_focused(page: &mut Session, id: &str) {
    page.wait_for(&format!("document.activeElement?.id === '{id}'"));
}

#[test]
fn whatever_would_lose_it_asks_first_and_can_be_left() {
    let mut page = merged();
    for button in LOSSES {
        asks(&mut page, button);
        page.press("Escape");
        page.wait_for(IS_CLOSED);
        asks(&mut page, button);
        page.click_button("Cancel");
        page.wait_for(IS_CLOSED);
        assert!(page.has_role("region", "Report"), "`{button}` lost it after Cancel");
    }
    // Other files lose nothing: the report stays, and can still be saved.
    page.set_files("Choose models", &[&crate::inputs::golden("conv1d", "a.safetensors")]);
    page.wait_for("document.querySelectorAll('#model-cards > li').length === 3");
    page.click_button("Save merged model");
    page.saved_file();
    page.assert_quiet();
}

#[test]
fn the_question_is_answered_by_keyboard() {
    let mut page = merged();
    let button = page.by_role("button", "Start over");
    page.call_on(&button, "function () { this.focus(); }");
    page.press("Enter");
    page.by_role("dialog", QUESTION);
    is_focused(&mut page, "unsaved-save");
    for id in ["unsaved-discard", "unsaved-cancel"] {
        page.press("Tab");
        is_focused(&mut page, id);
    }
    page.press("Enter");
    page.wait_for(IS_CLOSED);
    is_focused(&mut page, "clear");
    page.press("Enter");
    is_focused(&mut page, "unsaved-save");
    page.press("Space");
    let saved = page.saved_file();
    assert!(saved.metadata().is_ok_and(|file| file.len() > 0));
    // It is saved, so nothing is asked any more.
    assert!(page.has_role("region", "Report"));
    is_focused(&mut page, "clear");
    page.press("Enter");
    page.wait_for("document.body.dataset.state === 'empty'");
    page.assert_quiet();
}

#[test]
fn what_is_discarded_goes() {
    let mut page = merged();
    asks(&mut page, "Start over");
    page.click_button("Discard");
    page.wait_for("document.body.dataset.state === 'empty'");
    assert!(!page.has_role("region", "Report"));
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
    asks(&mut page, "Merge");
    page.click_button("Discard");
    page.by_role("region", "Report");
    page.assert_quiet();
}

/// Whether the browser asks before this page is left.
fn is_guarded(page: &mut Session) -> bool {
    page.forget();
    page.reload();
    page.record().questions.contains(&"beforeunload".to_string())
}

#[test]
fn the_browser_asks_before_the_tab_goes() {
    let mut page = merged();
    assert!(is_guarded(&mut page), "a reload lost it");
    assert!(!is_guarded(&mut page), "there was nothing to lose");
    let mut page = merged();
    page.click_button("Save merged model");
    page.saved_file();
    assert!(!is_guarded(&mut page), "it was saved");
}

/// It is made again in a second.
#[test]
fn the_samples_result_is_not_asked_about() {
    let mut page = opened();
    merge_sample(&mut page);
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.click_button("Try the sample");
    page.wait_for("document.querySelector('#report').hidden");
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
    assert!(!is_guarded(&mut page));
    page.assert_quiet();
}

//! Gram files that only their place in the list gives to their models: somebody has to look first.

use std::path::PathBuf;

use gramerge_browser_tests::Session;

use crate::inputs::{Folder, paths};
use crate::opened;

const ASKED: &str = "document.querySelector('#by-place').checkVisibility()";
const MAY_MERGE: &str = "!document.querySelector('#merge').disabled";

/// Two models and two Gram files whose names and metadata say nothing of each other.
pub(crate) fn strangers(folder: &Folder) -> Vec<PathBuf> {
    let names = ["red.safetensors", "blue.safetensors", "p.gram.safetensors", "q.gram.safetensors"];
    for (from, to) in folder.inputs().iter().zip(names) {
        std::fs::rename(from, folder.path(to)).expect("a renamed file");
    }
    names.map(|name| folder.path(name)).to_vec()
}

fn planned(folder: &Folder) -> Session {
    let files = strangers(folder);
    let mut page = opened();
    page.set_files("Choose models", &paths(&files));
    page.by_role("table", "Plan");
    page.wait_for(ASKED);
    page
}

#[test]
fn a_merge_waits_until_the_pairs_are_confirmed() {
    let folder = Folder::slow(8, 2);
    let mut page = planned(&folder);
    page.wait_for(&format!("!({MAY_MERGE})"));
    let why = page.by_selector("#start");
    let text = page.text(&why);
    assert!(text.contains("First confirm that the Gram files belong to these models"), "{text}");
    let pairs = page.by_selector("#by-place");
    let text = page.text(&pairs);
    for words in ["Paired only by list order; please check", "p.gram.safetensors with A: red"] {
        assert!(text.contains(words), "no `{words}`: {text}");
    }
    // From the reason to the box and back, by keyboard.
    let show = page.by_role("button", "Show me");
    page.call_on(&show, "function () { this.focus(); }");
    page.press("Enter");
    page.wait_for("document.activeElement?.id === 'grams-right'");
    page.press("Space");
    page.wait_for(MAY_MERGE);
    page.press("Space");
    page.wait_for(&format!("!({MAY_MERGE})"));
    page.press("Space");
    // Settings change nothing about it; other pairs do.
    page.evaluate("document.querySelector('#settings').dispatchEvent(new Event('input')), 0");
    page.wait_for(MAY_MERGE);
    page.click_button("Move earlier blue");
    page.wait_for(&format!("!({MAY_MERGE}) && !document.querySelector('#grams-right').checked"));
    let box_ = page.by_label("These Gram files belong to these models");
    page.click(&box_);
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.assert_quiet();
}

#[test]
fn what_the_user_pairs_needs_no_confirmation() {
    let folder = Folder::slow(8, 2);
    let mut page = planned(&folder);
    for (model, other) in [("red", 3), ("blue", 2)] {
        let select = page.by_label(&format!("Gram file of {model}"));
        let pick = format!(
            "function () {{ this.value = '{other}'; this.dispatchEvent(new Event('change')); }}"
        );
        page.call_on(&select, &pick);
    }
    page.wait_for(&format!("!({ASKED}) && {MAY_MERGE}"));
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.assert_quiet();
}

#[test]
fn names_that_agree_need_no_confirmation() {
    let folder = Folder::slow(8, 2);
    let mut page = opened();
    page.set_files("Choose models", &paths(&folder.inputs()));
    page.by_role("table", "Plan");
    page.wait_for(MAY_MERGE);
    assert_eq!(page.evaluate(ASKED), false);
}

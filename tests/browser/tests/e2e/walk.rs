//! The page in the situations of somebody who does not know it, on a narrow and a wide screen: each
//! says what to do next, fits, and is used by keyboard.

use std::path::Path;

use gramerge_browser_tests::Session;

use crate::inputs::{CASE, Folder, golden, golden_inputs, paths};
use crate::opened;
use crate::pairing::strangers;

const WIDTHS: [u32; 2] = [390, 1280];

fn opened_at(width: u32) -> Session {
    let mut page = opened();
    page.set_viewport(width, 844);
    page
}

/// Nothing is cut off or to be scrolled sideways, and each of these is said.
fn says(page: &mut Session, words: &[&str]) {
    for word in words {
        let word = serde_json::json!(word);
        page.wait_for(&format!("document.body.innerText.includes({word})"));
    }
    let over = page.evaluate("document.documentElement.scrollWidth - innerWidth");
    assert!(over.as_i64().is_some_and(|n| n <= 0), "{over} px too wide where it says {words:?}");
}

const NO_ALERT: &str = "document.querySelector('[role=alert]').hidden";

/// As `save_pretrained` leaves it, training's files beside it.
fn pretrained(folder: &Path, weights: &Path) {
    std::fs::create_dir(folder).expect("a folder");
    std::fs::copy(weights, folder.join("model.safetensors")).expect("a copy");
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"] {
        std::fs::write(folder.join(name), "{}").expect("a file");
    }
    std::fs::write(folder.join("README.md"), "# A model").expect("a file");
}

#[test]
fn folders_of_hugging_face_are_averaged_or_need_gram_files() {
    let folder = Folder::new();
    for model in ["a", "b"] {
        let weights = golden(CASE, &format!("{model}.safetensors"));
        pretrained(&folder.path(model), &weights);
    }
    for width in WIDTHS {
        let mut page = opened_at(width);
        page.drop_files("body", &[&folder.path("a"), &folder.path("b")]);
        says(&mut page, &["Weighted mean", "With Gram files: RegMean", "Missing for A, B."]);
        page.click_button("Merge");
        assert_eq!(page.evaluate(NO_ALERT), true);
        page.by_role("region", "Report");
        says(&mut page, &["Save merged model"]);
        page.assert_quiet();
    }
}

#[test]
fn three_models_are_lettered_and_merged() {
    let names = ["a", "b", "c"];
    let case = "three-halves";
    let files = names.map(|name| golden(case, &format!("{name}.safetensors")));
    let grams = names.map(|name| golden(case, &format!("{name}.gram.safetensors")));
    for width in WIDTHS {
        let mut page = opened_at(width);
        page.set_files("Choose models", &paths(&[files.clone(), grams.clone()].concat()));
        page.by_role("table", "Plan");
        says(&mut page, &["Remove"]);
        page.click_button("Merge");
        page.by_role("region", "Report");
        says(&mut page, &["A a + B b + C c", "Save merged model"]);
        page.assert_quiet();
    }
}

#[test]
fn own_files_take_the_place_of_the_sample() {
    for width in WIDTHS {
        let mut page = opened_at(width);
        page.click_button("Try the sample");
        page.by_role("table", "Plan");
        page.click_button("Merge");
        page.by_role("region", "Report");
        page.wait_for("/360 unseen images/.test(document.body.innerText)");
        page.drop_files("body", &paths(&golden_inputs(CASE)));
        page.wait_for("/embed\\.weight/.test(document.querySelector('#plan-table').innerText)");
        let models = page.evaluate("document.querySelector('#model-cards').innerText");
        assert!(!models.as_str().unwrap_or_default().contains("digits"), "{models}");
        assert_eq!(page.evaluate("document.querySelectorAll('#model-cards > li').length"), 2);
        assert!(!page.has_role("region", "Report"), "the sample's report is still there");
        assert_eq!(page.evaluate(NO_ALERT), true);
        says(&mut page, &["solved by RegMean"]);
        page.click_button("Merge");
        page.by_role("region", "Report");
        let report = page.by_selector("#report");
        let text = page.text(&report);
        assert!(!text.contains("unseen images"), "counted on the sample's images: {text}");
        page.assert_quiet();
    }
}

#[test]
fn a_gram_file_alone_waits_for_its_model() {
    for width in WIDTHS {
        let mut page = opened_at(width);
        page.set_files("Choose models", &[&golden(CASE, "a.gram.safetensors")]);
        says(&mut page, &["A Gram file, and no model yet", "Add the .safetensors file"]);
        assert_eq!(page.evaluate("document.querySelectorAll('#models select').length"), 0);
        let models = page.by_selector("#models");
        let text = page.text(&models);
        assert!(!text.contains("by hand"), "there is nothing to choose from: {text}");
        assert_eq!(page.evaluate(NO_ALERT), true);
        page.set_files("Choose models", &paths(&golden_inputs(CASE)));
        page.by_role("table", "Plan");
        page.assert_quiet();
    }
}

#[test]
fn an_alert_comes_into_view_wherever_a_file_was_dropped() {
    let folder = Folder::of_golden(CASE);
    folder.write("page.safetensors", b"<!DOCTYPE html><html></html>");
    for width in WIDTHS {
        let mut page = opened_at(width);
        page.click_button("Try the sample");
        page.by_role("table", "Plan");
        page.drop_files("#how", &[&folder.path("page.safetensors")]);
        page.wait_for(&format!("!{NO_ALERT}"));
        page.wait_for(
            "(() => {
                const box = document.querySelector('[role=alert]').getBoundingClientRect();
                return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
            })()",
        );
    }
}

/// The focused part: its id, else its text.
fn focused(page: &mut Session) -> String {
    let name = page.evaluate(
        "(() => {
            const at = document.activeElement;
            if (!at.matches(':focus-visible')) return '! not seen: ' + at.id;
            const ring = getComputedStyle(at.closest('.picker')?.querySelector('.button-like') ?? at);
            if (ring.outlineStyle === 'none') return '! no ring: ' + at.id;
            return at.id || at.innerText.trim();
        })()",
    );
    name.as_str().unwrap_or_default().to_string()
}

/// Presses Tab until this is focused, with a ring at every step.
fn tab_to(page: &mut Session, id: &str) {
    let mut passed = Vec::new();
    for _ in 0..60 {
        page.press("Tab");
        let name = focused(page);
        assert!(!name.starts_with('!'), "{name}, after {passed:?}");
        if name == id {
            return;
        }
        passed.push(name);
    }
    panic!("Tab does not reach `{id}`: {passed:?}");
}

#[test]
fn all_of_it_can_be_done_by_keyboard() {
    let folder = Folder::slow(8, 2);
    let files = strangers(&folder);
    for width in WIDTHS {
        let mut page = opened_at(width);
        page.wait_for(crate::LOCKED);
        tab_to(&mut page, "pick-files");
        tab_to(&mut page, "sample");
        page.press("Enter");
        // To the next thing to do, in view.
        page.wait_for("document.activeElement?.id === 'merge'");
        assert_eq!(focused(&mut page), "merge");
        page.wait_for(
            "(() => {
                const box = document.querySelector('#merge').getBoundingClientRect();
                return box.top >= 0 && box.bottom <= innerHeight;
            })()",
        );
        page.press("Enter");
        page.by_role("region", "Report");
        page.wait_for("document.activeElement?.id === 'report-title'");
        tab_to(&mut page, "save");
        page.press("Enter");
        page.saved_file();
        page.wait_for(
            "/Sent to your downloads/.test(document.querySelector('#save-note').innerText)",
        );
        // Own files, paired by list order only.
        page.set_files("Choose models", &paths(&files));
        page.wait_for("document.querySelector('#by-place').checkVisibility()");
        page.evaluate("document.querySelector('#pick-files').focus(), 0");
        tab_to(&mut page, "grams-right");
        page.press("Space");
        page.wait_for("!document.querySelector('#merge').disabled");
        tab_to(&mut page, "merge");
        page.press("Space");
        page.by_role("region", "Report");
        page.wait_for("document.activeElement?.id === 'report-title'");
        page.assert_quiet();
    }
}

/// Whether Merge is all in view.
const MERGE_IN_VIEW: &str = "(() => {
    const box = document.querySelector('#merge').getBoundingClientRect();
    return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
})()";

/// From the models to the last tensor; and what is focused never lies under it.
#[test]
fn merge_stays_in_view_and_covers_no_focus() {
    let folder = Folder::family();
    let mut files = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let own = folder.path(&format!("model-{name}.safetensors"));
        std::fs::copy(folder.path("a.safetensors"), &own).expect("a copy");
        files.push(own);
    }
    for width in WIDTHS {
        let mut page = opened_at(width);
        page.set_files("Choose models", &paths(&files));
        page.by_role("table", "Plan");
        for part in ["#model-cards > li", "#choice", "#settings", "#plan-counts", "#plan-table"] {
            page.evaluate(&format!(
                "document.querySelector('{part}').scrollIntoView({{ block: 'start', behavior: 'instant' }}), 0"
            ));
            page.wait_for(MERGE_IN_VIEW);
        }
        page.evaluate("document.querySelector('#pick-files').focus(), 0");
        let mut passed = Vec::new();
        while passed.last().is_none_or(|name| name != "leak") {
            assert!(passed.len() < 120, "Tab does not get through: {passed:?}");
            page.press("Tab");
            passed.push(focused(&mut page));
            // Scrolling to it may take a moment.
            page.wait_for(
                "(() => {
                    const at = document.activeElement.closest('.picker') ?? document.activeElement;
                    const bar = document.querySelector('#bar').getBoundingClientRect();
                    const box = at.getBoundingClientRect();
                    const isApart = box.bottom <= bar.top + 1 || box.top >= bar.bottom - 1;
                    return isApart || document.querySelector('#bar').contains(at) || box.height > innerHeight / 2;
                })()",
            );
        }
        let places =
            ["shard", "merge", "plan-filter"].map(|id| passed.iter().position(|name| name == id));
        assert!(places.is_sorted() && places[0].is_some(), "{passed:?}");
        page.assert_quiet();
    }
}

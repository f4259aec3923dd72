//! The choice of a method: none is a dead end, and each is drawn from the table of methods.

use std::path::PathBuf;
use std::process::Command;

use gramerge::methods::{self, Base, Spec};
use gramerge_browser_tests::{Session, place};

use crate::compare::same;
use crate::inputs::{CASE, Folder, golden_inputs, paths};
use crate::{choose, opened};

const MAY_MERGE: &str = "!document.querySelector('#merge').disabled";
const NO_ALERT: &str = "document.querySelector('[role=alert]').hidden";

/// The method that is chosen.
fn chosen(page: &mut Session) -> String {
    let value = page.evaluate("document.querySelector('input[name=method]:checked')?.value ?? ''");
    value.as_str().unwrap_or_default().to_string()
}

fn ready(page: &mut Session, files: &[PathBuf]) {
    page.set_files("Choose models", &paths(files));
    page.by_role("table", "Plan");
    page.wait_for(MAY_MERGE);
}

fn needs_no_statistics() -> impl Iterator<Item = &'static Spec> {
    methods::TABLE.iter().filter(|spec| spec.statistics.is_empty())
}

#[test]
fn without_gram_files_the_mean_is_ready_and_the_way_to_better_is_said() {
    let folder = Folder::slow(8, 2);
    let mut page = opened();
    ready(&mut page, &folder.inputs()[..2]);
    assert_eq!(page.evaluate(NO_ALERT), true);
    assert_eq!(chosen(&mut page), "average");
    let road = page.by_selector("#gram-road");
    let text = page.text(&road);
    // Two layers of 8 inputs: 36 elements each of an upper triangle.
    for words in ["RegMean", "Missing for A, B", "288\u{a0}bytes in f32", "144\u{a0}bytes in f16"] {
        assert!(text.contains(words), "no `{words}`: {text}");
    }
    let link = page.by_selector("#gram-road a");
    page.click(&link);
    page.wait_for("document.querySelector('#gram-script').open");
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.assert_quiet();
}

#[test]
fn with_gram_files_for_all_it_is_regmean() {
    let mut page = opened();
    let files = golden_inputs(CASE);
    ready(&mut page, &files[..3]);
    assert_eq!(chosen(&mut page), "average", "one of them has none");
    page.set_files("Choose models", &paths(&files[3..]));
    page.wait_for("document.querySelector('input[value=regmean]')?.checked");
    page.wait_for(MAY_MERGE);
    assert_eq!(page.evaluate("document.querySelector('#gram-road').hidden"), true);
    page.assert_quiet();
}

/// By three clicks: the files, the method, Merge.
#[test]
fn two_fine_tunes_and_their_base_are_merged_by_every_method_without_statistics() {
    let folder = Folder::family();
    let files = ["a", "b", "base"].map(|name| folder.path(&format!("{name}.safetensors")));
    let mut page = opened();
    for spec in needs_no_statistics() {
        page.open("?");
        ready(&mut page, &files);
        page.wait_for("document.querySelectorAll('#model-cards .badge').length === 2");
        choose(&mut page, spec.name);
        page.click_button("Merge");
        page.by_role("region", "Report");
        let settings = page.by_selector("#report-settings");
        let text = page.text(&settings);
        assert!(text.starts_with("A a + B b.") && text.contains(spec.title), "{text}");
        page.assert_quiet();
        page.forget();
        page.click_button("Save merged model");
        let saved = page.saved_file();
        let native = folder.path(&format!("{}.native.safetensors", spec.name));
        let mut merge = Command::new(place("GRAMERGE_CLI"));
        merge.arg("merge").args(&files[..2]).args(["--method", spec.name, "-o"]).arg(&native);
        if spec.base == Base::Needed {
            merge.arg("--base").arg(&files[2]);
        }
        assert!(merge.status().expect("the command line starts").success(), "{}", spec.name);
        same(&saved, &native, &["layer.0.weight", "layer.1.weight"]).unwrap();
    }
    page.assert_quiet();
}

#[test]
fn a_base_that_no_name_tells_is_asked_for_and_can_be_taken_back() {
    let folder = Folder::family();
    let names = ["red", "blue", "green"].map(|name| folder.path(&format!("{name}.safetensors")));
    for (from, to) in ["a", "b", "base"].iter().zip(&names) {
        std::fs::rename(folder.path(&format!("{from}.safetensors")), to).expect("a renamed file");
    }
    let mut page = opened();
    ready(&mut page, &names);
    choose(&mut page, "ties");
    page.wait_for("document.querySelector('#base-question').checkVisibility()");
    page.wait_for(&format!("!({MAY_MERGE})"));
    let start = page.by_selector("#start");
    let text = page.text(&start);
    assert!(text.contains("First say which model is the base"), "{text}");
    // From the reason to the answer, by keyboard.
    let show = page.by_role("button", "Show me");
    page.call_on(&show, "function () { this.focus(); }");
    page.press("Enter");
    page.wait_for("document.activeElement?.closest('#base-choices')");
    page.press("Tab");
    page.press("Tab");
    page.press("Enter");
    page.wait_for(MAY_MERGE);
    let cards = page.evaluate("document.querySelector('#model-cards').innerText");
    let cards = cards.as_str().unwrap_or_default();
    assert!(cards.contains("Base\ngreen"), "{cards}");
    page.click_button("Merge it like the others: green");
    page.wait_for("document.querySelector('#base-question').checkVisibility()");
    page.click_button("This is the base: red");
    page.click_button("Merge");
    page.by_role("region", "Report");
    let settings = page.by_selector("#report-settings");
    let text = page.text(&settings);
    assert!(text.starts_with("A blue + B green. TIES"), "{text}");
    page.assert_quiet();
}

#[test]
fn every_row_of_the_table_is_offered_with_its_settings() {
    let folder = Folder::family();
    let files = ["a", "b", "base"].map(|name| folder.path(&format!("{name}.safetensors")));
    let mut page = opened();
    ready(&mut page, &files);
    for spec in needs_no_statistics() {
        choose(&mut page, spec.name);
        let about = page.by_selector(&format!("#method-{}-about", spec.name));
        assert_eq!(page.text(&about).trim(), spec.about);
        let title = page.by_selector(&format!("#method-{}", spec.name));
        assert_eq!(page.text(&title), spec.title);
        for param in spec.params {
            let field = format!("document.querySelector('#set-{}')", param.name);
            page.wait_for(&format!(
                "{field}?.closest('.field').innerText.includes({:?})",
                param.help
            ));
            let value = match param.kind {
                methods::Kind::Switch => format!("Number({field}.checked)"),
                _ => format!("Number({field}.value)"),
            };
            assert_eq!(page.evaluate(&value).as_f64(), param.default, "{}", param.name);
        }
        let n = page.evaluate("document.querySelectorAll('#method-fields .field').length");
        assert_eq!(n, spec.params.len());
    }
    page.assert_quiet();
}

#[test]
fn settings_of_every_method_live_in_the_address() {
    let folder = Folder::family();
    let files = ["a", "b", "base"].map(|name| folder.path(&format!("{name}.safetensors")));
    let mut page = opened();
    page.open("#method=ties&density=0.3&lambda=much&nonsense=1&normalize=0&coefficients=2,1");
    ready(&mut page, &files);
    assert_eq!(chosen(&mut page), "ties");
    let fields =
        "['density', 'lambda'].map((name) => document.querySelector(`#set-${name}`).value)";
    assert_eq!(page.evaluate(fields), serde_json::json!(["0.3", "1"]));
    assert_eq!(page.evaluate("document.querySelector('#set-normalize').checked"), false);
    page.click_button("Merge");
    page.by_role("region", "Report");
    let settings = page.by_selector("#report-settings");
    let text = page.text(&settings);
    assert!(text.contains("density = 0.3") && text.contains("coefficients 2, 1"), "{text}");
    choose(&mut page, "slerp");
    let t = page.by_selector("#set-t");
    page.call_on(&t, "function () { this.value = '0.25'; this.dispatchEvent(new Event('input', { bubbles: true })); }");
    assert_eq!(page.evaluate_in_tab("location.hash"), "#method=slerp&t=0.25");
    page.open("?");
    page.open("#method=nonsense&t=0.5");
    ready(&mut page, &files);
    assert_eq!(chosen(&mut page), "average");
    page.assert_quiet();
}

#[test]
fn what_is_merged_is_what_was_planned() {
    let mut page = opened();
    ready(&mut page, &golden_inputs(CASE));
    // In one turn of the page: nothing can be merged from the edit on.
    let edited = page.evaluate(
        "(() => {
            const field = document.querySelector('#set-alpha');
            field.value = '0.4';
            field.dispatchEvent(new Event('input', { bubbles: true }));
            return document.querySelector('#merge').disabled;
        })()",
    );
    assert_eq!(edited, true);
    page.click_button("Merge");
    page.by_role("region", "Report");
    let settings = page.by_selector("#report-settings");
    let text = page.text(&settings);
    assert!(text.contains("α = 0.4"), "{text}");
    page.assert_quiet();
}

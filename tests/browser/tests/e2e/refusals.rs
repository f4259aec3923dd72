//! What a plan refuses, and the buttons that lift it.

use gramerge::format::TensorFile;
use gramerge::io::native::FileSource;
use gramerge_browser_tests::Session;
use pollster::block_on;

use crate::inputs::{Folder, paths};
use crate::{choose, opened};

const MAY_MERGE: &str = "!document.querySelector('#merge').disabled";

/// Presses this button in the row for these tensors.
fn press(page: &mut Session, row: &str, button: &str) {
    let find = format!(
        "[...document.querySelectorAll('.remedy')].find((row) => row.innerText.includes({row:?}))"
    );
    page.wait_for(&format!("!!{find}"));
    let pressed = page.evaluate(&format!(
        "(() => {{
            const button = [...{find}.querySelectorAll('button')].find((one) => one.innerText === {button:?});
            button?.click();
            return !!button;
        }})()"
    ));
    assert_eq!(pressed, true, "no button `{button}` for {row}");
}

#[test]
fn other_heads_and_extra_tensors_are_kept_by_a_button_each() {
    let folder = Folder::family();
    folder.with_head("a", 2, true);
    folder.with_head("b", 3, false);
    let files = ["a", "b"].map(|name| folder.path(&format!("{name}.safetensors")));
    for which in ["A", "B"] {
        let mut page = opened();
        page.set_files("Choose models", &paths(&files));
        page.by_role("button", "Keep from B");
        page.wait_for("document.querySelectorAll('.remedy').length === 2");
        press(&mut page, "pooler", "Keep from A");
        page.wait_for("document.querySelectorAll('.remedy').length === 1");
        press(&mut page, "classifier", &format!("Keep from {which}"));
        page.wait_for(MAY_MERGE);
        let lines = page.evaluate("document.querySelector('#keep').value.split('\\n').sort()");
        let expected = [format!("^classifier\\. = {which}"), "^pooler\\. = A".into()];
        assert_eq!(lines, serde_json::json!(expected));
        page.click_button("Merge");
        page.by_role("region", "Report");
        page.click_button("Save merged model");
        let merged = page.saved_file();
        let merged = block_on(TensorFile::open(FileSource::open(&merged).unwrap())).unwrap();
        let head = merged.header.get("classifier.weight").unwrap();
        assert_eq!(head.shape, [if which == "A" { 2 } else { 3 }, 8]);
        page.assert_quiet();
    }
}

#[test]
fn what_a_base_lacks_is_averaged_or_kept() {
    let folder = Folder::family();
    folder.with_head("a", 2, false);
    folder.with_head("b", 2, false);
    let files = ["a", "b", "base"].map(|name| folder.path(&format!("{name}.safetensors")));
    for (button, does) in [("Average", "2 averaged"), ("Keep from B", "2 kept from one model")] {
        let mut page = opened();
        page.set_files("Choose models", &paths(&files));
        page.by_role("table", "Plan");
        page.wait_for(MAY_MERGE);
        choose(&mut page, "ties");
        press(&mut page, "classifier", button);
        page.wait_for(MAY_MERGE);
        let counts = page.by_selector("#plan-counts");
        let text = page.text(&counts).replace('\n', " ");
        assert!(text.contains(does) && text.contains("2 by TIES"), "{text}");
        page.assert_quiet();
    }
}

#[test]
fn layers_are_counted_as_people_count_and_shown_together() {
    let folder = Folder::slow(8, 12);
    let mut page = opened();
    page.set_files("Choose models", &paths(&folder.inputs()));
    page.by_role("table", "Plan");
    page.wait_for(MAY_MERGE);
    let names = "[...document.querySelectorAll('#plan-table tbody td.name')].map((td) => td.innerText.trim().replace(/\\s+/g, ' '))";
    assert_eq!(page.evaluate(names), serde_json::json!(["12 × layer.*.weight"]));
    let shown = page.by_selector("#plan-shown");
    assert_eq!(page.text(&shown), "12 tensors");
    let opener = page.by_selector("#plan-table .opener");
    page.click(&opener);
    let mut expected = vec!["12 × layer.*.weight".to_string()];
    expected.extend((0..12).map(|i| format!("layer.{i}.weight")));
    assert_eq!(page.evaluate(names), serde_json::json!(expected));
    assert_eq!(
        page.evaluate("document.activeElement.matches('.opener[aria-expanded=true]')"),
        true
    );
    page.press("Enter");
    assert_eq!(page.evaluate(names), serde_json::json!(["12 × layer.*.weight"]));
    // The report has them in this order too.
    page.click_button("Merge");
    page.by_role("region", "Report");
    let names = "[...document.querySelectorAll('#report-table tbody td.name')].map((td) => td.innerText.trim())";
    assert_eq!(page.evaluate(names), serde_json::json!(expected[1..]));
    page.assert_quiet();
}

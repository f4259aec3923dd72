//! Models with a NaN or infinity: never under a green verdict, and the advice works.

use gramerge_browser_tests::Session;

use crate::inputs::{CASE, Folder, paths};
use crate::opened;

const VERDICT: &str = "document.querySelector('#report-bound')";
const IS_GREEN: &str = "document.querySelector('#report-bound .verdict.good') !== null";

/// A golden merge in which the first element of a tensor of model A is this.
fn spoiled(tensor: &str, value: f32) -> Folder {
    let folder = Folder::of_golden(CASE);
    let mut bytes = std::fs::read(folder.path("a.safetensors")).expect("a model");
    let data_start = 8 + u64::from_le_bytes(*bytes.first_chunk().expect("a length")) as usize;
    let header: serde_json::Value =
        serde_json::from_slice(&bytes[8..data_start]).expect("a header");
    let entry = &header[tensor];
    assert_eq!(entry["dtype"], "F32", "{tensor}");
    let at = data_start + entry["data_offsets"][0].as_u64().expect("an offset") as usize;
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    folder.write("a.safetensors", &bytes);
    folder
}

fn planned(folder: &Folder, settings: &str) -> Session {
    let mut page = opened();
    page.open(settings);
    page.set_files("Choose models", &paths(&folder.inputs()));
    page.by_role("table", "Plan");
    page
}

fn keep(page: &mut Session, line: &str) {
    let field = page.by_selector("#keep");
    let write = format!(
        "function () {{ this.value = {}; this.dispatchEvent(new Event('input', {{ bubbles: true }})); }}",
        serde_json::json!(line)
    );
    page.call_on(&field, &write);
    page.wait_for("/kept from one model/.test(document.querySelector('#plan-counts').innerText)");
}

#[test]
fn what_is_carried_over_is_never_under_a_green_verdict() {
    for (settings, value) in [("", f32::NAN), ("", f32::INFINITY), ("#method=average", f32::NAN)] {
        let folder = spoiled("fc1.bias", value);
        let mut page = planned(&folder, settings);
        page.click_button("Merge");
        page.by_role("region", "Report");
        assert_eq!(page.evaluate(IS_GREEN), false, "{settings} {value}");
        let text = page.evaluate(&format!("{VERDICT}.innerText"));
        let text = text.as_str().unwrap_or_default().to_string();
        // Nothing tells the page which of the models holds it.
        for words in [
            "Not finite",
            "1 tensor holds NaN or infinity",
            "1 value is",
            "from a model in which it is whole",
            "write fc1.bias = B if that is B",
        ] {
            assert!(text.contains(words), "no `{words}`: {text}");
        }
        keep(&mut page, "fc1.bias = B");
        page.click_button("Merge");
        page.click_button("Discard");
        page.by_role("region", "Report");
        let text = page.evaluate(&format!("{VERDICT}.innerText"));
        assert!(!text.as_str().unwrap_or_default().contains("Not finite"), "{text}");
        assert_eq!(page.evaluate(IS_GREEN), settings.is_empty(), "nothing is amiss");
        page.assert_quiet();
    }
}

#[test]
fn what_cannot_be_solved_is_kept_from_the_other_model() {
    let folder = spoiled("fc1.weight", f32::NAN);
    let mut page = planned(&folder, "");
    page.click_button("Merge");
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    let text = page.text(&alert);
    for words in ["fc1.weight", "cannot be solved", "keep the tensor from another model", "=2"] {
        assert!(text.contains(words), "no `{words}`: {text}");
    }
    assert!(!text.contains("exclude"), "that would write what is broken: {text}");
    keep(&mut page, "fc1.weight=2");
    page.click_button("Merge");
    page.by_role("region", "Report");
    assert_eq!(page.evaluate(IS_GREEN), true);
    page.assert_quiet();
}

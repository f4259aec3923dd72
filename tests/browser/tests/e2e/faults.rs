//! Bad files and files that change: one sentence in an alert, no result, and a way on.

use gramerge_browser_tests::Session;

use crate::inputs::{CASE, Folder, paths};
use crate::opened;

/// The alert says all of this, and there is nothing to save.
fn is_refused(page: &mut Session, words: &[&str]) {
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    let text = page.text(&alert);
    for word in words {
        assert!(text.contains(word), "no `{word}` in the alert: {text}");
    }
    assert!(!page.has_role("region", "Report"), "a refused merge has a report");
}

fn with(page: &mut Session, folder: &Folder) {
    page.set_files("Models and Gram files", &paths(&folder.inputs()));
}

#[test]
fn wrong_files_are_named_in_an_alert() {
    let folder = Folder::of_golden(CASE);
    let whole = std::fs::read(folder.path("a.safetensors")).unwrap();
    let wrong: [(&[u8], &str); 3] = [
        (&whole[..whole.len() - 3], "cut short"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
    ];
    for (bytes, word) in wrong {
        folder.write("a.safetensors", bytes);
        let mut page = opened();
        with(&mut page, &folder);
        page.wait_for(&format!("document.body.innerText.includes({word:?})"));
        assert!(!page.has_role("region", "Report"));
        page.assert_quiet();
    }
}

#[test]
fn one_model_is_not_enough() {
    let folder = Folder::of_golden(CASE);
    let mut page = opened();
    page.set_files("Models and Gram files", &[&folder.path("a.safetensors")]);
    page.wait_for("/one model|two models|second model/i.test(document.body.innerText)");
    page.assert_quiet();
}

#[test]
fn models_of_other_shapes_are_refused_by_name() {
    let folder = Folder::of_golden(CASE);
    let other = crate::inputs::golden("conv1d", "b.safetensors");
    std::fs::copy(other, folder.path("b.safetensors")).unwrap();
    let mut page = opened();
    with(&mut page, &folder);
    is_refused(&mut page, &["does not have it"]);
    page.assert_quiet();
}

#[test]
fn a_gram_with_a_nan_is_refused_by_name() {
    let folder = Folder::of_golden(CASE);
    let name = "b.gram.safetensors";
    let mut bytes = std::fs::read(folder.path(name)).unwrap();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    folder.write(name, &bytes);
    let mut page = opened();
    with(&mut page, &folder);
    page.click_button("Merge");
    is_refused(&mut page, &["NaN or infinity", name]);
}

#[test]
fn a_file_that_changes_is_refused_and_can_be_chosen_again() {
    let folder = Folder::of_golden(CASE);
    let name = "b.safetensors";
    let bytes = std::fs::read(folder.path(name)).unwrap();
    let mut page = opened();
    with(&mut page, &folder);
    page.by_role("table", "Plan");
    folder.write(name, &[&bytes[..], b"more"].concat());
    page.click_button("Merge");
    is_refused(&mut page, &[name, "changed"]);
    folder.write(name, &bytes);
    page.click_button("Start over");
    with(&mut page, &folder);
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
}

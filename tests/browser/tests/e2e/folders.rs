//! Folders in, folders out: shards with an index, configuration passed through, the same files as the
//! command line writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use gramerge_browser_tests::{Session, place};

use crate::inputs::{CASE, Folder, golden};

type Files = BTreeMap<String, Vec<u8>>;

/// Two models in folders of their own, each with other configuration and something private.
fn models() -> Folder {
    let folder = Folder::new();
    for model in ["a", "b"] {
        let own = folder.path(model);
        std::fs::create_dir(&own).unwrap();
        let weights = golden(CASE, &format!("{model}.safetensors"));
        std::fs::copy(weights, own.join("model.safetensors")).unwrap();
        std::fs::write(own.join("config.json"), format!("{{\"from\": \"{model}\"}}")).unwrap();
        std::fs::write(own.join("notes.txt"), "not part of a model").unwrap();
    }
    std::fs::write(folder.path("b/tokenizer.json"), "{}").unwrap();
    folder
}

/// What the command line makes of them.
fn expected(folder: &Folder, extra: &[&str]) -> Files {
    let out = Folder::new();
    let status = Command::new(place("GRAMERGE_CLI"))
        .arg("merge")
        .args([folder.path("a"), folder.path("b")])
        .args(["--method", "average", "-o"])
        .arg(out.path("merged/"))
        .args(extra)
        .status()
        .expect("the command line starts");
    assert!(status.success());
    let entries = std::fs::read_dir(out.path("merged")).unwrap();
    entries.map(|entry| named(&entry.unwrap().path())).collect()
}

fn named(path: &Path) -> (String, Vec<u8>) {
    let name = path.file_name().unwrap().to_str().unwrap();
    (name.into(), std::fs::read(path).unwrap())
}

fn dropped(folder: &Folder, settings: &str) -> Session {
    let mut page = Session::start("GRAMERGE_WEB");
    page.open(&format!("#method=average{settings}"));
    page.drop_files("body", &[&folder.path("a"), &folder.path("b")]);
    page.by_role("table", "Plan");
    page
}

/// Everything that one button saves.
fn saved(page: &mut Session, button: &str, n_files: usize) -> Files {
    page.click_button(button);
    let files: Vec<(String, PathBuf)> = page.saved_files(n_files);
    let saved = files.iter().map(|(name, path)| (name.clone(), std::fs::read(path).unwrap()));
    saved.collect()
}

#[test]
fn shards_index_and_configuration_are_those_of_the_command_line() {
    let folder = models();
    let expected = expected(&folder, &["--shard-size", "0.5 kB"]);
    assert_eq!(expected.len(), 4 + 2, "{:?}", expected.keys());
    let mut page = dropped(&folder, "&shard=0.5%20kB");
    page.click_button("Merge");
    page.by_role("region", "Report");
    assert_eq!(saved(&mut page, "Save merged model", 6), expected);
    // Every shard has its digest, and a button of its own.
    page.forget();
    let name = "model-00002-of-00004.safetensors";
    let digests = expected.iter().filter(|(name, _)| name.ends_with(".safetensors"));
    for (_, bytes) in digests {
        let digest = crate::compare::sha256(bytes);
        let shown = "document.querySelector('#report-files').textContent";
        page.wait_for(&format!("{shown}.includes('{digest}')"));
    }
    let one = saved(&mut page, &format!("Save {name}"), 1);
    assert_eq!(one[name], expected[name]);
    page.assert_quiet();
}

#[test]
fn configuration_comes_from_the_chosen_model_or_from_none() {
    let folder = models();
    for (choice, files_from, n_files) in [("0", "1", 2), ("1", "2", 3), ("none", "0", 1)] {
        let expected = expected(&folder, &["--files-from", files_from]);
        let mut page = dropped(&folder, "");
        let parent = page.by_selector("#parent");
        let choose = "function () { this.value = 'CHOICE'; }".replace("CHOICE", choice);
        page.call_on(&parent, &choose);
        page.click_button("Merge");
        page.by_role("region", "Report");
        let mut saved = saved(&mut page, "Save merged model", n_files);
        if choice == "none" {
            let alone = saved.remove("merged.safetensors").expect("no folder's name");
            saved.insert("model.safetensors".into(), alone);
        }
        assert_eq!(saved, expected);
        page.assert_quiet();
    }
}

#[test]
fn what_is_no_size_is_refused_before_the_merge() {
    let folder = models();
    let mut page = Session::start("GRAMERGE_WEB");
    page.open("#method=average&shard=many");
    page.drop_files("body", &[&folder.path("a"), &folder.path("b")]);
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    let text = page.text(&alert);
    assert!(text.contains("many is not a size"), "{text}");
    assert_eq!(page.evaluate("document.querySelector('#merge').disabled"), true);
}

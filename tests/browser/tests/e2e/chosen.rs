//! Files that are no models, among those chosen: adapters are refused by name, and what training
//! leaves beside a model is set aside without a word of alarm.

use std::path::{Path, PathBuf};

use gramerge::format::Layout;
use gramerge::tensor::Dtype;
use gramerge_browser_tests::Session;

use crate::inputs::{CASE, Folder, golden, paths};
use crate::opened;

/// A safetensors file of these matrices.
fn write(path: &Path, names: [&str; 2]) {
    let tensors = names.map(|name| (name.to_string(), Dtype::F32, vec![2, 8]));
    let layout = Layout::new(tensors, &Default::default()).expect("a layout");
    let mut bytes = layout.header_bytes().to_vec();
    bytes.resize(bytes.len() + 2 * 2 * 8 * 4, 0);
    std::fs::write(path, bytes).expect("a written file");
}

/// The text of the alert, once it is there.
fn alert(page: &mut Session) -> String {
    page.wait_for("!document.querySelector('[role=alert]').hidden");
    let alert = page.by_selector("[role=alert]");
    page.text(&alert)
}

fn assert_says(text: &str, expected: &[&str]) {
    for words in expected {
        assert!(text.contains(words), "no `{words}`: {text}");
    }
}

/// There is one model, no button to merge it by, and no way to make the rest a second one.
fn assert_nothing_to_merge(page: &mut Session) {
    page.wait_for("document.querySelectorAll('#model-cards > li').length === 1");
    let hint = page.by_selector("#models-hint");
    assert_says(&page.text(&hint), &["One model so far"]);
    assert_eq!(page.evaluate("document.querySelector('#merge').checkVisibility()"), false);
    assert_eq!(page.evaluate("document.querySelectorAll('#unused-files select').length"), 0);
    assert_eq!(page.evaluate("document.querySelectorAll('#unused-files .bad').length"), 1);
}

#[test]
fn an_adapter_is_refused_by_name_and_with_advice() {
    let peft = ["base_model.model.fc1.lora_A.weight", "base_model.model.fc1.lora_B.weight"];
    let kohya = ["lora_unet_fc1.lora_down.weight", "lora_unet_fc1.lora_up.weight"];
    for names in [peft, kohya] {
        let folder = Folder::new();
        let adapter = folder.path("style.safetensors");
        write(&adapter, names);
        let mut page = opened();
        page.set_files("Choose models", &[&golden(CASE, "a.safetensors"), &adapter]);
        let text = alert(&mut page);
        let why = format!("style.safetensors: it is a LoRA adapter (it has {})", names[0]);
        let advice = "merge it into its base first.";
        assert_says(&text, &["1 file cannot be used.", &why, advice]);
        assert_nothing_to_merge(&mut page);
        page.assert_quiet();
    }
}

/// Its tensors have names of their own, and only the configuration tells.
#[test]
fn an_adapter_is_refused_for_the_configuration_beside_it() {
    let folder = Folder::new();
    for own in ["base", "tuned"] {
        std::fs::create_dir(folder.path(own)).expect("a folder");
    }
    let base = folder.path("base/model.safetensors");
    std::fs::copy(golden(CASE, "a.safetensors"), base).expect("a copy");
    write(&folder.path("tuned/adapter_model.safetensors"), ["fc1.u", "fc1.v"]);
    folder.write("tuned/adapter_config.json", b"{}");
    let mut page = opened();
    page.drop_files("body", &[&folder.path("base"), &folder.path("tuned")]);
    let text = alert(&mut page);
    let why =
        "tuned/adapter_model.safetensors: it is an adapter (adapter_config.json is beside it)";
    assert_says(&text, &["1 file cannot be used.", why, "merge it into its base first."]);
    assert_nothing_to_merge(&mut page);
    page.assert_quiet();
}

/// What training libraries leave beside a model.
const LEFT_BY_TRAINING: [&str; 6] = [
    "training_args.bin",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "rng_state_0.pth",
    "pytorch_model.bin",
];

/// A folder of two models as a trainer leaves them, and the files in it that no merge needs.
fn trained() -> (Folder, Vec<PathBuf>) {
    let folder = Folder::new();
    let mut left = Vec::new();
    for model in ["a", "b"] {
        let own = folder.path(model);
        std::fs::create_dir(&own).expect("a folder");
        let weights = golden(CASE, &format!("{model}.safetensors"));
        std::fs::copy(weights, own.join("model.safetensors")).expect("a copy");
        std::fs::write(own.join("config.json"), "{}").expect("a written file");
        for name in LEFT_BY_TRAINING {
            std::fs::write(own.join(name), b"PK\x03\x04 a pickle in a box")
                .expect("a written file");
            left.push(Path::new(model).join(name));
        }
    }
    (folder, left)
}

#[test]
fn what_training_left_is_set_aside() {
    let (folder, left) = trained();
    for is_dropped in [false, true] {
        let mut page = opened();
        page.open("#method=average");
        if is_dropped {
            page.drop_files("body", &[&folder.path("a"), &folder.path("b")]);
        } else {
            page.set_files("Choose a folder", &[folder.folder()]);
        }
        page.by_role("table", "Plan");
        assert_eq!(page.evaluate("document.querySelector('[role=alert]').hidden"), true);
        assert_eq!(page.evaluate("document.querySelector('#file-warnings').innerText"), "");
        let is_open = "document.querySelector('#unused').open";
        assert_eq!(page.evaluate(is_open), false, "there is nothing to decide");
        let lines = page.evaluate(
            "[...document.querySelectorAll('#unused-files li')].map((li) => li.textContent)",
        );
        let lines: Vec<&str> =
            lines.as_array().unwrap().iter().filter_map(|l| l.as_str()).collect();
        for path in paths(&left) {
            let path = path.to_str().expect("an ASCII path");
            let is_it = |line: &&&str| line.contains(&format!("{path} "));
            let line = lines.iter().find(is_it).unwrap_or_else(|| panic!("{path}: {lines:?}"));
            assert!(line.ends_with("not needed for a merge"), "{line}");
        }
        page.click_button("Merge");
        page.by_role("region", "Report");
        assert_eq!(page.evaluate("document.querySelector('[role=alert]').hidden"), true);
        page.assert_quiet();
    }
}

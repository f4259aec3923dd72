//! Pictures of the page at two widths, light and dark: `cargo xtask screenshots FOLDER`.

use std::path::{Path, PathBuf};

use gramerge_browser_tests::Session;
use tempfile::TempDir;

const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 900)];
const LOCKED: &str = "document.querySelector('#lock-badge').dataset.lock === 'locked'";

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    if let Err(e) = std::fs::create_dir_all(&folder) {
        panic!("cannot make {}: {e}", folder.display());
    }
    let own = TempDir::new().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
    let strangers = strangers_in(own.path());
    let adapter = adapter_in(own.path());
    let broken = broken_in(own.path());
    let mut session = Session::start("GRAMERGE_WEB");
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            let name = |state: &str| folder.join(format!("{width}-{scheme}{state}.png"));
            session.set_viewport(width, height);
            session.prefer("prefers-color-scheme", scheme);
            session.open("");
            session.wait_for(LOCKED);
            take(&mut session, &name(""));
            session.click_button("Try to leak a byte");
            session.wait_for("document.querySelector('#leak-results tr.open')");
            session.wait_for("!document.querySelector('#leak').disabled");
            take(&mut session, &name("-leaks"));
            session.open("?");
            session.click_button("Try the sample");
            session.click_button("Merge");
            session.wait_for("document.querySelector('#accuracy').checkVisibility()");
            take(&mut session, &name("-sample"));
            asked(&mut session, &strangers, &name);
            wrong(&mut session, &strangers[0], &adapter, &name);
            merged_broken(&mut session, &broken, &name);
            choices(&mut session, own.path(), &name);
            session.open("");
        }
    }
}

/// What the page asks: whether Gram files are paired rightly, and whether a result may go.
fn asked(session: &mut Session, files: &[PathBuf], name: &dyn Fn(&str) -> PathBuf) {
    session.open("?");
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    session.set_files("Choose models", &files);
    session.wait_for("document.querySelector('#by-place').checkVisibility()");
    session.by_role("table", "Plan");
    take(session, &name("-pairing"));
    let confirmed = session.by_label("These Gram files belong to these models");
    session.click(&confirmed);
    session.click_button("Merge");
    session.by_role("region", "Report");
    let alpha = session.by_selector("#set-alpha");
    let change = "function () { this.value = 0.5; this.dispatchEvent(new Event('input', { bubbles: true })); }";
    session.call_on(&alpha, change);
    take(session, &name("-outdated"));
    session.click_button("Start over");
    session.by_role("dialog", "The merged model is not saved");
    take(session, &name("-unsaved"));
}

/// What the page refuses, and what it has doubts about.
fn wrong(session: &mut Session, model: &Path, adapter: &Path, name: &dyn Fn(&str) -> PathBuf) {
    session.open("");
    session.open("?");
    session.set_files("Choose models", &[model, adapter]);
    session.wait_for("!document.querySelector('[role=alert]').hidden");
    session.wait_for("document.querySelector('#models').checkVisibility()");
    take(session, &name("-refused"));
}

/// Ways for who has no Gram file: the choice, a base, tensors that differ, the bar.
fn choices(session: &mut Session, folder: &Path, name: &dyn Fn(&str) -> PathBuf) {
    let [a, b, base] = ["a", "b", "base"].map(|name| family_in(folder, name, 0));
    let heads = [("red", 2), ("blue", 3)].map(|(name, classes)| family_in(folder, name, classes));
    session.open("");
    session.open("?");
    session.set_files("Choose models", &[&a, &b]);
    session.by_role("table", "Plan");
    session.wait_for("!document.querySelector('#merge').disabled");
    take(session, &name("-choice"));
    session.open("");
    session.open("?#method=ties&density=0.2");
    session.set_files("Choose models", &[&a, &b, &base]);
    session.by_role("table", "Plan");
    session.wait_for("!document.querySelector('#merge').disabled");
    take(session, &name("-base"));
    session.click_button("Merge it like the others: base");
    session.wait_for("document.querySelector('#base-question').checkVisibility()");
    take(session, &name("-which-base"));
    session.open("");
    session.open("?");
    session.set_files("Choose models", &[&heads[0], &heads[1]]);
    session.by_role("button", "Keep from A");
    take(session, &name("-keep"));
    session.evaluate("document.querySelector('#model-cards').scrollIntoView(), 0");
    session.screenshot_of_window(&name("-bar"));
    println!("{}", name("-bar").display());
}

/// A fine-tune of twelve small layers, with a classifier if it has classes.
fn family_in(folder: &Path, name: &str, n_classes: usize) -> PathBuf {
    let mut tensors: Vec<(String, [usize; 2])> =
        (0..12).map(|i| (format!("encoder.layer.{i}.query.weight"), [8, 8])).collect();
    tensors.push(("embeddings.weight".into(), [16, 8]));
    if n_classes > 0 {
        tensors.push(("classifier.weight".into(), [n_classes, 8]));
    }
    let mut end = 0;
    let entries: Vec<String> = tensors
        .iter()
        .map(|(name, [rows, columns])| {
            let start = end;
            end += rows * columns * 4;
            format!(
                r#""{name}":{{"dtype":"F32","shape":[{rows},{columns}],"data_offsets":[{start},{end}]}}"#
            )
        })
        .collect();
    let header = format!("{{{}}}", entries.join(","));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    let shift = name.len() as f32 + name.as_bytes()[0] as f32;
    bytes.extend((0..end / 4).flat_map(|i| ((i % 13) as f32 + shift / 100.0).to_le_bytes()));
    write(folder.join(format!("{name}.safetensors")), &bytes)
}

/// A merged model that holds a NaN, with a pattern that matches nothing.
fn merged_broken(session: &mut Session, files: &[PathBuf], name: &dyn Fn(&str) -> PathBuf) {
    session.open("");
    session.open("?");
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    session.set_files("Choose models", &files);
    session.by_role("table", "Plan");
    let exclude = session.by_selector("#exclude");
    let write = "function () { this.value = 'lm_head'; this.dispatchEvent(new Event('input', { bubbles: true })); }";
    session.call_on(&exclude, write);
    session.wait_for("document.querySelector('#plan-warnings li')");
    session.click_button("Merge");
    session.by_role("region", "Report");
    take(session, &name("-broken"));
}

/// A golden merge's files in a folder of the repository.
fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/golden/mlp-alpha-0.9")
}

fn write(path: PathBuf, bytes: &[u8]) -> PathBuf {
    std::fs::write(&path, bytes).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
    path
}

/// A safetensors file with one factor of an adapter.
fn adapter_in(folder: &Path) -> PathBuf {
    let header = br#"{"model.fc1.lora_A.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(&[0; 4]);
    write(folder.join("style.safetensors"), &bytes)
}

/// A golden merge in which the last value of model A, of a tensor that no Gram matrix covers, is NaN.
fn broken_in(folder: &Path) -> Vec<PathBuf> {
    let names = ["a.safetensors", "b.safetensors", "a.gram.safetensors", "b.gram.safetensors"];
    let copy = |name: &&str| {
        let bytes = std::fs::read(golden().join(name));
        let mut bytes = bytes.unwrap_or_else(|e| panic!("cannot read {name}: {e}"));
        if *name == "a.safetensors" {
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        }
        write(folder.join(name), &bytes)
    };
    names.iter().map(copy).collect()
}

/// The sample's models and Gram files by names that say nothing of each other.
fn strangers_in(folder: &Path) -> Vec<PathBuf> {
    let golden = golden();
    let names = [
        ("a.safetensors", "news.safetensors"),
        ("b.safetensors", "letters.safetensors"),
        ("a.gram.safetensors", "p.gram.safetensors"),
        ("b.gram.safetensors", "q.gram.safetensors"),
    ];
    let copy = |(from, to): &(&str, &str)| {
        let to = folder.join(to);
        std::fs::copy(golden.join(from), &to).unwrap_or_else(|e| panic!("cannot copy {from}: {e}"));
        to
    };
    names.iter().map(copy).collect()
}

fn take(session: &mut Session, path: &Path) {
    session.screenshot(path);
    println!("{}", path.display());
}

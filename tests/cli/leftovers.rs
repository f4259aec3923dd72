//! What lies where a merge will write: a killed run's goes, everything else stays.

use std::process::Output;

use crate::folder::{Folder, text};
use crate::running::{Held, MERGE, large};

/// The mark of a run, as it begins.
const MARK: &str = "gramerge: files of a run that go when it ends\0";
const RANDOM: &str = "gramerge-abcdefABCDEF";

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn average(folder: &Folder, words: &[&str]) -> Output {
    folder.run(&[&["merge", "--method", "average"], words].concat())
}

/// A folder as a killed run would leave it, with these files, of which it lists some.
fn left(folder: &Folder, name: &str, mark: Option<&str>, files: &[&str]) {
    std::fs::create_dir_all(folder.path(name)).unwrap();
    for file in files {
        std::fs::copy(folder.path("a.safetensors"), folder.path(name).join(file)).unwrap();
    }
    if let Some(mark) = mark {
        std::fs::write(folder.path(name).join(".gramerge-run"), mark).unwrap();
    }
}

/// Names that only look like a run's.
#[test]
fn what_has_another_name_stays_unmentioned() {
    let folder = Folder::new();
    let ends = ["partial", "short.partial", "202611261430.partial", "abcdefABCDEF.parts"];
    let ends = [&ends[..], &["gramerge-twelve-chars.partial", "gramerge-abcdefABCDEF"]].concat();
    let names: Vec<String> = ends.iter().map(|end| format!("out.safetensors.{end}")).collect();
    for name in &names {
        std::fs::write(folder.path(name), "mine").unwrap();
    }
    let merge = folder.merge(&[]);
    assert!(merge.status.success(), "{}", errors(&merge));
    assert_eq!(errors(&merge), "");
    for name in names {
        assert_eq!(text(&folder.path(&name)), b"mine", "{name}");
    }
}

#[test]
fn an_input_is_never_cleared_away() {
    let folder = Folder::new();
    for (output, name) in [
        ("merged/", "merged.checkpoint12.partial".to_owned()),
        ("merged/", format!("merged.{RANDOM}.partial")),
        ("m.safetensors", format!("m.safetensors.{RANDOM}.partial")),
        ("there", "there/.gramerge.partial".to_owned()),
    ] {
        let mark = format!("{MARK}model.safetensors\0");
        left(&folder, &name, name.contains("gramerge").then_some(&mark), &["model.safetensors"]);
        let merge = average(&folder, &[&name, "b.safetensors", "-o", output]);
        let whole = text(&folder.path("a.safetensors"));
        assert_eq!(text(&folder.path(&name).join("model.safetensors")), whole, "{name}");
        // In the folder itself there is no place beside it.
        let code = if output == "there" { 2 } else { 0 };
        assert_eq!(merge.status.code(), Some(code), "{name}: {}", errors(&merge));
        let _none = std::fs::remove_dir_all(folder.path("merged")).is_err();
    }
}

/// They have a run's name, but not its mark, or more than it lists.
#[test]
fn what_no_run_made_stays_and_is_named() {
    let listed = format!("{MARK}unfinished\0");
    let kinds: [(Option<&str>, &[&str]); 4] = [
        (None, &["unfinished"]),
        (Some("somebody's"), &["unfinished"]),
        (Some(&listed), &["unfinished", "notes"]),
        (Some(MARK), &["unfinished"]),
    ];
    for (mark, files) in kinds {
        let folder = Folder::new();
        let name = format!("out.safetensors.{RANDOM}.partial");
        left(&folder, &name, mark, files);
        let before = folder.names_in(&name);
        let merge = folder.merge(&[]);
        assert!(merge.status.success(), "{}", errors(&merge));
        assert_eq!(folder.names_in(&name), before, "{mark:?}");
        assert!(errors(&merge).contains(&name) && errors(&merge).contains("left as it is"));
        assert_eq!(errors(&merge).lines().count(), 1, "{}", errors(&merge));
    }
    let folder = Folder::new();
    let name = format!("out.safetensors.{RANDOM}.partial");
    std::fs::write(folder.path("victim"), "mine").unwrap();
    std::os::unix::fs::symlink(folder.path("victim"), folder.path(&name)).unwrap();
    assert!(errors(&folder.merge(&[])).contains(&name));
    assert!(folder.path(&name).is_symlink());
    std::fs::remove_file(folder.path(&name)).unwrap();
    std::fs::write(folder.path(&name), "mine").unwrap();
    assert!(errors(&folder.merge(&["--force"])).contains(&name));
    assert_eq!(text(&folder.path(&name)), b"mine");
}

#[test]
fn a_killed_run_with_a_guest_in_its_folder_stays() {
    let folder = large();
    let partial = Held::merge(&folder, "out.safetensors", &[]).kill();
    std::fs::write(partial.join("notes"), "mine").unwrap();
    let words = [&MERGE[..], &["-o", "out.safetensors"]].concat();
    assert!(folder.run(&words).status.success());
    assert_eq!(text(&partial.join("notes")), b"mine");
    std::fs::remove_file(partial.join("notes")).unwrap();
    assert!(folder.run(&[&words[..], &["--force"]].concat()).status.success());
    assert!(!partial.exists());
}

/// A refused run clears nothing away.
#[test]
fn the_target_is_looked_at_first() {
    let folder = Folder::new();
    let name = format!("out.{RANDOM}.partial");
    let mark = format!("{MARK}model.safetensors\0");
    left(&folder, &name, Some(&mark), &["model.safetensors"]);
    std::fs::create_dir(folder.path("out")).unwrap();
    std::fs::write(folder.path("out/notes"), "mine").unwrap();
    let merge = average(&folder, &["a.safetensors", "b.safetensors", "-o", "out"]);
    assert_eq!(merge.status.code(), Some(2));
    assert!(folder.path(&name).exists());
    std::fs::remove_file(folder.path("out/notes")).unwrap();
    let merge = average(&folder, &["a.safetensors", "b.safetensors", "-o", "out"]);
    assert!(merge.status.success(), "{}", errors(&merge));
    assert!(!folder.path(&name).exists());
}

/// As a run leaves it that is killed while its files get their names.
#[test]
fn a_half_moved_folder_is_left_whole() {
    let folder = Folder::new();
    let mark = format!("{MARK}model-00002-of-00002.safetensors\0");
    let shard = "model-00002-of-00002.safetensors";
    left(&folder, "out/.gramerge.partial", Some(&mark), &[shard]);
    std::fs::write(folder.path("out/model-00001-of-00002.safetensors"), "moved").unwrap();
    let words = ["a.safetensors", "b.safetensors", "-o", "out", "--shard-size", "48"];
    let merge = average(&folder, &words);
    assert_eq!(merge.status.code(), Some(2), "{}", errors(&merge));
    assert!(errors(&merge).contains(".gramerge.partial"), "{}", errors(&merge));
    assert_eq!(errors(&merge).lines().count(), 1, "{}", errors(&merge));
    assert_eq!(folder.names_in("out").len(), 2);
    assert_eq!(folder.names_in("out/.gramerge.partial"), [".gramerge-run", shard]);
}

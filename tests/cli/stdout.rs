//! A standard output that is full, or that nobody reads.

use std::process::{Command, Output, Stdio};

use crate::folder::Folder;

fn commands(folder: &Folder) -> Vec<Vec<&'static str>> {
    assert!(
        folder
            .run(&[&["merge"], &MODELS[..], &["-o", "done.safetensors"]].concat())
            .status
            .success()
    );
    let with = |first: &[&'static str], last: &[&'static str]| [first, &MODELS, last].concat();
    vec![
        vec!["inspect", "."],
        vec!["inspect", ".", "--json"],
        vec!["--help"],
        vec!["--version"],
        with(&["plan"], &[]),
        with(&["plan"], &["--json"]),
        with(&["verify", "done.safetensors"], &[]),
        with(&["verify", "done.safetensors"], &["--json"]),
        with(&["merge"], &["-o", "out.safetensors", "--force"]),
        with(&["merge"], &["-o", "out.safetensors", "--force", "--json"]),
    ]
}

const MODELS: [&str; 4] = ["a.safetensors", "b.safetensors", "--method", "average"];

fn run(folder: &Folder, words: &[&str], stdout: Stdio) -> Output {
    let mut command: Command = folder.command(words);
    command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_output_is_one_sentence() {
    let folder = Folder::new();
    for words in commands(&folder) {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = run(&folder, &words, full.into());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words:?} {error}");
        assert!(error.contains("standard output cannot be written"), "{words:?} {error}");
        assert_eq!(error.lines().count(), 1, "{words:?} {error}");
        let left = folder.leftovers();
        // Where only the report is printed, the merge is there by then, and whole.
        let whole = words.contains(&"--json") && words[0] == "merge";
        assert_eq!(left.len(), usize::from(whole), "{words:?} {left:?}");
    }
}

#[test]
fn a_reader_who_has_gone_away_is_no_error() {
    let folder = Folder::new();
    for words in commands(&folder) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = run(&folder, &words, writer.into());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        let (code, n_left) = if words[0] == "merge" { (0, 1) } else { (141, 0) };
        assert_eq!(output.status.code(), Some(code), "{words:?}");
        assert_eq!(folder.leftovers().len(), n_left, "{words:?}");
    }
    assert!(folder.run(&["inspect", "out.safetensors"]).status.success());
}

/// Nor does a standard error that is full or closed disturb a merge.
#[test]
fn nobody_needs_to_read_the_warnings() {
    let folder = Folder::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let words =
        ["merge", "a.safetensors", "a.safetensors", "--method", "average", "-o", "o.safetensors"];
    let merge = folder.command(&words).stderr(writer).output().unwrap();
    assert!(merge.status.success());
    assert!(folder.path("o.safetensors").exists());
}

/// Names from files steer no terminal, in JSON neither, and are still what they were.
#[test]
fn json_is_escaped_and_means_the_same() {
    let folder = Folder::new();
    let name = "a\u{9b}b\u{7f}c\u{202e}d\u{2028}e\u{e0001}f\u{e9}";
    folder.write(
        "n.safetensors",
        &[(name, gramerge::tensor::dtype::Dtype::F32, &[1], vec![1.0])],
        &[],
    );
    let words = ["merge", "n.safetensors", "n.safetensors", "--method", "average", "--json"];
    let merge = folder.run(&[&words[..], &["-o", "o.safetensors"]].concat());
    let json = String::from_utf8(merge.stdout).unwrap();
    let raw = |c: &char| !matches!(c, ' '..='~' | '\n' | '\u{e9}');
    assert_eq!(json.chars().find(raw), None);
    assert!(json.contains('\u{e9}'), "what people can read stays");
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["tensors"][0]["name"], name);
}

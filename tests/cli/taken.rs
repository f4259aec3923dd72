//! Outputs and reports whose names are taken: by inputs, by one another, by what comes meanwhile.

use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use crate::folder::{Folder, text};
use crate::running::{Held, large};

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn refused(output: &Output, words: &[&str]) {
    assert_eq!(output.status.code(), Some(2), "{}", errors(output));
    for word in words {
        assert!(errors(output).contains(word), "no `{word}` in: {}", errors(output));
    }
}

#[test]
fn what_came_while_a_merge_ran_is_not_lost() {
    let folder = large();
    let merge = Held::merge(&folder, "out.safetensors", &[]);
    std::fs::write(folder.path("out.safetensors"), "precious").unwrap();
    refused(&merge.go_on(), &["exists already", "while this run was writing"]);
    assert_eq!(text(&folder.path("out.safetensors")), b"precious");
    assert_eq!(folder.leftovers(), ["out.safetensors"]);

    let merge = Held::merge(&folder, "new/", &[]);
    std::fs::create_dir(folder.path("new")).unwrap();
    std::fs::write(folder.path("new/model.safetensors"), "precious").unwrap();
    refused(&merge.go_on(), &["exists already"]);
    assert_eq!(folder.names_in("new"), ["model.safetensors"]);
    assert_eq!(text(&folder.path("new/model.safetensors")), b"precious");

    std::fs::create_dir(folder.path("empty")).unwrap();
    let merge = Held::merge(&folder, "empty", &["--shard-size", "100MB"]);
    std::fs::write(folder.path("empty/model-00002-of-00002.safetensors"), "precious").unwrap();
    refused(&merge.go_on(), &["exists already"]);
    assert_eq!(folder.names_in("empty"), ["model-00002-of-00002.safetensors"]);
}

#[test]
fn force_gives_up_what_came_while_a_merge_ran() {
    let folder = large();
    let merge = Held::merge(&folder, "out.safetensors", &["--force"]);
    std::fs::write(folder.path("out.safetensors"), "not precious").unwrap();
    assert!(merge.go_on().status.success());
    assert!(text(&folder.path("out.safetensors")).len() > 1000);
    let merge = Held::merge(&folder, "out.safetensors", &["--force"]);
    std::fs::remove_file(folder.path("out.safetensors")).unwrap();
    symlink("x.safetensors", folder.path("out.safetensors")).unwrap();
    refused(&merge.go_on(), &["no regular file"]);
    assert!(folder.path("out.safetensors").is_symlink());
}

#[test]
fn only_regular_files_are_replaced() {
    let folder = Folder::new();
    std::fs::write(folder.path("victim"), "precious").unwrap();
    symlink("victim", folder.path("link")).unwrap();
    symlink("nowhere", folder.path("dangling")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(folder.path("socket")).unwrap();
    for name in ["link", "dangling", "pipe", "socket"] {
        for force in [&[][..], &["--force"]] {
            let kind = folder.path(name).symlink_metadata().unwrap().file_type();
            for words in [["-o", name].as_slice(), &["-o", "o.safetensors", "--report", name]] {
                let inputs = ["merge", "a.safetensors", "b.safetensors", "--method", "average"];
                let words = [&inputs[..], words, force].concat();
                refused(&folder.run(&words), &[name, "no regular file"]);
                assert_eq!(folder.path(name).symlink_metadata().unwrap().file_type(), kind);
            }
        }
    }
    assert_eq!(text(&folder.path("victim")), b"precious");
    assert!(!folder.path("nowhere").exists() && !folder.path("o.safetensors").exists());
}

/// A link under a temporary name that can be guessed would lead the merge into another file.
#[test]
fn a_planted_link_leads_nowhere() {
    let folder = Folder::new();
    std::fs::write(folder.path("victim"), "precious").unwrap();
    let plant = "ln -s victim out.safetensors.$$.partial; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.current_dir(folder.dir.path()).args(["-c", plant, env!("CARGO_BIN_EXE_gramerge")]);
    let merge = command.args(folder.merge_words(&[])).output().unwrap();
    assert!(merge.status.success(), "{}", errors(&merge));
    assert_eq!(text(&folder.path("victim")), b"precious");
    assert!(!folder.path("out.safetensors").is_symlink());
}

#[test]
fn an_empty_folder_is_filled_where_it_is() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("here")).unwrap();
    symlink("here", folder.path("link")).unwrap();
    let paths = ["a.safetensors", "b.safetensors"].map(|name| folder.path(name));
    let mut command = Command::new(env!("CARGO_BIN_EXE_gramerge"));
    command.current_dir(folder.path("here")).arg("merge").args(&paths);
    let merge = command.args(["--method", "average", "-o", "."]).output().unwrap();
    assert!(merge.status.success(), "{}", errors(&merge));
    assert_eq!(folder.names_in("here"), ["model.safetensors"]);
    std::fs::remove_file(folder.path("here/model.safetensors")).unwrap();
    let merge = folder.run(&[
        "merge",
        "a.safetensors",
        "b.safetensors",
        "--method",
        "average",
        "-o",
        "link/",
        "--shard-size",
        "48",
    ]);
    assert!(merge.status.success(), "{}", errors(&merge));
    assert_eq!(folder.names_in("here").len(), 3, "{:?}", folder.names_in("here"));
}

/// Ways to name a file that is an input.
fn aliases(folder: &Folder, name: &str) -> Vec<String> {
    std::fs::hard_link(folder.path(name), folder.path("hard")).unwrap();
    let whole = folder.path(name).to_str().unwrap().to_owned();
    vec![name.into(), format!("./{name}"), whole, "hard".into()]
}

#[test]
fn an_input_is_never_written_over() {
    for input in ["a.safetensors", "b.safetensors", "a.gram.safetensors"] {
        let folder = Folder::new();
        let before = text(&folder.path(input));
        for alias in aliases(&folder, input) {
            let report = folder.merge(&["--force", "--report", &alias]);
            refused(&report, &["input of this merge"]);
            let words = folder.merge_words(&["--force"]);
            let words: Vec<&str> = words
                .into_iter()
                .map(|w| if w == "out.safetensors" { &*alias } else { w })
                .collect();
            refused(&folder.run(&words), &["input of this merge"]);
            assert_eq!(text(&folder.path(input)), before, "{alias}");
            assert!(folder.leftovers().is_empty());
        }
    }
}

#[test]
fn a_report_is_never_written_over_the_merge() {
    let folder = Folder::new();
    for report in ["out.safetensors", "./out.safetensors"] {
        for force in [&[][..], &["--force"]] {
            let merge = folder.merge(&[&["--report", report], force].concat());
            refused(&merge, &["take the place of the merge"]);
            assert!(folder.leftovers().is_empty());
        }
    }
    let inputs = ["merge", "a.safetensors", "b.safetensors", "--method", "average", "-o", "out/"];
    for name in ["model.safetensors", "config.json", "model.safetensors.index.json"] {
        let report = format!("./out/{name}");
        let merge = folder.run(&[&inputs[..], &["--report", &report]].concat());
        refused(&merge, &["take the place of the merge"]);
        assert!(!folder.path("out").exists());
    }
    let merge = folder.run(&[&inputs[..], &["--report", "out/report.json"]].concat());
    assert!(merge.status.success(), "{}", errors(&merge));
    assert_eq!(folder.names_in("out"), ["model.safetensors", "report.json"]);
}

#[test]
fn a_report_is_looked_at_before_the_work() {
    let folder = Folder::new();
    std::fs::write(folder.path("r.json"), "precious").unwrap();
    refused(&folder.merge(&["--report", "r.json"]), &["r.json", "exists already", "--force"]);
    assert_eq!(text(&folder.path("r.json")), b"precious");
    assert!(folder.leftovers().is_empty());
    let missing = folder.merge(&["--report", "no/where/r.json"]);
    folder.refuses(&missing, 1, &["r.json", "cannot be written"]);
    let merge = folder.merge(&["--report", "r.json", "--force"]);
    assert!(merge.status.success(), "{}", errors(&merge));
    assert!(serde_json::from_slice::<serde_json::Value>(&text(&folder.path("r.json"))).is_ok());
}

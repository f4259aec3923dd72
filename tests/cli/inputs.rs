//! Models that are not what they seem: parts of one, one twice, names that steer a terminal.

use std::os::unix::fs::symlink;
use std::process::Output;

use gramerge::tensor::dtype::Dtype;

use crate::folder::{Folder, WEIGHT, text};

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn average<'a>(first: &'a str, second: &'a str) -> [&'a str; 6] {
    ["merge", first, second, "--method", "average", "-o"]
}

/// Every command on models `x` and `y`.
fn commands(x: &'static str, y: &'static str) -> [Vec<&'static str>; 5] {
    let method = ["--method", "average"];
    [
        [&["plan", x, y], &method[..]].concat(),
        [&["plan", x, y, "--json"], &method[..]].concat(),
        [&["merge", x, y, "-o", "out.safetensors", "--force"], &method[..]].concat(),
        [&["merge", x, y, "-o", "out.safetensors", "--force", "--json"], &method[..]].concat(),
        [&["verify", x, y, y], &method[..]].concat(),
    ]
}

#[test]
fn half_a_model_is_refused_by_the_missing_half() {
    let folder = Folder::new();
    for model in ["x", "y"] {
        std::fs::create_dir(folder.path(model)).unwrap();
        let half = folder.path(model).join("model-00001-of-00002.safetensors");
        std::fs::copy(folder.path("a.safetensors"), half).unwrap();
    }
    let whole = "b.safetensors";
    for half in ["x", "y/model-00001-of-00002.safetensors"] {
        for words in commands(half, whole).into_iter().chain(commands(whole, half)) {
            let output = folder.run(&words);
            folder.refuses(&output, 1, &[half, "model-00002-of-00002.safetensors"]);
        }
    }
    let both = folder.run(&[&average("x", "y")[..], &["out.safetensors"]].concat());
    folder.refuses(&both, 1, &["model-00002-of-00002.safetensors"]);
}

#[test]
fn a_model_with_a_broken_index_is_not_merged_without_it() {
    let broken: [(&[u8], &str); 5] = [
        (br#"{"weight_map": {"w": "../a.safetensors"}}"#, "no plain `.safetensors` file name"),
        (br#"{"weight_map": {"w": "/etc/x.safetensors"}}"#, "no plain `.safetensors` file name"),
        (br#"{"weight_map": {"w": "m.safetensors", "w": "n.safetensors"}}"#, "twice"),
        (b"\x00\xff\x80 binary", "no index"),
        (b"", "no index"),
    ];
    let folder = Folder::new();
    for model in ["x", "y"] {
        std::fs::create_dir(folder.path(model)).unwrap();
        let own = folder.path(model).join("model.safetensors");
        std::fs::copy(folder.path("a.safetensors"), own).unwrap();
    }
    for (index, words) in broken {
        std::fs::write(folder.path("y/model.safetensors.index.json"), index).unwrap();
        for command in commands("x", "y").into_iter().chain(commands("y", "x")) {
            folder.refuses(&folder.run(&command), 1, &["y/model.safetensors.index.json", words]);
        }
    }
}

#[test]
fn every_warning_about_files_reaches_every_command() {
    let folder = Folder::new();
    for model in ["x", "y"] {
        std::fs::create_dir(folder.path(model)).unwrap();
        let own = folder.path(model).join("model.safetensors");
        std::fs::copy(folder.path("a.safetensors"), own).unwrap();
    }
    std::fs::write(folder.path("y/broken.safetensors"), "not a model").unwrap();
    for words in commands("x", "y") {
        let output = folder.run(&words);
        assert_eq!(output.status.code(), Some(0), "{words:?} {}", errors(&output));
        let warned =
            errors(&output).lines().filter(|line| line.contains("broken.safetensors")).count();
        assert!(warned > 0, "{words:?} says nothing: {}", errors(&output));
    }
    for words in [&["inspect", "y"][..], &["inspect", "y", "--json"]] {
        let output = folder.run(words);
        assert!(errors(&output).contains("broken.safetensors"), "{words:?} says nothing");
    }
}

/// What is given in order, model and Gram file, needs no guess and no warning about one.
#[test]
fn files_in_order_give_no_warning() {
    let folder = Folder::new();
    let mut values = crate::folder::gram(4, 1.0);
    for name in ["one.safetensors", "two.safetensors"] {
        values[0] += 1.0;
        let metadata = [("gram_format", "1"), ("normalization", "mean")];
        folder.write(name, &[(WEIGHT, Dtype::F32, &[4, 4], values.clone())], &metadata);
    }
    let words = ["plan", "a.safetensors", "b.safetensors", "--gram"];
    let plan = folder.run(&[&words[..], &["one.safetensors", "two.safetensors"]].concat());
    assert_eq!(errors(&plan), "");
}

#[test]
fn one_file_under_two_names_is_warned_of() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("there")).unwrap();
    symlink("../a.safetensors", folder.path("there/model.safetensors")).unwrap();
    std::fs::hard_link(folder.path("a.safetensors"), folder.path("hard.safetensors")).unwrap();
    for alias in ["there", "there/model.safetensors", "./a.safetensors", "hard.safetensors"] {
        let words = ["plan", "a.safetensors", "b.safetensors", alias, "--method", "average"];
        let plan = folder.run(&words);
        assert!(plan.status.success(), "{}", errors(&plan));
        let warning = errors(&plan);
        assert!(
            warning.contains("warning") && warning.contains("are the same"),
            "{alias}: {warning}"
        );
        assert_eq!(warning.lines().count(), 1, "{warning}");
    }
    symlink("a.gram.safetensors", folder.path("c.gram.safetensors")).unwrap();
    for alias in ["a.gram.safetensors", "c.gram.safetensors", "./a.gram.safetensors"] {
        let words = ["plan", "a.safetensors", "b.safetensors", "--gram", "a.gram.safetensors"];
        let plan = folder.run(&[&words[..], &[alias]].concat());
        let warning = errors(&plan);
        let found = warning.lines().any(|line| line.contains("have the same Gram matrices"));
        assert!(found, "{alias}: {warning}");
    }
    let plan = folder.run(&["plan", "a.safetensors", "b.safetensors", "--method", "average"]);
    assert_eq!(errors(&plan), "");
}

/// Names and words that would colour, move or reorder what the terminal shows.
#[test]
fn nothing_printed_steers_the_terminal() {
    let folder = Folder::new();
    for hostile in ["\u{1b}[31m", "\u{9b}2J", "\u{202e}", "\u{61c}", "\u{2028}", "\u{7}"] {
        let name = format!("{hostile}.safetensors");
        std::fs::copy(folder.path("a.safetensors"), folder.path(&name)).unwrap();
        let out = format!("out{hostile}.safetensors");
        let size = format!("5{hostile}GB");
        let keep = format!("--keep={hostile}=0");
        let option = format!("--{hostile}");
        let runs: [&[&str]; 8] = [
            &[&average(&name, "b.safetensors")[..], &[&out]].concat(),
            &[&average(&name, "b.safetensors")[..], &[&out]].concat(),
            &[&average("a.safetensors", "b.safetensors")[..], &["o", "--shard-size", &size]]
                .concat(),
            &[&average("a.safetensors", "b.safetensors")[..], &["o", &keep]].concat(),
            &["inspect", &name, &out],
            &["inspect", &option],
            &["plan", &name, hostile],
            &["plan", &name, &out, "--method", "average", "--exclude", &format!("({hostile}")],
        ];
        for words in runs {
            let output = folder.run(words);
            let shown = [output.stdout, output.stderr].concat();
            let shown = String::from_utf8(shown).unwrap();
            assert!(!shown.contains(hostile), "{hostile:?} is raw in: {shown:?}");
            assert!(!shown.is_empty());
        }
        assert!(!text(&folder.path(&out)).is_empty());
    }
}

/// A folder whose index lists what is not there is no whole model, whatever else lies in it.
#[test]
fn a_folder_without_what_its_index_lists_is_refused() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("m")).unwrap();
    std::fs::copy(folder.path("a.safetensors"), folder.path("m/x.safetensors")).unwrap();
    let two = r#"{"weight_map": {"fc.weight": "x.safetensors", "fc.bias": "y.safetensors"}}"#;
    let cases = [(two, "`y.safetensors`"), (r#"{"weight_map": {}}"#, "lists no shards")];
    for (json, word) in cases {
        let index = "m/model.safetensors.index.json";
        std::fs::write(folder.path(index), json).unwrap();
        for path in ["m", index] {
            let words = ["merge", path, "b.safetensors", "--method", "average"];
            let output = folder.run(&[&words[..], &["-o", "out.safetensors"]].concat());
            folder.refuses(&output, 1, &["index.json", word]);
        }
    }
}

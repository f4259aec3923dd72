//! What `plan` and `inspect` print for people: numbered tensors together, in natural order.

use gramerge::tensor::dtype::Dtype;

use crate::folder::Folder;

/// Models `a` and `b` of twelve layers and a head, tensors not in order.
fn layered() -> Folder {
    let folder = Folder::new();
    for (model, shift) in [("a", 0.0), ("b", 0.5)] {
        let names: Vec<String> =
            (0..12).rev().map(|i| format!("enc.layer.{i}.fc.weight")).collect();
        let mut tensors: Vec<(&str, Dtype, &[u64], Vec<f64>)> =
            vec![("head.bias", Dtype::F32, &[2], vec![shift, 1.0])];
        for name in &names {
            let values = (0..60).map(|i| f64::from(i) + shift).collect();
            tensors.push((name, Dtype::F32, &[30, 2], values));
        }
        folder.write(&format!("{model}.safetensors"), &tensors, &[]);
    }
    folder
}

fn printed(folder: &Folder, words: &[&str]) -> Vec<String> {
    let output = folder.run(words);
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

const PLAN: [&str; 5] = ["plan", "a.safetensors", "b.safetensors", "--method", "average"];

#[test]
fn a_plan_has_one_line_for_all_layers() {
    let lines = printed(&layered(), &PLAN);
    assert_eq!(lines[0], "12 × enc.layer.*.fc.weight  F32 [30, 2]  → average");
    assert_eq!(lines[1], "     head.bias              F32 [2]      → average");
    assert!(lines[2].starts_with("The models are "), "{}", lines[2]);
    assert!(lines[3].starts_with("13 tensors: 13 combined; reads 5.8 kB, writes "), "{}", lines[3]);
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_layer_with_another_fate_has_a_line_of_its_own() {
    let lines = printed(&layered(), &[&PLAN[..], &["--keep", r"layer\.3\.=2"]].concat());
    assert_eq!(lines[0], "11 × enc.layer.*.fc.weight  F32 [30, 2]  → average");
    assert_eq!(lines[1], "     enc.layer.3.fc.weight  F32 [30, 2]  → kept from model 2, `b`");
    assert!(lines[4].starts_with("13 tensors: 12 combined, 1 kept; "), "{}", lines[4]);
}

#[test]
fn all_lists_every_tensor_in_natural_order() {
    let folder = layered();
    let names = |lines: &[String]| -> Vec<String> {
        let name = |line: &String| line.split_whitespace().next().map(String::from);
        lines.iter().filter_map(name).collect()
    };
    let mut expected: Vec<String> = (0..12).map(|i| format!("enc.layer.{i}.fc.weight")).collect();
    expected.push("head.bias".into());
    let lines = printed(&folder, &[&PLAN[..], &["--all"]].concat());
    assert_eq!(names(&lines[..13]), expected);
    let lines = printed(&folder, &["inspect", "a.safetensors", "--all"]);
    assert_eq!(names(&lines[1..14]), expected);
}

#[test]
fn inspect_has_one_line_for_all_layers() {
    let lines = printed(&layered(), &["inspect", "a.safetensors"]);
    assert!(lines[0].ends_with(" 13 tensors, 722 parameters, F32"), "{}", lines[0]);
    assert_eq!(lines[1], "  12 × enc.layer.*.fc.weight  F32 [30, 2]");
    assert_eq!(lines[2], "       head.bias              F32 [2]");
    assert_eq!(lines[3], "model 1: a (1 file, no Gram file)");
}

/// Shards are one model, whose layers are one line.
#[test]
fn inspect_puts_shards_together() {
    let folder = layered();
    let words = ["merge", "a.safetensors", "b.safetensors", "--method", "average", "-o", "out/"];
    assert!(folder.run(&[&words[..], &["--shard-size", "1kB"]].concat()).status.success());
    let lines = printed(&folder, &["inspect", "out"]);
    let counts: Vec<_> = lines.iter().filter(|line| line.contains('×')).collect();
    assert_eq!(counts, ["  12 × enc.layer.*.fc.weight  F32 [30, 2]"]);
}

/// The one tensor of a line, a file or a group is no plural.
#[test]
fn one_is_singular() {
    let folder = Folder::new();
    let mut words = vec!["plan", "a.safetensors", "b.safetensors", "--gram"];
    words.extend(["a.gram.safetensors", "b.gram.safetensors"]);
    let lines = printed(&folder, &words);
    assert_eq!(lines[0], "fc.bias    F32 [3]     → average (no Gram matrix)");
    assert_eq!(lines[1], "fc.weight  F32 [3, 4]  → RegMean");
    assert!(
        lines[3].starts_with("2 tensors: 1 regressed in 1 group, 1 combined; "),
        "{}",
        lines[3]
    );
    let lines = printed(&folder, &["inspect", "a.gram.safetensors"]);
    assert!(lines[0].contains(", 1 tensor, "), "{}", lines[0]);
}

/// The JSON has the lines too, by the tensors' places.
#[test]
fn json_has_lines_beside_all_tensors() {
    let output = layered().run(&[&PLAN[..], &["--json"]].concat());
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["tensors"].as_array().unwrap().len(), 13);
    assert_eq!(plan["lines"][0]["pattern"], "enc.layer.*.fc.weight");
    let places = plan["lines"][0]["tensors"].as_array().unwrap();
    let name = |place: &serde_json::Value| {
        plan["tensors"][place.as_u64().unwrap() as usize]["name"].as_str().unwrap().to_owned()
    };
    let expected: Vec<String> = (0..12).map(|i| format!("enc.layer.{i}.fc.weight")).collect();
    assert_eq!(places.iter().map(name).collect::<Vec<_>>(), expected);
}

#[test]
fn every_shell_has_completions_of_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&folder, &["completions", shell]).join("\n");
        for word in
            ["inspect", "plan", "merge", "verify", "completions", "shard-size", "coefficients"]
        {
            assert!(script.contains(word), "{shell}: no `{word}`");
        }
    }
    assert_eq!(folder.run(&["completions", "tcsh"]).status.code(), Some(2));
}

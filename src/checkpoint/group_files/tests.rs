//! Heaps of files, and the models that have to come of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Outcome, Seen, gram_contradicts};
use crate::Error;
use crate::checkpoint::inventory::{FileKind, Inventory};
use crate::format::{Layout, ShardIndex};
use crate::tensor::dtype::Dtype;

fn inventory(files: &[Seen]) -> Inventory {
    super::inventory(files, &|_, _| None)
}

fn header(path: &str, tensors: &[&str], shape: &[u64], metadata: &[(&str, &str)]) -> Seen {
    let tensors = tensors.iter().map(|name| ((*name).to_owned(), Dtype::F32, shape.to_vec()));
    let metadata: BTreeMap<String, String> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let layout = Layout::new(tensors, &metadata).unwrap();
    let outcome = Outcome::Header(Arc::new(layout.header().clone()));
    Seen { path: path.to_owned(), size_bytes: layout.total_bytes(), outcome }
}

fn checkpoint(path: &str) -> Seen {
    header(path, &["a.weight"], &[2, 3], &[])
}

fn shard(path: &str, tensor: &str) -> Seen {
    header(path, &[tensor], &[2, 3], &[])
}

fn gram(path: &str) -> Seen {
    header(path, &["a.weight"], &[3, 3], &[("gram_format", "1")])
}

fn gram_from(path: &str, source: &str) -> Seen {
    header(path, &["a.weight"], &[3, 3], &[("gram_format", "1"), ("source", source)])
}

fn other(path: &str, outcome: Outcome) -> Seen {
    Seen { path: path.to_owned(), size_bytes: 1, outcome }
}

fn index(path: &str, map: &[(&str, &str)]) -> Seen {
    let map: BTreeMap<_, _> = map.iter().copied().collect();
    let json = serde_json::json!({ "weight_map": map }).to_string();
    other(path, Outcome::Index(Arc::new(ShardIndex::parse(json.as_bytes()).unwrap())))
}

/// Each model as `name: files [+ index] [~ gram]`, by the files' numbers.
fn shown(inventory: &Inventory) -> Vec<String> {
    let model = |model: &crate::checkpoint::inventory::SelectedModel| {
        let mut text = format!("{}: {:?}", model.name, model.files);
        text.extend(model.index.map(|index| format!(" + {index}")));
        text.extend(model.gram.map(|gram| format!(" ~ {gram}")));
        text
    };
    inventory.suggestion.models.iter().map(model).collect()
}

/// Checks the models and how many warnings there are; returns those.
fn expect(files: &[Seen], models: &[&str], n_warnings: usize) -> Vec<String> {
    let inventory = inventory(files);
    assert_eq!(shown(&inventory), models, "{:?}", inventory.warnings);
    assert_eq!(inventory.warnings.len(), n_warnings, "{:?}", inventory.warnings);
    assert_eq!(inventory.files.len(), files.len());
    inventory.warnings
}

#[test]
fn single_files_are_models_in_the_order_given() {
    let files = [checkpoint("b.safetensors"), checkpoint("a.safetensors")];
    expect(&files, &["b: [0]", "a: [1]"], 0);
}

#[test]
fn entries_describe_their_files() {
    let files = [
        checkpoint("a.safetensors"),
        gram_from("g.safetensors", "somewhere"),
        other("config.json", Outcome::Other),
        other("x.safetensors", Outcome::Bad(Error::input("the file is empty"))),
        header("t.safetensors", &["pixels"], &[4, 4], &[("gramerge_heldout", "1")]),
        header("h.safetensors", &["a"], &[2, 3], &[("gram_format", "1")]),
        header("i.safetensors", &["a"], &[3, 3], &[("gram_format", "2")]),
        other("x/notes.txt", Outcome::Other),
    ];
    let inventory = inventory(&files);
    let kinds: Vec<_> = inventory.files.iter().map(|file| file.kind).collect();
    use FileKind::{Bad, Checkpoint, Companion, Gram, Heldout, Other};
    assert_eq!(kinds, [Checkpoint, Gram, Companion, Bad, Heldout, Bad, Bad, Other]);
    let first = &inventory.files[0];
    assert_eq!((first.n_tensors, first.n_parameters), (1, 6));
    assert_eq!(first.dtypes, ["F32"]);
    assert_eq!(inventory.files[1].source.as_deref(), Some("somewhere"));
    assert_eq!(inventory.files[5].error.as_ref().unwrap().file.as_deref(), Some("h.safetensors"));
    let sentence = "A file cannot be used. `x.safetensors`: the file is empty.";
    assert!(inventory.warnings.iter().any(|w| w == sentence), "{:?}", inventory.warnings);
}

#[test]
fn folders_name_models_whose_files_have_the_same_name() {
    let files = [
        checkpoint("x/even/model.safetensors"),
        checkpoint("x/odd/model.safetensors"),
        checkpoint("x/best.safetensors"),
    ];
    expect(&files, &["even: [0]", "odd: [1]", "best: [2]"], 0);
    let files = [checkpoint("x/a/m.safetensors"), checkpoint("y/a/m.safetensors")];
    expect(&files, &["x/a/m.safetensors: [0]", "y/a/m.safetensors: [1]"], 0);
}

#[test]
fn shards_form_one_model() {
    let one = "a/model-00001-of-00002.safetensors";
    let two = "a/model-00002-of-00002.safetensors";
    let map = [("s", &one[2..]), ("t", &two[2..])];
    let listed = index("a/model.safetensors.index.json", &map);
    let files = [shard(two, "t"), listed.clone(), shard(one, "s"), checkpoint("b.safetensors")];
    expect(&files, &["model: [0, 2] + 1", "b: [3]"], 0);
    expect(&[shard(two, "t"), shard(one, "s")], &["model: [1, 0]"], 0);

    let warnings = expect(&[shard(two, "t")], &["model: [0]"], 1);
    assert!(warnings[0].contains("`model-00001-of-00002`"), "{warnings:?}");
    let warnings = expect(&[shard(two, "t"), listed.clone()], &["model: [0] + 1"], 1);
    assert!(warnings[0].contains("missing: `model-00001-of-00002.safetensors`"), "{warnings:?}");
    let warnings = expect(&[listed], &[], 1);
    assert!(warnings[0].contains("2 of its shards are missing"), "{warnings:?}");
    let warnings = expect(&[shard(two, "t"), shard(one, "t")], &["model: [1, 0]"], 1);
    assert!(warnings[0].contains("tensor `t`"), "{warnings:?}");
}

#[test]
fn shards_in_different_folders_do_not_mix() {
    let name = |folder: &str, n: u32| format!("{folder}/model-0000{n}-of-00002.safetensors");
    let files = [
        shard(&name("a", 1), "s"),
        shard(&name("b", 1), "s"),
        shard(&name("a", 2), "t"),
        shard(&name("b", 2), "t"),
        gram("b/gram.safetensors"),
        gram("a/gram.safetensors"),
    ];
    expect(&files, &["a: [0, 2] ~ 5", "b: [1, 3] ~ 4"], 0);
}

#[test]
fn names_pair_gram_files_with_models() {
    let heaps = [
        ["a.safetensors", "b.safetensors", "b.gram.safetensors", "a.gram.safetensors"],
        ["model_a.safetensors", "model_b.safetensors", "gram_b.safetensors", "gram_a.safetensors"],
        ["modelA.safetensors", "modelB.safetensors", "gramB.safetensors", "gramA.safetensors"],
        [
            "run1.safetensors",
            "run2.safetensors",
            "grams-run2.safetensors",
            "grams-run1.safetensors",
        ],
        ["x-sst.safetensors", "x-cola.safetensors", "g/x-cola.safetensors", "g/x-sst.safetensors"],
        ["a/m.safetensors", "b/m.safetensors", "grams/b.safetensors", "grams/a.safetensors"],
        ["t.safetensors", "t-large.safetensors", "t-large.gram.st", "t.gram.st"],
    ];
    for [first, second, gram_second, gram_first] in heaps {
        let files = [checkpoint(first), checkpoint(second), gram(gram_second), gram(gram_first)];
        let inventory = inventory(&files);
        let grams: Vec<_> = inventory.suggestion.models.iter().map(|model| model.gram).collect();
        assert_eq!(grams, [Some(3), Some(2)], "{first}: {:?}", inventory.warnings);
        assert_eq!(inventory.warnings, Vec::<String>::new(), "{first}");
    }
}

#[test]
fn the_better_name_wins_whatever_the_order() {
    let files = [
        checkpoint("sst.safetensors"),
        checkpoint("other.safetensors"),
        gram("sst-first-try.gram.safetensors"),
        gram("sst.gram.safetensors"),
    ];
    let warnings = expect(&files, &["sst: [0] ~ 3", "other: [1] ~ 2"], 1);
    assert!(warnings[0].contains("`sst-first-try.gram.safetensors` belongs"), "{warnings:?}");
}

#[test]
fn a_source_weighs_more_than_a_name() {
    let files = [
        checkpoint("a.safetensors"),
        checkpoint("b.safetensors"),
        gram_from("a.gram.safetensors", "1000 images through b.safetensors"),
        gram_from("b.gram.safetensors", "1000 images through a.safetensors"),
    ];
    expect(&files, &["a: [0] ~ 3", "b: [1] ~ 2"], 0);
}

#[test]
fn a_name_weighs_more_than_being_alone_in_a_folder() {
    let files =
        [checkpoint("x/a.safetensors"), checkpoint("b.safetensors"), gram("a.gram.safetensors")];
    expect(&files, &["a: [0] ~ 2", "b: [1]"], 0);
}

#[test]
fn order_is_the_last_resort_and_comes_with_a_warning() {
    let (a, b) = (checkpoint("a.safetensors"), checkpoint("b.safetensors"));
    let (one, two) = (gram("one.safetensors"), gram("two.safetensors"));
    let files = [a.clone(), b.clone(), one.clone(), two];
    let warnings = expect(&files, &["a: [0] ~ 2", "b: [1] ~ 3"], 2);
    assert!(warnings[0].contains("`one.safetensors` belongs to `a`"), "{warnings:?}");
    let warnings = expect(&[a, b, one], &["a: [0]", "b: [1]"], 1);
    assert!(warnings[0].contains("fits no model"), "{warnings:?}");
}

#[test]
fn oddities_are_named() {
    let warnings = expect(&[gram("g.safetensors")], &[], 1);
    assert!(warnings[0].contains("waits for its model"), "{warnings:?}");
    let twice = [checkpoint("a.safetensors"), checkpoint("a.safetensors")];
    let warnings = expect(&twice, &["a.safetensors: [0]", "a.safetensors: [1]"], 1);
    assert!(warnings[0].contains("more than once"), "{warnings:?}");
    let warnings = expect(&[checkpoint("a.gram.safetensors")], &["a.gram: [0]"], 1);
    assert!(warnings[0].contains("counts as a checkpoint"), "{warnings:?}");
    let warnings = expect(&[header("e.safetensors", &[], &[], &[])], &["e: [0]"], 1);
    assert!(warnings[0].contains("no tensors"), "{warnings:?}");
    expect(&[], &[], 0);
}

#[test]
fn contradictions_are_told_and_agreement_is_not() {
    let model = |name: &str, path: &str| (name.to_owned(), vec![path.to_owned()]);
    let models = [model("even", "even/model.safetensors"), model("odd", "odd/model.safetensors")];
    let ask = |path: &str, source, at| gram_contradicts(&models, path, source, at);
    assert_eq!(ask("even.gram.safetensors", None, 0), None);
    let told = ask("even.gram.safetensors", None, 1).unwrap();
    assert!(told.contains("used for `odd`, but its name points to `even`"), "{told}");
    assert_eq!(ask("even.gram.safetensors", Some("odd/model.safetensors"), 1), None);
    let told = ask("gram.safetensors", Some("run over odd/model.safetensors"), 0).unwrap();
    assert!(told.contains("its source points to `odd`"), "{told}");
    assert_eq!(ask("gram.safetensors", None, 0), None);
    assert_eq!(ask("gram.safetensors", Some("images of odd-toed animals"), 0), None);
    assert_eq!(ask("gram.safetensors", Some("model.safetensors"), 0), None);
    assert_eq!(ask("gram.safetensors", None, 7), None);
}

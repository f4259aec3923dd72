//! The page's types against the messages that really cross: every field of every message is in
//! `www/protocol.d.ts`, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use gramerge::Error;
use gramerge::checkpoint::inventory::{FileEntry, FileKind, GramEvidence, SelectedModel};
use gramerge::checkpoint::pattern::Line;
use gramerge::checkpoint::{Inventory, Selection};
use gramerge::methods::{self, Kind, Values};
use gramerge::plan::Plan;
use gramerge::plan::lineage::{Kinship, Lineage, MovedLayer};
use gramerge::plan::{Action, Counts, Estimate, Group, PlannedTensor, Rule, UnmatchedGram};
use gramerge::protocol::{OpenedFile, Opening, Progress};
use gramerge::recipe::Keep;
use gramerge::recipe::{Filtered, Options, Scope, Setting};
use gramerge::report::Report;
use gramerge::report::{SolvePath, SolveReport, TensorReport, WrittenFile};
use gramerge::sample::{Accuracy, Evaluation, Example};
use serde_json::{Value, json};

const TYPES: &str = include_str!("../www/protocol.d.ts");

type Fields = BTreeSet<String>;

/// Interface name to its field names.
fn interfaces(types: &str) -> BTreeMap<String, Fields> {
    let mut found = BTreeMap::new();
    let mut current: Option<(String, Fields)> = None;
    for line in types.lines() {
        if let Some(rest) = line.strip_prefix("export interface ") {
            let name = rest.split([' ', '{']).next().unwrap_or_default();
            current = Some((name.into(), Fields::new()));
        } else if line == "}" {
            found.extend(current.take());
        } else if let Some((_, fields)) = &mut current
            && let Some((field, _)) = line.trim().split_once(':')
        {
            fields.insert(field.trim_end_matches('?').into());
        }
    }
    found
}

fn fields(value: &Value) -> Fields {
    value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

fn example<T: serde::Serialize>(value: T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// One example of each type that crosses.
fn examples() -> Vec<(&'static str, Value)> {
    let error = Error::input("x").file("f").tensor("t").advice("a");
    let file = FileEntry {
        path: String::new(),
        size_bytes: 0,
        kind: FileKind::Bad,
        n_tensors: 0,
        n_parameters: 0,
        dtypes: Vec::new(),
        source: None,
        error: None,
    };
    let solve = SolveReport {
        path: SolvePath::F32,
        kernels: String::new(),
        condition: 1.0,
        error_estimate: 0.0,
        residual: 0.0,
        n_dead_features: 0,
        n_iterations: 0,
        floor: 0.0,
        missed: None,
        fault: None,
    };
    let tensor = TensorReport {
        name: String::new(),
        action: String::new(),
        distances: Vec::new(),
        solve: None,
        note: None,
    };
    let written = WrittenFile { name: String::new(), len_bytes: 0, sha256: String::new() };
    let report = Report {
        version: String::new(),
        kernels: String::new(),
        options: Options::default(),
        recipe: String::new(),
        models: Vec::new(),
        tensors: Vec::new(),
        worst_error_estimate: 0.0,
        warnings: Vec::new(),
        written_bytes: 0,
        files: Vec::new(),
        elapsed_millis: 0.0,
        n_workers: 1,
    };
    let accuracy = Accuracy { name: String::new(), n_correct: 0, n_correct_per_class: Vec::new() };
    let kinship = Kinship { models: [0, 1], distance: 0.0, cosine: None };
    let lineage = Lineage { n_tensors: 0, pairs: Vec::new(), base: None, layers: Vec::new() };
    let group = Group { rule: 0, gram_names: Vec::new(), n_in: 1, tensors: Vec::new() };
    let opened = OpenedFile { name: String::new(), start_bytes: 0, len_bytes: 0 };
    let opening = Opening {
        solves: Vec::new(),
        files: Vec::new(),
        index: None,
        n_workers: 1,
        n_helpers: Vec::new(),
    };
    let scope = Scope { model: Some(0), layers: Some(0..1), ..Scope::default() };
    let filtered = Filtered { filter: Some(String::new()), value: Box::new(Setting::Value(0.0)) };
    let rule = Rule { method: String::new(), values: Values::default() };
    let param = methods::find("average").map(|spec| spec.params[0]);
    assert_eq!(param.map(|param| param.kind), Some(Kind::Switch), "a kind without fields");
    vec![
        ("ErrorData", example(error)),
        ("FileEntry", example(file)),
        ("SelectedModel", example(SelectedModel::default())),
        ("Selection", example(Selection::default())),
        ("Inventory", example(Inventory::default())),
        ("Keep", example(Keep { pattern: String::new(), model: 0 })),
        ("Options", example(Options::default())),
        ("Layers", example(0..1_u64)),
        ("Scope", example(scope)),
        ("Filtered", example(filtered)),
        ("Method", example(methods::find("slerp"))),
        ("NamedParam", example(param)),
        ("Rule", example(rule)),
        ("Group", example(group)),
        ("UnmatchedGram", example(UnmatchedGram { model: 0, name: String::new() })),
        ("Estimate", example(Estimate::default())),
        ("Line", example(Line { pattern: String::new(), tensors: Vec::new() })),
        ("Kinship", example(kinship)),
        ("MovedLayer", example(MovedLayer { name: String::new(), distance: 0.0 })),
        ("Lineage", example(lineage)),
        ("Plan", example(Plan::default())),
        ("SolveReport", example(solve)),
        ("TensorReport", example(tensor)),
        ("WrittenFile", example(written)),
        ("Report", example(report)),
        ("Accuracy", example(accuracy)),
        ("Example", example(Example { pixels: vec![], label: 0, answers: vec![] })),
        ("Evaluation", example(Evaluation::default())),
        ("Progress", example(Progress::default())),
        ("Opening", example(opening)),
        ("OpenedFile", example(opened)),
    ]
}

/// Types of the page that differ from the messages, by name.
fn differences(types: &str) -> Vec<String> {
    let declared = interfaces(types);
    let differs = |(name, value): (&str, Value)| {
        let mut own = fields(&value);
        // A message's or a parameter's tag is part of the union, not of the struct.
        let mut theirs = declared.get(name).cloned().unwrap_or_default();
        theirs.remove("type");
        own.remove("type");
        if name == "NamedParam" {
            own.remove("kind");
        }
        (own != theirs).then(|| format!("{name}: Rust {own:?}, page {theirs:?}"))
    };
    examples().into_iter().filter_map(differs).collect()
}

#[test]
fn the_pages_types_are_the_messages() {
    assert_eq!(differences(TYPES), Vec::<String>::new());
}

#[test]
fn a_planted_difference_is_seen() {
    assert!(!differences(&TYPES.replace("size_bytes", "size")).is_empty());
}

/// The tags of unions are spelled in the page as they cross.
#[test]
fn tags_are_spelled_alike() {
    let planned = |action| PlannedTensor {
        name: String::new(),
        shape: Vec::new(),
        dtypes: Vec::new(),
        dtype_out: gramerge::tensor::Dtype::BF16,
        action,
    };
    let why = String::new;
    let tensors = [
        Action::Regress { group: 0, orientation: gramerge::tensor::Orientation::OutIn },
        Action::Combine { rule: 0, why: why() },
        Action::Copy { why: why() },
        Action::Keep { model: 1 },
        Action::Refuse { why: why() },
    ];
    let tensors: Vec<PlannedTensor> = tensors.map(planned).into();
    let crossed = example(Plan { tensors, ..Plan::default() });
    let declared = interfaces(TYPES).remove("PlannedTensor").unwrap_or_default();
    let seen: Fields =
        crossed["tensors"].as_array().into_iter().flatten().flat_map(fields).collect();
    assert_eq!(declared, seen);
    assert_eq!(crossed["tensors"][0]["dtype_out"], json!("BF16"));
    for tensor in crossed["tensors"].as_array().into_iter().flatten() {
        let action = tensor["action"].to_string();
        assert!(action == "\"combine\"" || TYPES.contains(&action), "{action}");
    }
    for param in methods::TABLE.iter().flat_map(|spec| spec.params) {
        let kind = example(param)["kind"].to_string();
        assert!(TYPES.contains(&format!("kind: {kind}")), "{kind}");
    }
    let errors = [
        Error::input("x"),
        Error::usage("x"),
        Error::io("x"),
        Error::numeric("x"),
        Error::device("x"),
        Error::memory("x"),
        Error::internal("x"),
    ];
    for error in errors {
        let kind = example(error)["kind"].to_string();
        assert!(
            TYPES.contains(&format!("{kind};")) || TYPES.contains(&format!("{kind} |")),
            "{kind}"
        );
    }
    use GramEvidence::{Chosen, Fingerprint, Folder, Name, Order, Source};
    for evidence in [Fingerprint, Folder, Source, Name, Order, Chosen] {
        assert!(TYPES.contains(&example(evidence).to_string()), "{evidence:?}");
    }
    assert_eq!(example(Counts::default()).as_object().map(|counts| counts.len()), Some(5));
}

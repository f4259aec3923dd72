//! Every method against what mergekit's own program (0.1.5) writes for the same recipe and models.
//!
//! `tests/data/mergekit` has the recipes, the models and the answers.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod common;
#[path = "methods/dare.rs"]
mod dare;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::Memory;
use gramerge::checkpoint::{Model, Models};
use gramerge::engine::CpuEngines;
use gramerge::format::TensorFile;
use gramerge::methods;
use gramerge::methods::regmean::Alone;
use gramerge::plan::needs;
use gramerge::recipe::{Options, Recipe, read};
use gramerge::run::Merge;
use gramerge::tensor::Dtype;
use gramerge::tensor::dtype::decode;
use gramerge::verify::{Verified, verify};
use gramerge::{Error, Result};
use pollster::block_on;

/// Recipes that are refused here, and a part of the reason.
const REFUSED: [(&str, &str); 2] =
    [("linear-mixed", "choose an output dtype"), ("ties-density-0", "density is 2")];
/// Units of the output's precision by which answers may differ, relative to what an element is made of.
const UNITS: f64 = 8.0;
/// Units where a small divisor makes more of every rounding: rows go 50 times as far as their mean.
const AMPLIFIED: [(&str, f64); 2] = [("model-stock-2-filter-wise", 400.0), ("model-stock", 64.0)];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mergekit")
}

fn open(path: &Path) -> TensorFile<Memory> {
    let bytes = std::fs::read(path).unwrap();
    block_on(TensorFile::open(Memory::new(path.display().to_string(), bytes))).unwrap()
}

fn model(path: &str) -> Model<Memory> {
    Model::new(path, vec![open(&folder().join("recipes").join(path))], None).unwrap()
}

fn recipe(name: &str) -> Recipe {
    let text = std::fs::read(folder().join(format!("recipes/{name}.yaml"))).unwrap();
    read(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn begin(recipe: &Recipe) -> Result<Merge<Memory>> {
    let options = recipe.options();
    let models = recipe.models.iter().map(|own| model(&own.path)).collect();
    let base = recipe.base.as_deref().map(model);
    Merge::new(needs::arrange(options.spec()?, models, base)?, options)
}

fn run(merge: &Merge<Memory>) -> Result<TensorFile<Memory>> {
    let mut bytes = Vec::new();
    block_on(merge.write_headers(&mut bytes))?;
    for job in 0..merge.jobs().len() {
        block_on(merge.run_job(&CpuEngines::default(), job, &Alone, &mut bytes))?;
    }
    block_on(TensorFile::open(Memory::new("merged.safetensors", bytes)))
}

fn values(file: &TensorFile<Memory>, name: &str) -> Option<(Dtype, Vec<f64>)> {
    let info = file.header.get(name)?;
    Some((info.dtype, decode(info.dtype, &block_on(file.read(info)).ok()?)))
}

/// ε of a dtype: the distance from 1 to the next number.
fn epsilon(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F16 => 2f64.powi(-10),
        Dtype::BF16 => 2f64.powi(-7),
        _ => 2f64.powi(-23),
    }
}

/// Σ of the magnitudes that each element of a tensor may be made of.
fn sizes(merge: &Merge<Memory>, name: &str) -> Vec<f64> {
    let inputs = merge.models().list.iter().chain(&merge.models().base);
    let mut sizes: Vec<f64> = Vec::new();
    for input in inputs {
        let (file, info) = input.require(name).unwrap();
        let own = decode(info.dtype, &block_on(file.read(info)).unwrap());
        sizes.resize(own.len(), 0.0);
        sizes.iter_mut().zip(own).for_each(|(sum, value)| *sum += value.abs());
    }
    sizes
}

/// The largest distance from mergekit's answer, in units, and how many elements were compared.
fn distance(name: &str, change: impl Fn(Dtype, &mut f64)) -> (f64, usize) {
    let merge = begin(&recipe(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let merged = run(&merge).unwrap_or_else(|error| panic!("{name}: {error}"));
    let expected = open(&folder().join(format!("expected/{name}.safetensors")));
    assert_eq!(merged.header.tensors.len(), expected.header.tensors.len(), "{name}");
    let (mut worst, mut n) = (0.0, 0);
    for info in &expected.header.tensors {
        let (dtype, mut found) = values(&merged, &info.name).unwrap();
        let (dtype_due, due) = values(&expected, &info.name).unwrap();
        assert_eq!(dtype, dtype_due, "{name}: {}", info.name);
        found.iter_mut().for_each(|value| change(dtype, value));
        for ((found, due), size) in found.iter().zip(&due).zip(sizes(&merge, &info.name)) {
            let units = (found - due).abs() / (epsilon(dtype) * size.max(1e-30));
            worst = if units <= worst { worst } else { units };
            n += 1;
        }
    }
    (worst, n)
}

fn names() -> Vec<String> {
    let stem = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> =
        std::fs::read_dir(folder().join("recipes")).unwrap().map(stem).collect();
    names.sort();
    names
}

fn is_refused(name: &str) -> bool {
    REFUSED.iter().any(|(refused, _)| *refused == name)
}

fn is_random(name: &str) -> bool {
    name.starts_with("dare")
}

fn limit(name: &str) -> f64 {
    AMPLIFIED.iter().find(|(part, _)| name.starts_with(part)).map_or(UNITS, |(_, units)| *units)
}

#[test]
fn answers_are_mergekits() {
    let mut wrong = BTreeMap::new();
    for name in names().into_iter().filter(|name| !is_random(name)) {
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            let error = begin(&recipe(&name)).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
            continue;
        }
        let (units, n) = distance(&name, |_, _| {});
        assert_eq!(n, 2504, "{name}");
        if units > limit(&name) {
            wrong.insert(name, units);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_planted_difference_is_seen() {
    for name in names().iter().filter(|name| !is_random(name) && !is_refused(name)) {
        let (units, _) =
            distance(name, |dtype, value| *value *= 1.0 + 20.0 * limit(name) * epsilon(dtype));
        assert!(units > limit(name), "{name}: {units}");
    }
}

#[test]
fn every_recipe_verifies() {
    for name in names().iter().filter(|name| !is_refused(name)) {
        let merge = begin(&recipe(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let out = Model::new("out", vec![run(&merge).unwrap()], None).unwrap();
        let verified = block_on(verify(&merge, &out, &CpuEngines::default().double)).unwrap();
        assert!(verified.iter().all(Verified::is_within), "{name}");
        assert_eq!(verified.len(), merge.plan().tensors.len(), "{name}");
    }
}

#[test]
fn the_document_is_the_tables() {
    let written = include_str!("../METHODS.md");
    let is_same = written == methods::document();
    assert!(is_same, "write it again: cargo run -- methods --markdown > METHODS.md");
}

#[test]
fn needs_are_told() {
    let refused = |method: &str, n: usize, base: bool| -> Error {
        let paths = ["a", "b", "c"].map(|name| format!("../models/{name}.safetensors"));
        let models = paths[..n].iter().map(|path| model(path)).collect();
        let base = base.then(|| model("../models/base.safetensors"));
        let options = Options::of(method);
        let models = options.spec().and_then(|spec| needs::arrange(spec, models, base));
        models.and_then(|models| Merge::new(models, options)).unwrap_err()
    };
    for (method, n, base, what) in [
        ("ties", 2, false, "needs the model that all were fine-tuned from"),
        ("average", 2, true, "takes no base model"),
        ("average", 1, false, "only one model"),
        ("slerp", 3, false, "merges 2 models, not 3"),
        ("model_stock", 1, true, "only one model"),
        ("tys", 2, false, "there is no method `tys`"),
    ] {
        let error = refused(method, n, base).to_string();
        assert!(error.contains(what), "{method}: {error}");
    }
}

//! The cases in a browser's workers.

use std::path::PathBuf;

use gramerge_bench::bert::{Found, largest_group_bytes, total_flops};
use gramerge_bench::case::{self, Work};
use gramerge_bench::layer::PRECISIONS;
use serde_json::{Map, Value, json};

use super::native::found_fields;
use super::record::{Book, Record, Runs, Where};
use super::tab::Tab;
use super::{Result, average, machine};

const MEASURE_MILLIS: f64 = 1500.0;
const N_WORKERS: usize = 2;
/// What the page would choose, and what it falls back to.
pub(crate) const BEST: &str = "relaxed";
const PLAIN: &str = "simd128";
/// Allowed beside three times the largest layer group.
const MEMORY_SLACK_BYTES: u64 = 64 << 20;

pub(crate) fn run(book: &mut Book) -> Result<()> {
    book.note(&machine::describe());
    let mut tab = Tab::open(&folder());
    book.note(&tab.about()?);
    cases(book, &mut tab)?;
    merges(book, &mut tab)?;
    drop(tab); // its memory, before files are read through the disk cache
    average::run(book, &folder())
}

fn merges(book: &mut Book, tab: &mut Tab) -> Result<()> {
    for k in [2, 4] {
        for (precision, _) in PRECISIONS {
            let case = format!("bert-k{k}-{precision}");
            if book.wants(&case) {
                let merged = merge(tab, k, precision)?;
                book.add(merge_record(case, k, &[merged]));
            }
        }
    }
    Ok(())
}

/// Where the measuring page was built.
pub(crate) fn folder() -> PathBuf {
    gramerge_browser_tests::place("GRAMERGE_BENCH")
}

fn cases(book: &mut Book, tab: &mut Tab) -> Result<()> {
    for name in case::names() {
        if !book.wants(&name) {
            continue;
        }
        one(book, tab, BEST, &name, 1)?;
        if name.starts_with("gemm") || name.starts_with("peak") {
            one(book, tab, BEST, &name, N_WORKERS)?;
        }
        if !name.starts_with("layer") {
            one(book, tab, PLAIN, &name, 1)?;
        }
    }
    Ok(())
}

fn one(book: &mut Book, tab: &mut Tab, kernels: &str, name: &str, workers: usize) -> Result<()> {
    let runs = case_runs(tab, kernels, name, workers, MEASURE_MILLIS)?;
    book.add(Record::of_rounds(name, Where::Web, &[runs]));
    Ok(())
}

/// Runs a case for so long on so many workers at once.
pub(crate) fn case_runs(
    tab: &mut Tab,
    kernels: &str,
    name: &str,
    workers: usize,
    millis: f64,
) -> Result<Runs> {
    let answer = tab.ask(&json!({
        "type": "case", "kernels": kernels, "workers": workers, "name": name, "millis": millis,
    }))?;
    let kernels = answer["workers"][0]["kernels"].as_str().unwrap_or(kernels).into();
    let workers: Result<_> = array(&answer["workers"]).map(worker_runs).collect();
    Ok(Runs { kernels, workers: workers? })
}

fn worker_runs(worker: &Value) -> Result<(Vec<f64>, Work)> {
    let seconds = array(&worker["seconds"]).filter_map(Value::as_f64).collect();
    Ok((seconds, read(&worker["work"])?))
}

/// One merge in the tab.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) seconds: f64,
    found: Found,
    memory_bytes: Vec<u64>,
    kernels: String,
}

pub(crate) fn merge(tab: &mut Tab, k: usize, precision: &str) -> Result<Merged> {
    let answer = tab.ask(&json!({
        "type": "merge", "kernels": BEST, "workers": N_WORKERS, "models": k, "held": 4,
        "precision": precision,
    }))?;
    let mut merged = Merged {
        seconds: answer["seconds"].as_f64().unwrap_or(f64::NAN),
        found: Found::default(),
        memory_bytes: Vec::new(),
        kernels: answer["shares"][0]["kernels"].as_str().unwrap_or_default().into(),
    };
    for share in array(&answer["shares"]) {
        merged.found.add(&read(&share["found"])?);
        merged.memory_bytes.push(share["memory_bytes"].as_u64().unwrap_or(0));
    }
    Ok(merged)
}

pub(crate) fn merge_record(case: String, k: usize, merges: &[Merged]) -> Record {
    let seconds: Vec<f64> = merges.iter().map(|merge| merge.seconds).collect();
    let last = &merges[merges.len() - 1];
    let mut more = Map::new();
    more.insert("workers".into(), N_WORKERS.into());
    more.insert("gflops".into(), json!(total_flops(k) / super::record::median(&seconds) / 1e9));
    found_fields(&last.found, &mut more);
    more.insert("memory_bytes".into(), json!(last.memory_bytes));
    let bound = 3 * largest_group_bytes(k) + MEMORY_SLACK_BYTES;
    more.insert("memory_bound_bytes".into(), json!(bound));
    Record { case, at: Where::Web, kernels: last.kernels.clone(), seconds, more }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T> {
    serde_json::from_value(value.clone()).map_err(|error| format!("a strange answer: {error}"))
}

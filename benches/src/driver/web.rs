//! The cases in a browser's workers.

use std::path::PathBuf;

use gramerge_bench::bert::{Found, largest_group_bytes, total_flops};
use gramerge_bench::case::{self, Work};
use gramerge_bench::layer::PRECISIONS;
use serde_json::{Map, Value, json};

use super::native::found_fields;
use super::record::{Book, Record, Where};
use super::tab::Tab;
use super::{Result, average, machine};

const MEASURE_MILLIS: f64 = 1500.0;
const N_WORKERS: usize = 2;
/// What the page would choose, and what it falls back to.
pub(crate) const BEST: &str = "relaxed";
const PLAIN: &str = "simd128";
/// Allowed beside three times the largest layer group.
const MEMORY_SLACK_BYTES: u64 = 64 << 20;

/// Who runs a case.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Team {
    /// So many workers at once, each a run of its own: their rates add up.
    Each(usize),
    /// So many workers, the same run together.
    Together(usize),
}

impl Team {
    pub(crate) fn n_workers(self) -> usize {
        match self {
            Self::Each(n) | Self::Together(n) => n,
        }
    }
}

/// One round of one case.
#[derive(Debug)]
pub(crate) struct Runs {
    pub(crate) kernels: String,
    pub(crate) team: Team,
    /// Of each worker; one for all where they work together.
    pub(crate) clocks: Vec<(Vec<f64>, Work)>,
}

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
        one(book, tab, BEST, &name, Team::Each(1))?;
        if name.starts_with("gemm") || name.starts_with("peak") {
            one(book, tab, BEST, &name, Team::Each(N_WORKERS))?;
        }
        match name.starts_with("layer") {
            true => one(book, tab, BEST, &name, Team::Together(N_WORKERS))?,
            false => one(book, tab, PLAIN, &name, Team::Each(1))?,
        }
    }
    Ok(())
}

fn one(book: &mut Book, tab: &mut Tab, kernels: &str, name: &str, team: Team) -> Result<()> {
    let runs = case_runs(tab, kernels, name, team, MEASURE_MILLIS)?;
    book.add(Record::of_rounds(name, Where::Web, &[runs]));
    Ok(())
}

/// Runs a case for so long.
pub(crate) fn case_runs(
    tab: &mut Tab,
    kernels: &str,
    name: &str,
    team: Team,
    millis: f64,
) -> Result<Runs> {
    let how = match team {
        Team::Each(_) => "case",
        Team::Together(_) => "shared",
    };
    let answer = tab.ask(&json!({
        "type": how, "kernels": kernels, "workers": team.n_workers(), "name": name, "millis": millis,
    }))?;
    let kernels = answer["workers"][0]["kernels"].as_str().unwrap_or(kernels).into();
    let clocks: Result<_> = array(&answer["workers"]).map(clock_runs).collect();
    Ok(Runs { kernels, team, clocks: clocks? })
}

fn clock_runs(clock: &Value) -> Result<(Vec<f64>, Work)> {
    let seconds = array(&clock["seconds"]).filter_map(Value::as_f64).collect();
    Ok((seconds, read(&clock["work"])?))
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

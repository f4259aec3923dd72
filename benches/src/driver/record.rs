//! One line per case.

use gramerge_bench::case::Work;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::cpu;
use super::web::Runs;

/// Where a case ran.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Where {
    Native,
    Web,
}

/// What took turns with something else: every turn's seconds, and processor seconds where known.
#[derive(Debug, Default, Clone)]
pub(crate) struct Turns {
    pub(crate) seconds: Vec<f64>,
    cpu: Vec<f64>,
}

impl Turns {
    /// Takes a turn that began at this processor time.
    pub(crate) fn take(&mut self, seconds: f64, before: Option<f64>) {
        self.seconds.push(seconds);
        if let (Some(before), Some(after)) = (before, cpu::seconds()) {
            self.cpu.push(after - before);
        }
    }

    pub(crate) fn median_s(&self) -> f64 {
        median(&self.seconds)
    }

    pub(crate) fn cpu_s(&self) -> Option<f64> {
        (!self.cpu.is_empty()).then(|| median(&self.cpu))
    }

    /// Its record, for so many operations a turn.
    pub(crate) fn record(&self, case: &str, at: Where, kernels: &str, flops: f64) -> Record {
        let mut more = Map::new();
        more.insert("gflops".into(), json!(flops / self.median_s() / 1e9));
        more.insert("best_gflops".into(), json!(flops / least(&self.seconds) / 1e9));
        if let Some(cpu_s) = self.cpu_s() {
            more.insert("cpu_s".into(), json!(cpu_s));
        }
        let seconds = self.seconds.clone();
        Record { case: case.into(), at, kernels: kernels.into(), seconds, more }
    }
}

/// What is known about the runs of one case.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) case: String,
    pub(crate) at: Where,
    pub(crate) kernels: String,
    pub(crate) seconds: Vec<f64>,
    /// Rates and whatever else belongs to the case.
    pub(crate) more: Map<String, Value>,
}

impl Record {
    /// One record for the same case on several workers at once: their rates add up.
    pub(crate) fn of_workers(
        name: &str,
        at: Where,
        kernels: &str,
        runs: &[(Vec<f64>, Work)],
    ) -> Self {
        let seconds: Vec<f64> = runs.iter().flat_map(|(seconds, _)| seconds.clone()).collect();
        let rate = |amount: fn(&Work) -> Option<f64>, time: fn(&[f64]) -> f64| -> Option<f64> {
            runs.iter().map(|(seconds, work)| Some(amount(work)? / time(seconds))).sum()
        };
        let work = runs.first().map(|(_, work)| work.clone()).unwrap_or_default();
        let mut more = Map::new();
        more.insert("workers".into(), runs.len().into());
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                more.insert(key.into(), value);
            }
        };
        let giga = |rate: f64| json!(rate / 1e9);
        put("gflops", rate(|work| work.flops, median).map(giga));
        // Of the fastest run: nearer to what the kernel can do where others use the machine too.
        put("best_gflops", rate(|work| work.flops, least).map(giga));
        put("bytes_per_s", rate(|work| work.bytes, median).map(|rate| json!(rate)));
        put("path", work.path.map(Value::from));
        put("error_estimate", work.error_estimate.map(Value::from));
        put("condition", work.condition.map(Value::from));
        Self { case: name.into(), at, kernels: kernels.into(), seconds, more }
    }

    /// One record for several rounds of the same case: all runs of each clock count.
    pub(crate) fn of_rounds(name: &str, at: Where, rounds: &[Runs]) -> Self {
        let mut runs = Vec::new();
        let (mut kernels, mut n_workers) = ("", 0);
        for round in rounds {
            (kernels, n_workers) = (&round.kernels, round.team.n_workers());
            runs.resize(round.clocks.len(), (Vec::new(), Work::default()));
            for ((all, last), (seconds, work)) in runs.iter_mut().zip(&round.clocks) {
                all.extend(seconds);
                *last = work.clone();
            }
        }
        let mut record = Self::of_workers(name, at, kernels, &runs);
        record.more.insert("workers".into(), n_workers.into());
        record
    }

    pub(crate) fn median_s(&self) -> f64 {
        median(&self.seconds)
    }

    pub(crate) fn best_s(&self) -> f64 {
        least(&self.seconds)
    }

    /// A figure that belongs to the case.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.more.get(key)?.as_f64()
    }

    fn to_json(&self) -> Value {
        let sorted = sorted(&self.seconds);
        let mut line = Map::new();
        line.insert("case".into(), self.case.clone().into());
        line.insert("where".into(), json!(self.at));
        line.insert("kernels".into(), self.kernels.clone().into());
        line.insert("median_s".into(), self.median_s().into());
        line.insert("min_s".into(), sorted.first().copied().into());
        line.insert("max_s".into(), sorted.last().copied().into());
        line.insert("runs".into(), sorted.len().into());
        line.extend(self.more.clone());
        line.into()
    }
}

fn sorted(seconds: &[f64]) -> Vec<f64> {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The middle; the mean of the two middle ones where their number is even.
pub(crate) fn median(seconds: &[f64]) -> f64 {
    let sorted = sorted(seconds);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

/// The smallest.
pub(crate) fn least(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Everything measured so far.
#[derive(Debug)]
pub(crate) struct Book {
    filter: String,
    pub(crate) records: Vec<Record>,
    pub(crate) ratios: Vec<Value>,
    pub(crate) notes: Vec<Value>,
}

impl Book {
    pub(crate) fn new(filter: &str) -> Self {
        Self { filter: filter.into(), records: Vec::new(), ratios: Vec::new(), notes: Vec::new() }
    }

    /// Whether a case is asked for.
    pub(crate) fn wants(&self, case: &str) -> bool {
        case.contains(&self.filter)
    }

    /// Prints a line and keeps it.
    pub(crate) fn add(&mut self, record: Record) {
        println!("{}", record.to_json());
        eprintln!("  {:<34} {:<18} {}", record.case, record.kernels, figures(&record));
        self.records.push(record);
    }

    /// Prints a line that is no case.
    pub(crate) fn note(&mut self, line: &Value) {
        println!("{line}");
        eprintln!("{line}");
        if !self.notes.contains(line) {
            self.notes.push(line.clone());
        }
    }

    /// Prints how something compares.
    pub(crate) fn ratio(&mut self, line: Value) {
        println!("{line}");
        let verdict = match line["met"].as_bool() {
            Some(true) => format!("goal {} met", line["goal"]),
            Some(false) => format!("goal {} MISSED", line["goal"]),
            None => String::new(),
        };
        let value = line["value"].as_f64().unwrap_or(f64::NAN);
        eprintln!("  {:<50} {value:8.2}  {verdict}", line["ratio"].as_str().unwrap_or_default());
        self.ratios.push(line);
    }
}

fn figures(record: &Record) -> String {
    let number = |key: &str| record.number(key);
    let mut text = format!("{:9.4} s", record.median_s());
    if let Some(rate) = number("gflops") {
        text += &format!(" {rate:8.1} GFLOP/s");
    }
    if let Some(rate) = number("best_gflops") {
        text += &format!(" (best {rate:.1})");
    }
    if let Some(rate) = number("bytes_per_s") {
        text += &format!(" {:8.0} MB/s", rate / 1e6);
    }
    if let Some(workers) = number("workers").filter(|workers| *workers > 1.0) {
        text += &format!("  on {workers}");
    }
    for key in ["path", "paths", "worst_error", "memory_bytes", "memory_bound_bytes"] {
        if let Some(value) = record.more.get(key) {
            text += &format!("  {key} {value}");
        }
    }
    text
}

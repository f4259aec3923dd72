//! The results as a page of Markdown, `benches/results.md`: written by a run of everything.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::Result;
use super::record::{Book, Record, Where};

const HEAD: &str = "\
| case | where | kernels | workers | median s | best s | GFLOP/s | best | of 128-bit peak | MB/s | remarks |
|---|---|---|---|---|---|---|---|---|---|---|
";

/// Writes the file beside this package's sources.
pub(crate) fn write(book: &Book) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results.md");
    std::fs::write(&path, page(book)).map_err(|e| format!("cannot write results.md: {e}"))
}

fn page(book: &Book) -> String {
    let mut text = String::from("# Results\n\nWritten by `cargo xtask bench`.\n\n");
    for note in &book.notes {
        let _ = writeln!(text, "    {note}");
    }
    text += "\n## Ratios\n\n| what | value | goal | met |\n|---|---|---|---|\n";
    for ratio in &book.ratios {
        let cell = |key: &str| plain(&ratio[key]);
        let (what, value) = (cell("ratio"), ratio["value"].as_f64().unwrap_or(f64::NAN));
        let _ = writeln!(text, "| {what} | {value:.2} | {} | {} |", cell("goal"), cell("met"));
    }
    let _ = write!(text, "\n## Cases\n\n{HEAD}");
    for record in &book.records {
        text += &row(book, record);
    }
    text
}

fn row(book: &Book, record: &Record) -> String {
    let number = |value: Option<f64>, digits: usize| {
        value.map_or(String::new(), |value| format!("{value:.digits$}"))
    };
    let workers = record.number("workers");
    let best = record.number("best_gflops");
    let share = peak(book, record).and_then(|peak| Some(format!("{:.0} %", 100.0 * best? / peak)));
    let at = if record.at == Where::Web { "tab" } else { "native" };
    let cells = [
        record.case.clone(),
        at.into(),
        record.kernels.clone(),
        number(workers, 0),
        number(Some(record.median_s()), 4),
        number(Some(record.best_s()), 4),
        number(record.number("gflops"), 1),
        number(best, 1),
        share.unwrap_or_default(),
        number(record.number("bytes_per_s").map(|rate| rate / 1e6), 0),
        remarks(record),
    ];
    format!("| {} |\n", cells.join(" | "))
}

/// What as many workers could do at most with 128-bit registers, as measured natively.
fn peak(book: &Book, record: &Record) -> Option<f64> {
    let scalar = ["f32", "f64"].into_iter().find(|scalar| record.case.ends_with(scalar));
    // A layer's case names its precision; what it took is in its path.
    let path = record.more.get("path").and_then(Value::as_str);
    let case = format!("peak-128-{}", scalar.or(path)?);
    let is_peak = |peak: &&Record| peak.case == case && peak.at == Where::Native;
    let one = book.records.iter().find(is_peak)?.number("best_gflops")?;
    Some(one * record.number("workers").unwrap_or(1.0))
}

fn remarks(record: &Record) -> String {
    const KEYS: [&str; 8] = [
        "path",
        "paths",
        "error_estimate",
        "worst_error",
        "worst_condition",
        "cpu_s",
        "memory_bytes",
        "memory_bound_bytes",
    ];
    let remark = |key: &&str| Some(format!("{key} {}", plain(record.more.get(*key)?)));
    KEYS.iter().filter_map(remark).collect::<Vec<_>>().join(", ")
}

/// A value without JSON's marks, and with few digits.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "**no**".into(),
        Value::Number(number) if number.is_f64() => match number.as_f64().unwrap_or(f64::NAN) {
            value if (0.01..1000.0).contains(&value) => format!("{value:.2}"),
            value => format!("{value:.1e}"),
        },
        other => other.to_string().replace(['"', '{', '}'], ""),
    }
}

//! The cases on a graphics card, natively: beside what the card can do at most, and beside cuBLAS and
//! cuSOLVER where PyTorch finds the card too.

use std::path::Path;
use std::process::Command;

use gramerge::backend::gpu::Gpu;
use gramerge_bench::gpu::{self, CardCase, Named};
use pollster::block_on;
use serde_json::{Value, json};

use super::Result;
use super::native::timed_runs;
use super::record::{Book, Record, Turns, Where};

/// Of the card's peak, at this size.
const GEMM_GOAL: (usize, f64) = (4096, 0.6);

/// All cases that are wanted and that the card is fast enough for.
pub(super) fn run(book: &mut Book) -> Result<()> {
    let wanted: Vec<Named> =
        Named::all().into_iter().filter(|name| book.wants(&name.to_string())).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let card = match block_on(gpu::open()) {
        Ok(card) => card,
        Err(error) => {
            eprintln!("the graphics card is left out: {error}");
            return Ok(());
        }
    };
    for name in wanted {
        match name.suits(card.flops_per_second()) {
            true => one(book, &card, name)?,
            false => eprintln!("{name} is left out: one run would take this card seconds"),
        }
    }
    beside_peak(book);
    if block_on(gpu::is_real()) { beside_cuda(book) } else { Ok(()) }
}

fn one(book: &mut Book, card: &Gpu, name: Named) -> Result<()> {
    let text = name.to_string();
    let said = |error: gramerge::Error| error.to_string();
    let mut case = block_on(CardCase::on(card.clone(), name)).map_err(said)?;
    let kernels = case.card();
    let runs = timed_runs(
        &mut case,
        |case| block_on(case.renew()).map_err(said),
        |case| block_on(case.run()).map_err(said),
    )?;
    book.add(Record::of_workers(&text, Where::Native, &kernels, &[runs]));
    Ok(())
}

fn rate(book: &Book, case: &str) -> Option<f64> {
    book.records.iter().find(|record| record.case == case)?.number("gflops")
}

/// The products as shares of the best rate of arithmetic alone.
fn beside_peak(book: &mut Book) {
    let peaks = [512, 4096].map(|n| rate(book, &format!("gpu-peak-{n}")));
    let Some(peak) = peaks.into_iter().flatten().reduce(f64::max) else { return };
    for n in [1024, 3072, 4096] {
        let Some(own) = rate(book, &format!("gpu-gemm-{n}")) else { continue };
        let value = own / peak;
        let goal = (n == GEMM_GOAL.0).then_some(GEMM_GOAL.1);
        let met = goal.map(|goal| value >= goal);
        let what = format!("gpu-gemm-{n} / peak");
        book.ratio(json!({ "ratio": what, "value": value, "goal": goal, "met": met }));
    }
}

/// What PyTorch measures, and how ours compares.
fn beside_cuda(book: &mut Book) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/cuda.py");
    let output = Command::new("python3").arg(script).output();
    let output = output.map_err(|error| format!("python3 did not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let Some(about) = lines.next() else {
        eprintln!("cuBLAS and cuSOLVER are left out: there is no PyTorch that finds the card");
        return Ok(());
    };
    book.note(&json!({ "pytorch": about }));
    for line in lines {
        cuda_case(book, &line);
    }
    Ok(())
}

fn cuda_case(book: &mut Book, line: &Value) {
    let Some(case) = line["case"].as_str() else { return };
    let Some(ours) = book.records.iter().find(|record| record.case == case).cloned() else {
        return;
    };
    let seconds = line["seconds"].as_array().into_iter().flatten().filter_map(Value::as_f64);
    let mut theirs = Turns::default();
    theirs.seconds.extend(seconds);
    let amount = ours.number("gflops").unwrap_or(f64::NAN) * 1e9 * ours.median_s();
    book.add(theirs.record(&format!("{case}-cuda"), Where::Native, "PyTorch", amount));
    let value = theirs.median_s() / ours.median_s();
    let what = format!("{case} / cuda, speed");
    book.ratio(json!({ "ratio": what, "value": value, "goal": null, "met": null }));
}

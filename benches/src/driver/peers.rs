//! Beside other software, in turns, so that whatever slows the machine slows everybody.

use serde_json::{Map, Value, json};

use super::record::{Book, Record, Where, median};
use super::tab::Tab;
use super::torch::Torch;
use super::web::{BEST, Merged, folder, merge, merge_record, one};
use super::{Result, cpu, machine};

const ROUNDS: usize = 3;
const MEASURE_MILLIS: f64 = 1500.0;
const GEMM: usize = 960;

pub(crate) fn run(book: &mut Book) -> Result<()> {
    book.note(&machine::describe());
    let mut tab = Tab::open_isolated(&folder())?;
    book.note(&tab.about()?);
    kernels(book, &mut tab)?;
    if book.wants("bert-k2") {
        match Torch::start() {
            Ok(torch) => merges(book, &mut tab, torch)?,
            Err(sentence) => eprintln!("PyTorch is left out: {sentence}"),
        }
    }
    Ok(())
}

/// One thing measured in turns: every round's seconds, and processor seconds where known.
#[derive(Debug, Default)]
struct Turns {
    seconds: Vec<f64>,
    cpu: Vec<f64>,
}

impl Turns {
    fn take(&mut self, seconds: f64, before: Option<f64>) {
        self.seconds.push(seconds);
        if let (Some(before), Some(after)) = (before, cpu::seconds()) {
            self.cpu.push(after - before);
        }
    }
}

/// jax-js and TensorFlow.js, where they were fetched.
fn kernels(book: &mut Book, tab: &mut Tab) -> Result<()> {
    let gemm = format!("gemm-{GEMM}");
    if book.wants(&gemm) {
        one(book, tab, BEST, &format!("{gemm}-f32"), 2)?;
        let ours = book.last_number("gflops");
        for peer in ["jax", "tfjs"] {
            let theirs = measure(book, tab, peer, "gemm", GEMM, 2.0 * (GEMM as f64).powi(3))?;
            let goal = (peer == "jax").then_some(2.2);
            ratio(book, &format!("{gemm} two workers / {peer}, GFLOP/s"), ours, theirs, goal, true);
        }
    }
    if book.wants("layer-768-768") {
        one(book, tab, BEST, "layer-768-768-fast", 1)?;
        let ours = book.last_number("gflops");
        let n = 768;
        let theirs = measure(book, tab, "jax", "layer", n, gramerge_bench::layer::flops(n, n, 2))?;
        ratio(book, "layer 768-768 one worker / jax, speed", ours, theirs, Some(14.0), true);
    }
    Ok(())
}

/// One case of another library; its rate, or nothing if the library is not there.
fn measure(
    book: &mut Book,
    tab: &mut Tab,
    peer: &str,
    name: &str,
    n: usize,
    flops: f64,
) -> Result<Option<f64>> {
    if !folder().join("packages").join(peer).is_dir() {
        eprintln!("{peer} is left out: its package could not be fetched from npm");
        return Ok(None);
    }
    let answer = tab.ask(&json!({
        "type": "peer", "peer": peer, "name": name, "n": n, "millis": MEASURE_MILLIS,
    }))?;
    let seconds: Vec<f64> =
        answer["seconds"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let rate = flops / median(&seconds) / 1e9;
    let mut more = Map::new();
    more.insert("gflops".into(), json!(rate));
    if let Some(threads) = answer["threads"].as_u64() {
        more.insert("threads".into(), threads.into());
    }
    let kernels = format!("{peer} wasm");
    book.add(Record { case: format!("{name}-{n}-{peer}"), at: Where::Web, kernels, seconds, more });
    Ok(Some(rate))
}

/// The tab and PyTorch in turns.
fn merges(book: &mut Book, tab: &mut Tab, mut torch: Torch) -> Result<()> {
    book.note(&json!({ "pytorch": torch.about }));
    let ways = ["authors", "difference"];
    let precisions = ["fast", "auto"];
    let mut theirs = [Turns::default(), Turns::default()];
    let mut ours = [Turns::default(), Turns::default()];
    let mut merged: [Vec<Merged>; 2] = Default::default();
    // Makes the input, and lets both compile what they compile.
    merge(tab, 2, "fast")?;
    for _ in 0..ROUNDS {
        for index in 0..2 {
            let before = cpu::seconds();
            let seconds = torch.run(ways[index])?;
            theirs[index].take(seconds, before);
            let before = cpu::seconds();
            let one = merge(tab, 2, precisions[index])?;
            ours[index].take(one.seconds, before);
            merged[index].push(one);
        }
    }
    for (index, turns) in theirs.iter().enumerate() {
        book.add(turns_record(&format!("bert-k2-pytorch-{}", ways[index]), turns));
    }
    for (index, turns) in ours.iter().enumerate() {
        let mut record = merge_record(format!("bert-k2-{}", precisions[index]), 2, &merged[index]);
        record.more.insert("cpu_s".into(), json!(median(&turns.cpu)));
        book.add(record);
        let goal = [0.45, 0.75][index];
        let named = |of: &str| format!("bert-k2-{} / authors, {of}", precisions[index]);
        let times = |turns: &Turns| Some(median(&turns.seconds));
        let cpus = |turns: &Turns| (!turns.cpu.is_empty()).then(|| median(&turns.cpu));
        ratio(book, &named("time"), times(turns), times(&theirs[0]), Some(goal), false);
        ratio(book, &named("processor time"), cpus(turns), cpus(&theirs[0]), None, false);
    }
    Ok(())
}

fn turns_record(case: &str, turns: &Turns) -> Record {
    let mut more = Map::new();
    more.insert("cpu_s".into(), json!(median(&turns.cpu)));
    let (kernels, seconds) = ("PyTorch".into(), turns.seconds.clone());
    Record { case: case.into(), at: Where::Native, kernels, seconds, more }
}

/// ours / theirs beside its goal: at least it where `more_is_better`, else at most.
fn ratio(
    book: &mut Book,
    what: &str,
    ours: Option<f64>,
    theirs: Option<f64>,
    goal: Option<f64>,
    more_is_better: bool,
) {
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
    let ratio = ours / theirs;
    let met = goal.map(|goal| if more_is_better { ratio >= goal } else { ratio <= goal });
    book.ratio(json!({ "ratio": what, "value": ratio, "goal": goal, "met": met }));
}

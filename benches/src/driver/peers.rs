//! Beside other software, in turns, so that whatever slows the machine slows everybody.

use gramerge_bench::layer::flops;
use serde_json::{Value, json};

use super::record::{Book, Record, Turns, Where};
use super::tab::Tab;
use super::torch::Torch;
use super::web::{BEST, Merged, Team, case_runs, folder, merge, merge_record};
use super::{Result, cpu, machine};

const ROUNDS: usize = 3;
const MEASURE_MILLIS: f64 = 1000.0;
const GEMM: usize = 960;
const LAYER: usize = 768;

pub(crate) fn run(book: &mut Book) -> Result<()> {
    book.note(&machine::describe());
    let mut tab = Tab::open_isolated(&folder())?;
    book.note(&tab.about()?);
    libraries(book, &mut tab, "threads")?;
    if book.wants("bert-k2") {
        match Torch::start() {
            Ok(torch) => merges(book, &mut tab, torch)?,
            Err(sentence) => eprintln!("PyTorch is left out: {sentence}"),
        }
    }
    drop(tab);
    // As on a host that sends no special headers, which is all that gramerge needs.
    let mut tab = Tab::open(&folder());
    libraries(book, &mut tab, "plain")?;
    on_card(book, &mut tab)
}

/// jax-js on the graphics card, or on the browser's software for one, beside ours.
fn on_card(book: &mut Book, tab: &mut Tab) -> Result<()> {
    let cube = |n: usize| (n as f64).powi(3);
    let cases = [
        ("gemm", 512, 2.0 * cube(512), 1.0),
        ("cholesky", 512, cube(512) / 3.0, 10.0),
        ("layer", 384, flops(384, 384, 2), 20.0),
    ];
    for (name, n, amount, goal) in cases {
        let case = format!("gpu-{name}-{n}");
        if !book.wants(&case) {
            continue;
        }
        let (mut ours, mut theirs) = (Vec::new(), Turns::default());
        for _ in 0..ROUNDS {
            ours.push(case_runs(tab, "gpu", &case, Team::Each(1), MEASURE_MILLIS)?);
            if is_there("jax") {
                theirs.seconds.extend(peer_seconds(tab, ("jax", "webgpu"), name, n)?);
            }
        }
        let record = Record::of_rounds(&case, Where::Web, &ours);
        let rate = record.number("gflops");
        book.add(record);
        if !theirs.seconds.is_empty() {
            let record = theirs.record(&format!("{case}-jax"), Where::Web, "jax webgpu", amount);
            let their_rate = record.number("gflops");
            book.add(record);
            ratio(book, &format!("{case} / jax webgpu, speed"), rate, their_rate, Some(goal), true);
        }
    }
    Ok(())
}

/// What other libraries can do too, in a tab where they have threads or in a plain one.
fn libraries(book: &mut Book, tab: &mut Tab, tab_name: &str) -> Result<()> {
    let gemm = format!("gemm-{GEMM}-f32");
    if book.wants(&gemm) {
        let amount = 2.0 * (GEMM as f64).powi(3);
        let ours = [(Team::Each(2), Some(2.2))];
        let work = Common { case: &gemm, ours: &ours, name: "gemm", n: GEMM, amount };
        beside(book, tab, tab_name, &work, &["jax", "tfjs"])?;
    }
    let layer = format!("layer-{LAYER}-{LAYER}-fast");
    if book.wants(&layer) {
        let amount = flops(LAYER, LAYER, 2);
        // The goal is for all workers: so many the product has.
        let ours = [(Team::Each(1), None), (Team::Together(2), Some(14.0))];
        let work = Common { case: &layer, ours: &ours, name: "layer", n: LAYER, amount };
        beside(book, tab, tab_name, &work, &["jax"])?;
    }
    Ok(())
}

/// A piece of work that other libraries can do too.
struct Common<'a> {
    case: &'a str,
    /// Who of us, and the goal beside jax-js.
    ours: &'a [(Team, Option<f64>)],
    /// Theirs, and its size.
    name: &'a str,
    n: usize,
    /// Operations.
    amount: f64,
}

/// Our teams and other libraries, in turns.
fn beside(
    book: &mut Book,
    tab: &mut Tab,
    tab_name: &str,
    work: &Common<'_>,
    peers: &[&str],
) -> Result<()> {
    let mut ours: Vec<Vec<_>> = work.ours.iter().map(|_| Vec::new()).collect();
    let mut theirs = vec![Turns::default(); peers.len()];
    for _ in 0..ROUNDS {
        for ((team, _), runs) in work.ours.iter().zip(&mut ours) {
            runs.push(case_runs(tab, BEST, work.case, *team, MEASURE_MILLIS)?);
        }
        for (peer, turns) in peers.iter().zip(&mut theirs) {
            if is_there(peer) {
                turns.seconds.extend(peer_seconds(tab, (peer, "wasm"), work.name, work.n)?);
            }
        }
    }
    let ours: Vec<Record> =
        ours.iter().map(|runs| Record::of_rounds(work.case, Where::Web, runs)).collect();
    ours.iter().for_each(|record| book.add(record.clone()));
    for (peer, turns) in peers.iter().zip(&theirs) {
        compare(book, tab_name, work, &ours, (peer, turns));
    }
    Ok(())
}

/// Every team of ours beside one library.
fn compare(
    book: &mut Book,
    tab_name: &str,
    work: &Common<'_>,
    ours: &[Record],
    (peer, turns): (&str, &Turns),
) {
    if turns.seconds.is_empty() {
        return eprintln!("{peer} is left out: its package could not be fetched from npm");
    }
    let (case, kernels) = (work.case, format!("{peer} wasm, {tab_name} tab"));
    let theirs = turns.record(&format!("{case}-{peer}"), Where::Web, &kernels, work.amount);
    let rate = theirs.number("gflops");
    book.add(theirs);
    for ((team, goal), record) in work.ours.iter().zip(ours) {
        let what = format!("{case} on {} / {peer}, {tab_name} tab, speed", team.n_workers());
        let goal = goal.filter(|_| peer == "jax");
        ratio(book, &what, record.number("gflops"), rate, goal, true);
    }
}

fn is_there(peer: &str) -> bool {
    folder().join("packages").join(peer).is_dir()
}

fn peer_seconds(
    tab: &mut Tab,
    (peer, device): (&str, &str),
    name: &str,
    n: usize,
) -> Result<Vec<f64>> {
    let answer = tab.ask(&json!({
        "type": "peer", "peer": peer, "device": device, "name": name, "n": n, "millis": MEASURE_MILLIS,
    }))?;
    Ok(answer["seconds"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect())
}

/// The tab and PyTorch in turns.
fn merges(book: &mut Book, tab: &mut Tab, mut torch: Torch) -> Result<()> {
    book.note(&json!({ "pytorch": torch.about }));
    let ways = ["authors", "difference"];
    let precisions = [("fast", 0.45), ("auto", 0.75)];
    let mut theirs = vec![Turns::default(); 2];
    let mut ours = vec![Turns::default(); 2];
    let mut merged: [Vec<Merged>; 2] = Default::default();
    // Makes the input, and lets the browser compile what it compiles.
    merge(tab, 2, "fast")?;
    for _ in 0..ROUNDS {
        for index in 0..2 {
            let before = cpu::seconds();
            theirs[index].take(torch.run(ways[index])?, before);
            let before = cpu::seconds();
            let one = merge(tab, 2, precisions[index].0)?;
            ours[index].take(one.seconds, before);
            merged[index].push(one);
        }
    }
    drop(torch);
    for (way, turns) in ways.iter().zip(&theirs) {
        let case = format!("bert-k2-pytorch-{way}");
        book.add(turns.record(
            &case,
            Where::Native,
            "PyTorch",
            gramerge_bench::bert::total_flops(2),
        ));
    }
    for (index, (precision, goal)) in precisions.into_iter().enumerate() {
        let mut record = merge_record(format!("bert-k2-{precision}"), 2, &merged[index]);
        record.more.insert("cpu_s".into(), json!(ours[index].cpu_s()));
        book.add(record);
        let named = |of: &str| format!("bert-k2-{precision} / authors, {of}");
        let (mine, them) = (&ours[index], &theirs[0]);
        ratio(
            book,
            &named("time"),
            Some(mine.median_s()),
            Some(them.median_s()),
            Some(goal),
            false,
        );
        ratio(book, &named("processor time"), mine.cpu_s(), them.cpu_s(), None, false);
    }
    Ok(())
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
    let value = ours / theirs;
    let met = goal.map(|goal| if more_is_better { value >= goal } else { value <= goal });
    book.ratio(json!({ "ratio": what, "value": value, "goal": goal, "met": met }));
}

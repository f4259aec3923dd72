//! The cases on this machine's own kernels.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gramerge_bench::bert::{Bert, Found, Held, Tensor, total_flops};
use gramerge_bench::case::{self, Work};
use gramerge_bench::layer::PRECISIONS;
use serde_json::{Map, json};

use super::record::{Book, Record, Where};
use super::{Result, card, machine};

const WARM_UP: Duration = Duration::from_millis(300);
const MEASURE: Duration = Duration::from_millis(1500);
const MIN_RUNS: usize = 3;
const MAX_RUNS: usize = 200;
const N_WORKERS: usize = 2;

pub(crate) fn run(book: &mut Book) -> Result<()> {
    book.note(&machine::describe());
    for name in case::names() {
        if book.wants(&name) {
            one(book, &name, 1)?;
            if name.starts_with("gemm") || name.starts_with("peak") {
                one(book, &name, N_WORKERS)?;
            }
        }
    }
    card::run(book)?;
    merges(book)
}

/// One case on so many threads at once.
fn one(book: &mut Book, name: &str, n_workers: usize) -> Result<()> {
    let barrier = Barrier::new(n_workers);
    let runs: Result<Vec<_>> = std::thread::scope(|scope| {
        let start = |_| scope.spawn(|| measure(name, &barrier));
        let threads: Vec<_> = (0..n_workers).map(start).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread died")?).collect()
    });
    book.add(Record::of_workers(name, Where::Native, case::kernels(), &runs?));
    Ok(())
}

fn measure(name: &str, barrier: &Barrier) -> Result<(Vec<f64>, Work)> {
    let mut ready = case::prepare(name);
    barrier.wait();
    let run = ready.as_mut().ok_or_else(|| format!("no case `{name}` here"))?;
    timed_runs(run, |_| Ok(()), |run| run().map_err(|error| error.to_string()))
}

/// Every run's seconds, after a while of unmeasured ones; `renew` is not measured.
pub(super) fn timed_runs<C>(
    case: &mut C,
    mut renew: impl FnMut(&mut C) -> Result<()>,
    mut run: impl FnMut(&mut C) -> Result<Work>,
) -> Result<(Vec<f64>, Work)> {
    let mut timed = || {
        renew(case)?;
        let start = Instant::now();
        let work = run(case)?;
        Ok::<_, String>((start.elapsed().as_secs_f64(), work))
    };
    let warm = Instant::now() + WARM_UP;
    let (_, mut last) = timed()?;
    while Instant::now() < warm {
        timed()?;
    }
    let end = Instant::now() + MEASURE;
    let mut seconds = Vec::new();
    while seconds.len() < MAX_RUNS && (seconds.len() < MIN_RUNS || Instant::now() < end) {
        let (elapsed, work) = timed()?;
        seconds.push(elapsed);
        last = work;
    }
    Ok((seconds, last))
}

fn merges(book: &mut Book) -> Result<()> {
    let name = |k: usize, precision: &str| format!("bert-k{k}-{precision}");
    let wanted = |k| PRECISIONS.iter().any(|(precision, _)| book.wants(&name(k, precision)));
    let Some(most) = [4, 2].into_iter().find(|k| wanted(*k)) else { return Ok(()) };
    let held: BTreeMap<Tensor, Held> = Tensor::share(most, 0, 1)
        .into_iter()
        .map(|tensor| (tensor, Held::new(tensor.make())))
        .collect();
    for k in [2, 4] {
        for (precision, value) in PRECISIONS {
            let case = name(k, precision);
            if book.wants(&case) {
                let bert = Bert::new(&held, k, value).map_err(|error| error.to_string())?;
                merge(book, case, k, &bert)?;
            }
        }
    }
    Ok(())
}

/// Threads take jobs from a counter, as the command line's do.
fn merge(book: &mut Book, case: String, k: usize, bert: &Bert) -> Result<()> {
    let jobs = bert.jobs(0, 1);
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let found: Result<Vec<Found>> = std::thread::scope(|scope| {
        let work = || {
            let mut found = Found::default();
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                found.add(&bert.run(*job).map_err(|error| error.to_string())?);
            }
            Ok(found)
        };
        let threads: Vec<_> = (0..N_WORKERS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread died")?).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut all = Found::default();
    found?.iter().for_each(|found| all.add(found));
    let mut more = Map::new();
    more.insert("workers".into(), N_WORKERS.into());
    more.insert("gflops".into(), json!(total_flops(k) / seconds / 1e9));
    found_fields(&all, &mut more);
    let kernels = case::kernels().into();
    book.add(Record { case, at: Where::Native, kernels, seconds: vec![seconds], more });
    Ok(())
}

pub(super) fn found_fields(found: &Found, more: &mut Map<String, serde_json::Value>) {
    more.insert("paths".into(), json!(found.paths));
    more.insert("worst_error".into(), json!(found.worst_error));
    more.insert("worst_condition".into(), json!(found.worst_condition));
}

//! `gramerge merge`: threads take jobs until none is left, and write their own part of the output.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use gramerge::engine::{Engine, kernels};
use gramerge::io::Sink;
use gramerge::io::native::FileSource;
use gramerge::merge::Report;
use gramerge::merge::regmean::Alone;
use gramerge::merge::run::{JobOutcome, Merge, Run};
use gramerge::{Error, Result, printable};
use pollster::block_on;

use crate::args;
use crate::inputs;
use crate::output::{Unfinished, bytes, json, to_json};
use crate::plan::summary;

pub(crate) fn run(args: &args::Merge) -> Result<ExitCode> {
    let start = Instant::now();
    let merge = Merge::new(inputs::models(&args.inputs)?, args.settings.options())?;
    if !args.json {
        println!("{}", summary(merge.plan()));
    }
    let engine = block_on(Engine::open(merge.options().device))?;
    let output = Unfinished::create(&args.output, args.force)?;
    block_on(output.writer().write_at(0, merge.layout().header_bytes().to_vec()))?;
    let n_workers = workers(args, merge.jobs().len());
    let outcomes = jobs(&merge, &engine, &output, n_workers)?;
    output.finish()?;
    let elapsed_millis = start.elapsed().as_secs_f64() * 1e3;
    let run = Run { kernels: kernels(), elapsed_millis, n_workers };
    tell(args, &merge.report(&outcomes, run))?;
    Ok(ExitCode::SUCCESS)
}

fn workers(args: &args::Merge, n_jobs: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.map_or(cores, usize::from).min(n_jobs).max(1)
}

fn jobs(
    merge: &Merge<FileSource>,
    engine: &Engine,
    output: &Unfinished,
    n_workers: usize,
) -> Result<Vec<JobOutcome>> {
    let queue = Queue::new(merge.jobs().len());
    std::thread::scope(|scope| {
        for _ in 0..n_workers {
            scope.spawn(|| queue.work(merge, engine, output));
        }
    });
    queue.finish()
}

/// Jobs in order, and what became of them.
struct Queue {
    next: AtomicUsize,
    done: AtomicUsize,
    stop: AtomicBool,
    outcomes: Mutex<Vec<Option<Result<JobOutcome>>>>,
}

impl Queue {
    fn new(n_jobs: usize) -> Self {
        let outcomes = Mutex::new((0..n_jobs).map(|_| None).collect());
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { next, done, stop: AtomicBool::new(false), outcomes }
    }

    fn work(&self, merge: &Merge<FileSource>, engine: &Engine, output: &Unfinished) {
        let mut writer = output.writer();
        while !self.stop.load(Ordering::Relaxed) {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = merge.jobs().get(index) else { return };
            let outcome = block_on(merge.run_job(engine, index, &Alone, &mut writer));
            let outcome = outcome.and_then(|done| done.ok_or_else(handed_back));
            if outcome.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(done, merge, job.tensor(merge.plan()));
            if let Ok(mut outcomes) = self.outcomes.lock() {
                outcomes[index] = Some(outcome);
            }
        }
    }

    /// All outcomes, or the first failure.
    fn finish(self) -> Result<Vec<JobOutcome>> {
        let outcomes = self.outcomes.into_inner();
        let outcomes = outcomes.map_err(|_| Error::device("a thread stopped in the middle"))?;
        let mut finished = Vec::new();
        for outcome in outcomes.into_iter().flatten() {
            finished.push(outcome?);
        }
        Ok(finished)
    }
}

/// The threads' engine is the only one.
fn handed_back() -> Error {
    Error::device("a layer was left to another engine")
}

/// One line that is written over, on a terminal only.
fn progress(done: usize, merge: &Merge<FileSource>, tensor: usize) {
    if std::io::stderr().is_terminal() {
        let name = printable(&merge.plan().tensors[tensor].name);
        let end = if done == merge.jobs().len() { "\n" } else { "" };
        eprint!("\r\x1b[K{done}/{} {name}{end}", merge.jobs().len());
    }
}

fn tell(args: &args::Merge, report: &Report) -> Result<()> {
    if let Some(path) = &args.report {
        std::fs::write(path, to_json(report)?)
            .map_err(|error| Error::io(format!("{error}")).file(path.display().to_string()))?;
    }
    if args.json {
        return json(report);
    }
    for warning in &report.warnings {
        eprintln!("warning: {warning}");
    }
    println!(
        "wrote {} ({}) in {:.1} s; worst estimated error {:.1e}",
        args.output.display(),
        bytes(report.written_bytes),
        report.elapsed_millis / 1e3,
        report.worst_error_estimate
    );
    Ok(())
}

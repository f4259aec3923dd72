//! `gramerge merge`: threads take jobs until none is left, and write their own part of the output.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use gramerge::engine::{Engine, kernels};
use gramerge::methods::regmean::Alone;
use gramerge::recipe::Options;
use gramerge::report::Report;
use gramerge::run::{Job, JobOutcome, Merge, Run};
use gramerge::{Error, Result, printable};
use pollster::block_on;

use crate::args;
use crate::asked::asked;
use crate::companions::pass_through;
use crate::inputs;
use crate::output::{self, bytes, json};
use crate::plan::summary;
use crate::progress::{Progress, Watched};
use crate::report_file::{self, ReportFile};
use crate::stop;
use crate::unfinished::Unfinished;

pub(crate) fn run(args: &args::Merge) -> Result<ExitCode> {
    let start = Instant::now();
    let asked = asked(&args.inputs, &args.settings)?;
    let args = &args::Merge { inputs: asked.inputs.clone(), ..args.clone() };
    let shard_size = args.shard_size.clone().or_else(|| asked.options.shard_size.clone());
    let options = Options { shard_size, ..asked.options.clone() };
    let (parent, is_folder) = (parent(args)?, is_folder(args, &options));
    report_file::check(args, is_folder)?;
    let models = inputs::models(&asked)?;
    let merge = Merge::new(models, options)?;
    if !args.json {
        println!("{}", summary(merge.plan()));
        output::check()?;
    }
    let engine = block_on(Engine::open(merge.options().device))?;
    stop::watch()?;
    let spared = report_file::spared(args)?;
    let output = match is_folder {
        true => Unfinished::folder(&args.output, &spared, merge.layout())?,
        false => Unfinished::file(&args.output, args.force, &spared, merge.layout())?,
    };
    let report_file = ReportFile::begin(args, is_folder, &spared)?;
    if let (true, Some(parent)) = (is_folder, parent) {
        pass_through(parent, &output)?;
    }
    block_on(merge.write_headers(&mut output.writer()))?;
    let n_workers = workers(args, merge.jobs().len());
    let outcomes = jobs(&merge, &engine, &output, n_workers)?;
    block_on(merge.check_inputs())?;
    let files = output.digests()?;
    let elapsed_millis = start.elapsed().as_secs_f64() * 1e3;
    let run = Run { kernels: kernels(), elapsed_millis, n_workers };
    let report = Report { files, ..merge.report(&outcomes, run)? };
    report_file.write(&report, &output)?;
    output.finish()?;
    report_file.publish()?;
    tell(args, &report)?;
    output::check().map_err(|error| error.advice("the merge itself is written"))?;
    Ok(ExitCode::SUCCESS)
}

/// Shards go into a folder; so does what is named as one.
fn is_folder(args: &args::Merge, options: &Options) -> bool {
    let last = args.output.as_os_str().as_encoded_bytes().last();
    let has_slash = last.is_some_and(|byte| std::path::is_separator(char::from(*byte)));
    options.shard_size.is_some() || has_slash || args.output.is_dir()
}

/// The model whose other files are passed through.
fn parent(args: &args::Merge) -> Result<Option<&Path>> {
    let models = &args.inputs.models;
    match args.files_from {
        0 => Ok(None),
        n if n <= models.len() => Ok(Some(&models[n - 1])),
        n => Err(Error::usage(format!("--files-from {n}, but there are {} models", models.len()))
            .advice("count models from 1, or give 0 for none")),
    }
}

fn workers(args: &args::Merge, n_jobs: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.map_or(cores, usize::from).min(n_jobs).max(1)
}

fn jobs(
    merge: &Merge<Watched>,
    engine: &Engine,
    output: &Unfinished,
    n_workers: usize,
) -> Result<Vec<JobOutcome>> {
    let queue = Queue::new(merge);
    std::thread::scope(|scope| {
        let work = || queue.work(merge, engine, output);
        // This thread is one of them, so that there is one where no other can be started.
        for _ in 1..n_workers {
            if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    queue.finish()
}

/// Jobs in order, and what became of them.
struct Queue {
    next: AtomicUsize,
    stop: AtomicBool,
    done_cost: Mutex<f64>,
    total_cost: f64,
    progress: Progress,
    outcomes: Mutex<Vec<Option<Result<JobOutcome>>>>,
}

impl Queue {
    fn new(merge: &Merge<Watched>) -> Self {
        let jobs = merge.jobs();
        Self {
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            done_cost: Mutex::new(0.0),
            total_cost: jobs.iter().map(Job::cost).sum(),
            progress: Progress::of_writing(merge.layout().total_bytes()),
            outcomes: Mutex::new(jobs.iter().map(|_| None).collect()),
        }
    }

    fn work(&self, merge: &Merge<Watched>, engine: &Engine, output: &Unfinished) {
        let mut writer = output.writer();
        while !self.stop.load(Ordering::Relaxed) {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = merge.jobs().get(index) else { return };
            let outcome = block_on(merge.run_job(engine, index, &Alone, &mut writer));
            let outcome = outcome.and_then(|done| done.ok_or_else(handed_back));
            if outcome.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            self.done(job.cost(), &merge.plan().tensors[job.tensor()].name);
            if let Ok(mut outcomes) = self.outcomes.lock() {
                outcomes[index] = Some(outcome);
            }
        }
    }

    fn done(&self, cost: f64, name: &str) {
        if let Ok(mut done_cost) = self.done_cost.lock() {
            *done_cost += cost;
            self.progress.done(*done_cost / self.total_cost, name);
        }
    }

    /// All outcomes, or the first failure.
    fn finish(self) -> Result<Vec<JobOutcome>> {
        let outcomes = self.outcomes.into_inner();
        let outcomes = outcomes.map_err(|_| Error::internal("a thread stopped in the middle"))?;
        let mut finished = Vec::new();
        for outcome in outcomes.into_iter().flatten() {
            finished.push(outcome?);
        }
        Ok(finished)
    }
}

/// The threads' engine is the only one.
fn handed_back() -> Error {
    Error::internal("a layer was left to another engine")
}

fn tell(args: &args::Merge, report: &Report) -> Result<()> {
    if args.json {
        return json(report);
    }
    inputs::warn(&report.warnings);
    let is_solved = report.tensors.iter().any(|tensor| tensor.solve.is_some());
    let error = match is_solved {
        true => format!("; worst estimated error {:.1e}", report.worst_error_estimate),
        false => String::new(),
    };
    println!(
        "wrote {} ({}) in {:.1} s{error}",
        printable(&args.output.display().to_string()),
        bytes(report.written_bytes),
        report.elapsed_millis / 1e3,
    );
    for file in &report.files {
        println!("sha256 {}  {}", file.sha256, printable(&file.name));
    }
    Ok(())
}

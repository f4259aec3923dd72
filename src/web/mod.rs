//! What the page's workers call. Thin: it turns messages into calls of the core and back.
//!
//! One [`Engine`] lives in each worker: the coordinating worker's inspects, plans and collects,
//! the computing workers' run jobs. Both open the same files and make the same plan of the same
//! headers, so a job is known by its index alone.

#[cfg(feature = "gpu")]
mod card;
pub mod crew;
pub mod digest;
pub mod memory;
mod message;
mod sink;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::File;

use crate::checkpoint::inventory::FileKind;
use crate::checkpoint::{Library, Model, Models, Selection};
use crate::engine;
use crate::format::{OutputFile, TensorFile};
use crate::io::web::WebFile;
use crate::methods;
use crate::plan::{Plan, needs};
use crate::protocol::{OpenedFile, Opening, Progress, Request, Response};
use crate::recipe::Options;
use crate::run::{Job, JobOutcome, Merge, Run};
use crate::sample::{Evaluation, evaluate};
use crate::{Error, Result};
use crew::{Helpers, WebCrew, arriving};
use message::{failed, from_js, request, to_js};
use sink::{Outlet, Pieces};

/// The core in one worker.
#[wasm_bindgen]
#[derive(Default)]
pub struct Engine {
    library: Library<WebFile>,
    running: Option<Running>,
}

/// A merge and what its jobs have reported.
struct Running {
    merge: Merge<WebFile>,
    solver: engine::Engine,
    outcomes: Vec<Option<JobOutcome>>,
    finished_cost: f64,
    tensors_done: usize,
    /// Tensors that were finished before an interruption.
    n_resumed: usize,
}

#[wasm_bindgen]
impl Engine {
    /// An engine without files.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers every request but `merge`, which takes several workers. `files` travel beside
    /// `inspect`, the merged files beside `evaluate`.
    pub async fn handle(&mut self, request: JsValue, files: Vec<File>) -> JsValue {
        match self.answer(request, files).await {
            Ok(response) => to_js(&response),
            Err(error) => failed(error),
        }
    }

    /// Opens the files of a merge that the coordinating worker has looked at.
    pub async fn reopen(&mut self, paths: Vec<String>, files: Vec<File>) -> Result<(), JsValue> {
        let sources = sources(paths, files).map_err(failed)?;
        self.library = Library::open_headers(sources).await;
        Ok(())
    }

    /// Prepares the merge of a `merge` request: what must be known before jobs are handed out.
    pub fn begin(&mut self, request: JsValue) -> Result<JsValue, JsValue> {
        self.open(request).map(|opening| to_js(&opening)).map_err(failed)
    }

    /// The first bytes of a file of the output.
    pub fn header_bytes(&self, file: usize) -> Result<Uint8Array, JsValue> {
        let layout = self.running().map_err(failed)?.merge.layout();
        let missing = || failed(Error::internal(format!("there is no output file {file}")));
        Ok(Uint8Array::from(layout.files().get(file).ok_or_else(missing)?.layout.header_bytes()))
    }

    /// Runs one job, leading `n_helpers` other workers; its output goes to `outlet`. Answers with
    /// `null` if another worker is to do it.
    pub async fn run_job(
        &self,
        index: usize,
        n_helpers: usize,
        helpers: Helpers,
        outlet: Outlet,
    ) -> Result<JsValue, JsValue> {
        let Running { merge, solver, .. } = self.running().map_err(failed)?;
        let own_rows = match n_helpers {
            0 => None,
            _ => Some(merge.rows(index, n_helpers, 0).map_err(failed)?.len()),
        };
        let crew = WebCrew::new(helpers, own_rows);
        let mut sink = Pieces::new(outlet);
        let outcome = merge.run_job(solver, index, &crew, &mut sink).await;
        let settled = sink.settle().await;
        outcome.and_then(|outcome| settled.map(|()| to_js(&outcome))).map_err(failed)
    }

    /// Computes a helper's rows of a job, `place` counting from 1; `factor` resolves to the
    /// leader's factor, or to nothing where it needs no help.
    pub async fn help_job(
        &self,
        index: usize,
        n_helpers: usize,
        place: usize,
        factor: Promise,
    ) -> Result<Uint8Array, JsValue> {
        let merge = &self.running().map_err(failed)?.merge;
        let rows = merge.rows(index, n_helpers, place).map_err(failed)?;
        let engines = engine::CpuEngines::default();
        let rows = merge.help_job(&engines, index, rows, arriving(factor)).await.map_err(failed)?;
        Ok(Uint8Array::from(&rows[..]))
    }

    /// The `failed` message for a worker that stopped twice at the same job.
    pub fn worker_died(&self, index: usize, why: &str, refused_bytes: f64) -> JsValue {
        match self.running() {
            Ok(running) => failed(running.worker_died(index, why, refused_bytes as u64)),
            Err(error) => failed(error),
        }
    }

    /// Takes a job's outcome; answers with a `progress` message.
    pub fn finish_job(
        &mut self,
        index: usize,
        outcome: JsValue,
        written_bytes: f64,
    ) -> Result<JsValue, JsValue> {
        let outcome = from_js(outcome).map_err(failed)?;
        let running = self.running.as_mut().ok_or_else(|| failed(not_begun()))?;
        let progress = running.finish_job(index, outcome, written_bytes as u64);
        progress.map(|progress| to_js(&Response::Progress(progress))).map_err(failed)
    }

    /// Takes the outcome of a job that was finished before an interruption.
    pub fn resume_job(&mut self, index: usize, outcome: JsValue) -> Result<(), JsValue> {
        let outcome: JobOutcome = from_js(outcome).map_err(failed)?;
        let running = self.running.as_mut().ok_or_else(|| failed(not_begun()))?;
        running.resume_job(index, outcome).map_err(failed)
    }

    /// Checks that every input is still the file that was chosen.
    pub async fn check_inputs(&self) -> Result<(), JsValue> {
        let merge = &self.running().map_err(failed)?.merge;
        merge.check_inputs().await.map_err(failed)
    }

    /// The `done` message, once every job has finished.
    pub fn finish(&self, elapsed_millis: f64, n_workers: usize) -> JsValue {
        match self.report(elapsed_millis, n_workers) {
            Ok(response) => to_js(&response),
            Err(error) => failed(error),
        }
    }
}

impl Engine {
    async fn answer(&mut self, message: JsValue, files: Vec<File>) -> Result<Response> {
        match request(message)? {
            Request::Inspect { paths } => {
                self.library = Library::open(sources(paths, files)?).await;
                let inventory = self.library.inventory();
                Ok(Response::Inventory { inventory, methods: methods::TABLE })
            }
            Request::Plan { selection, options } => {
                let models = self.models(&selection, &options)?;
                models.sample().await;
                Ok(Response::Plan { plan: Plan::make(&models, &options)? })
            }
            Request::Evaluate {} => {
                let evaluation = self.evaluate(files).await?;
                Ok(Response::Accuracy { evaluation })
            }
            Request::Merge { .. } | Request::Save {} | Request::Digest {} => {
                Err(Error::usage("not the engine's to do"))
            }
        }
    }

    fn models(&self, selection: &Selection, options: &Options) -> Result<Models<WebFile>> {
        let base = selection.base.as_ref().map(|base| self.library.model(base)).transpose()?;
        needs::arrange(options.spec()?, self.library.models(selection)?, base)
    }

    fn open(&mut self, message: JsValue) -> Result<Opening> {
        let Request::Merge { selection, options, max_workers } = request(message)? else {
            return Err(Error::usage("only a merge can begin"));
        };
        let merge = Merge::new(self.models(&selection, &options)?, options)?;
        let n_workers = workers(max_workers, &merge);
        let opening = Opening {
            solves: solves(merge.jobs()),
            files: merge.layout().files().iter().map(opened).collect(),
            index: merge.layout().index_json(),
            n_workers,
            n_helpers: merge.helpers(n_workers),
        };
        let outcomes = vec![None; merge.jobs().len()];
        self.running = Some(Running {
            merge,
            solver: engine::Engine::default(),
            outcomes,
            finished_cost: 0.0,
            tensors_done: 0,
            n_resumed: 0,
        });
        Ok(opening)
    }

    fn running(&self) -> Result<&Running> {
        self.running.as_ref().ok_or_else(not_begun)
    }

    fn report(&self, elapsed_millis: f64, n_workers: usize) -> Result<Response> {
        let running = self.running()?;
        let outcomes: Option<Vec<JobOutcome>> = running.outcomes.iter().cloned().collect();
        let outcomes = outcomes.ok_or_else(|| Error::internal("not every job has finished"))?;
        let run = Run { kernels: engine::kernels(), elapsed_millis, n_workers };
        let mut report = running.merge.report(&outcomes, run)?;
        report.warnings.extend(running.resumed());
        Ok(Response::Done { report })
    }

    /// `files` are the merged ones.
    async fn evaluate(&self, files: Vec<File>) -> Result<Evaluation> {
        let missing = || Error::usage("there is no held-out set");
        let inventory = self.library.inventory();
        let heldout = inventory.files.iter().position(|file| file.kind == FileKind::Heldout);
        let heldout = self.library.file(heldout.ok_or_else(missing)?)?;
        let mut merged = Vec::new();
        for file in files {
            merged.push(TensorFile::open(WebFile::new(file.name(), file)?).await?);
        }
        let merged = Model::new("merged", merged, None)?;
        let merge = &self.running()?.merge;
        let models = merge.models();
        let shares = merge.options().normalised_coefficients(models.list.len());
        evaluate(&heldout, models, &shares, &merged).await
    }
}

impl Running {
    fn resume_job(&mut self, index: usize, outcome: JobOutcome) -> Result<()> {
        self.finish_job(index, outcome, 0)?;
        self.n_resumed += self.merge.job(index)?.n_tensors();
        Ok(())
    }

    fn resumed(&self) -> Option<String> {
        let (n, total) = (self.n_resumed, self.merge.plan().tensors.len());
        (n > 0).then(|| {
            format!("{n} of {total} tensors had been merged before an interruption and were kept.")
        })
    }

    /// `outcome` comes from another worker, or from a disk.
    fn finish_job(
        &mut self,
        index: usize,
        outcome: JobOutcome,
        written_bytes: u64,
    ) -> Result<Progress> {
        self.merge.check_outcome(index, &outcome)?;
        let (job, plan) = (self.merge.job(index)?, self.merge.plan());
        self.finished_cost += job.cost();
        self.tensors_done += job.n_tensors();
        self.outcomes[index] = Some(outcome);
        let total_cost: f64 = self.merge.jobs().iter().map(|job| job.cost()).sum();
        Ok(Progress {
            tensors_done: self.tensors_done,
            tensors_total: plan.tensors.len(),
            fraction: if total_cost > 0.0 { self.finished_cost / total_cost } else { 1.0 },
            written_bytes,
            current: plan.tensors[job.tensor()].name.clone(),
        })
    }

    fn worker_died(&self, index: usize, why: &str, refused_bytes: u64) -> Error {
        let plan = self.merge.plan();
        let tensor = match self.merge.job(index) {
            Ok(job) => &plan.tensors[job.tensor()].name,
            Err(error) => return error,
        };
        let needed = plan.estimate.memory_bytes.div_ceil(1_000_000);
        let error = match refused_bytes.div_ceil(1_000_000) {
            0 => Error::internal(format!(
                "a worker stopped twice while it computed this tensor ({why})"
            )),
            refused => Error::memory(format!(
                "the browser twice refused {refused} MB more memory for this tensor; a worker \
                 needs about {needed} MB in all"
            )),
        };
        error.tensor(tensor).advice("close other tabs to free memory, or use the command line")
    }
}

fn sources(paths: Vec<String>, files: Vec<File>) -> Result<Vec<WebFile>> {
    paths.into_iter().zip(files).map(|(path, file)| WebFile::new(path, file)).collect()
}

fn opened(file: &OutputFile) -> OpenedFile {
    let OutputFile { name, start_bytes, layout } = file;
    OpenedFile { name: name.clone(), start_bytes: *start_bytes, len_bytes: layout.total_bytes() }
}

fn solves(jobs: &[Job]) -> Vec<usize> {
    let is_solve = |(index, job): (usize, &Job)| matches!(job, Job::Solve { .. }).then_some(index);
    jobs.iter().enumerate().filter_map(is_solve).collect()
}

/// All workers together should leave the browser room.
const MAX_POOL_BYTES: u64 = 6 << 30;

/// As many workers as are allowed, fit into memory, and have work.
fn workers(allowed: usize, merge: &Merge<WebFile>) -> usize {
    let fitting = MAX_POOL_BYTES / merge.plan().estimate.memory_bytes.max(1);
    let n_workers = allowed.min(fitting as usize).max(1);
    let n_tasks = merge.jobs().len() + merge.helpers(n_workers).iter().sum::<usize>();
    n_workers.min(n_tasks).max(1)
}

fn not_begun() -> Error {
    Error::usage("no merge has begun")
}

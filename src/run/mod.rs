//! Carries out a plan, job by job.
//!
//! A job reads its own inputs and writes its own part of the output, at offsets that the layout
//! fixed beforehand. So jobs may run in any order, on any number of workers, and the bytes are the
//! same. A refused plan has no jobs.

mod element;
mod jobs;
mod outcome;
pub mod sharing;
mod solve;
mod stream;
mod whole;

use std::ops::Range;

pub(crate) use element::Buffers;
pub(crate) use jobs::PIECE_ELEMENTS;
pub use jobs::{Job, LayerSize, Piece};
pub use outcome::{JobOutcome, Run, TensorPart};

use crate::backend::Backend;
use crate::checkpoint::Models;
use crate::format::OutputLayout;
use crate::io::{Sink, Source};
use crate::methods::regmean::crew::{Crew, Payload, Shared, help};
use crate::methods::regmean::{Engines, Solver};
use crate::plan::Plan;
use crate::plan::blocks::Block;
use crate::plan::written;
use crate::recipe::Options;
use crate::{Error, Result};

/// A merge that is ready to run.
#[derive(Debug)]
pub struct Merge<S> {
    models: Models<S>,
    options: Options,
    plan: Plan,
    layout: OutputLayout,
    jobs: Vec<Job>,
}

impl<S: Source> Merge<S> {
    /// Plans, and lays out the output.
    ///
    /// # Errors
    /// As [`Plan::make`]; `Input` if the plan refuses a tensor.
    pub fn new(models: Models<S>, options: Options) -> Result<Self> {
        let plan = Plan::make(&models, &options)?;
        refuse(&plan)?;
        let layout = written::layout(&plan, &models, &options)?;
        let jobs = jobs::jobs(&plan, &models.list);
        Ok(Self { models, options, plan, layout, jobs })
    }

    /// What happens to every tensor.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The settings.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The models, in order.
    pub fn models(&self) -> &Models<S> {
        &self.models
    }

    /// Where everything goes in the output.
    pub fn layout(&self) -> &OutputLayout {
        &self.layout
    }

    /// Writes every output file's header. A file is whole when all jobs have run, too.
    ///
    /// # Errors
    /// As the sink's.
    pub async fn write_headers(&self, sink: &mut impl Sink) -> Result<()> {
        for file in self.layout.files() {
            sink.write_at(file.start_bytes, file.layout.header_bytes()).await?;
        }
        Ok(())
    }

    /// Checks that no input has changed since it was opened: before anything is published.
    ///
    /// # Errors
    /// `Io` by the name of the file that has.
    pub async fn check_inputs(&self) -> Result<()> {
        for source in self.models.sources() {
            source.check().await?;
        }
        Ok(())
    }

    /// The jobs, the most expensive first.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// One of the jobs.
    ///
    /// # Errors
    /// `Internal` if there is none of that index.
    pub fn job(&self, index: usize) -> Result<&Job> {
        let missing = || Error::internal(format!("this merge has no job {index}"));
        self.jobs.get(index).ok_or_else(missing)
    }

    /// Runs one job to its end; `crew` computes the rows of a shared layer. `None`: nothing was
    /// written, since another solver is to do it.
    ///
    /// # Errors
    /// Whatever is wrong with its inputs, its arithmetic or the sink, naming the tensor.
    pub async fn run_job(
        &self,
        solver: &impl Solver,
        index: usize,
        crew: &impl Crew,
        sink: &mut impl Sink,
    ) -> Result<Option<JobOutcome>> {
        match self.job(index)? {
            Job::Solve { block, .. } => self.solve(solver, block, crew, sink).await,
            Job::Stream { pieces, .. } => {
                let mut parts = Vec::new();
                let mut buffers = Buffers::default();
                for piece in pieces {
                    parts.push(self.stream(piece, &mut buffers, sink).await?);
                }
                Ok(Some(JobOutcome { parts }))
            }
        }
    }

    /// Computes a helper's rows of a shared layer, once its factor has come.
    ///
    /// # Errors
    /// As [`Self::run_job`].
    pub async fn help_job<F, D>(
        &self,
        engines: &Engines<F, D>,
        index: usize,
        rows: Range<usize>,
        shared: impl Future<Output = Result<Option<Shared<impl Payload>>>>,
    ) -> Result<Vec<u8>>
    where
        F: Backend<Scalar = f32>,
        D: Backend<Scalar = f64>,
    {
        let (block, _) = self.layer(index)?;
        let group = self.load_block(block).await?;
        let helped = help(engines, &group, rows, self.options.precision, shared).await;
        helped.map_err(|error| error.tensor(self.first_tensor(block)))
    }

    /// How many helpers each job's layer is shared with where `n_workers` work.
    pub fn helpers(&self, n_workers: usize) -> Vec<usize> {
        sharing::helpers(&self.jobs, n_workers)
    }

    /// The rows of worker `place` of a job that is shared with `n_helpers`: 0 is the leader.
    ///
    /// # Errors
    /// `Usage` if the job has no layer.
    pub fn rows(&self, index: usize, n_helpers: usize, place: usize) -> Result<Range<usize>> {
        let (_, size) = self.layer(index)?;
        Ok(sharing::rows(size, n_helpers, place))
    }

    fn layer(&self, index: usize) -> Result<(&Block, LayerSize)> {
        match self.job(index)? {
            Job::Solve { block, size, .. } => Ok((block, *size)),
            Job::Stream { .. } => Err(Error::usage("only layers are shared")),
        }
    }

    /// Where a tensor's bytes start in the output.
    fn offset_bytes(&self, tensor: usize) -> Result<u64> {
        let name = &self.plan.tensors[tensor].name;
        self.layout
            .offset_bytes(name)
            .ok_or_else(|| Error::input("it has no place in the output").tensor(name))
    }
}

/// One sentence about the first refused tensors.
fn refuse(plan: &Plan) -> Result<()> {
    let n = plan.counts().refuse;
    let Some((name, why)) = plan.refusals().next() else { return Ok(()) };
    let more = match n {
        1 => String::new(),
        _ => format!(" ({} more tensors are refused: see the plan)", n - 1),
    };
    Err(Error::input(format!("{why}{more}")).tensor(name))
}

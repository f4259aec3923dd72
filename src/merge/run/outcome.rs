//! What jobs report, and how the report is made of it.

use serde::{Deserialize, Serialize};

use super::{Merge, action_name};
use crate::VERSION;
use crate::io::Source;
use crate::merge::average::Measures;
use crate::merge::report::{Report, SolveReport, TensorReport};
use crate::{Error, Result, printable};

/// What one job found; crosses from worker to worker.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JobOutcome {
    /// One entry per tensor or piece of a tensor.
    pub parts: Vec<TensorPart>,
}

/// What a job found about one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorPart {
    /// Index into the plan's tensors.
    pub tensor: usize,
    /// Sums over the elements it handled.
    pub measures: Measures,
    /// The solve, for regressed tensors.
    pub solve: Option<SolveReport>,
}

/// How the merge went as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Which kernels the processor ran.
    pub kernels: &'static str,
    /// Wall-clock time.
    pub elapsed_millis: f64,
    /// Workers that computed.
    pub n_workers: usize,
}

impl<S: Source> Merge<S> {
    /// Checks that an outcome is one of this job: it may come from another worker, or from a disk.
    ///
    /// # Errors
    /// `Internal` if there is no such job, or it handles other tensors or models.
    pub fn check_outcome(&self, index: usize, outcome: &JobOutcome) -> Result<()> {
        let n_models = self.models().list.len();
        let has_models = |part: &TensorPart| {
            let Measures { apart_squares, size_squares, .. } = &part.measures;
            let n = apart_squares.len();
            n == size_squares.len() && (n == 0 || n == n_models)
        };
        let found = outcome.parts.iter().map(|part| part.tensor);
        match found.eq(self.job(index)?.tensors()) && outcome.parts.iter().all(has_models) {
            true => Ok(()),
            false => Err(Error::internal(format!("the outcome of job {index} is another job's"))),
        }
    }

    /// Puts the jobs' outcomes together. `outcomes[i]` is job i's, so the sums do not depend on
    /// the order in which jobs ended.
    ///
    /// # Errors
    /// As [`Self::check_outcome`]; also if there is not one for every job.
    pub fn report(&self, outcomes: &[JobOutcome], run: Run) -> Result<Report> {
        if outcomes.len() != self.jobs().len() {
            return Err(Error::internal("not every job has an outcome"));
        }
        for (index, outcome) in outcomes.iter().enumerate() {
            self.check_outcome(index, outcome)?;
        }
        let plan = self.plan();
        let mut measures = vec![Measures::default(); plan.tensors.len()];
        let mut solves: Vec<Option<SolveReport>> = vec![None; plan.tensors.len()];
        for part in outcomes.iter().flat_map(|outcome| &outcome.parts) {
            measures[part.tensor].add(&part.measures);
            let solve = &mut solves[part.tensor];
            *solve = match (solve.take(), part.solve.clone()) {
                (Some(a), Some(b)) => Some(a.worse(b)),
                (a, b) => a.or(b),
            };
        }
        let tensors: Vec<TensorReport> = plan
            .tensors
            .iter()
            .zip(measures.iter().zip(solves))
            .map(|(tensor, (measures, solve))| TensorReport {
                name: tensor.name.clone(),
                action: action_name(&tensor.action).into(),
                distances: measures.distances(),
                solve,
                note: note(measures),
            })
            .collect();
        let errors =
            tensors.iter().filter_map(|tensor| Some(tensor.solve.as_ref()?.error_estimate));
        Ok(Report {
            version: VERSION.into(),
            kernels: kernels(run.kernels, &tensors),
            options: self.options().clone(),
            models: plan.models.clone(),
            worst_error_estimate: errors.fold(0.0, f64::max),
            warnings: plan.warnings.iter().cloned().chain(found(&tensors)).collect(),
            written_bytes: self.layout().total_bytes(),
            files: Vec::new(),
            elapsed_millis: run.elapsed_millis,
            n_workers: run.n_workers,
            tensors,
        })
    }
}

/// The processor's kernels, and what else solved anything.
fn kernels(processor: &str, tensors: &[TensorReport]) -> String {
    let mut names = vec![processor];
    for solve in tensors.iter().filter_map(|tensor| tensor.solve.as_ref()) {
        if !names.contains(&solve.kernels.as_str()) {
            names.push(&solve.kernels);
        }
    }
    names.join(", ")
}

fn note(measures: &Measures) -> Option<String> {
    match (measures.n_not_finite, measures.n_overflowed) {
        (0, 0) => None,
        (0, n) => {
            Some(format!("{n} values are too large for the output dtype and became infinite"))
        }
        (n, _) => Some(format!("{n} values are NaN or infinite, as in an input")),
    }
}

/// Sentences about what was found while merging.
fn found(tensors: &[TensorReport]) -> Vec<String> {
    let of = |what: &str, why: fn(&TensorReport) -> Option<&String>| {
        let mut named = tensors.iter().filter_map(|tensor| Some((&tensor.name, why(tensor)?)));
        let (name, why) = named.next()?;
        let n = 1 + named.count();
        Some(format!("{n} {what}, such as `{}`: {why}.", printable(name)))
    };
    let found = [
        of("tensors missed the 1e-6 bound", |tensor| tensor.solve.as_ref()?.missed.as_ref()),
        of("tensors need a look", |tensor| tensor.note.as_ref()),
        of("tensors met a fault of the graphics card", |tensor| {
            tensor.solve.as_ref()?.fault.as_ref()
        }),
    ];
    found.into_iter().flatten().collect()
}

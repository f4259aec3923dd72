//! What jobs report, and how the report is made of it.

use serde::{Deserialize, Serialize};

use super::{Merge, action_name};
use crate::VERSION;
use crate::io::Source;
use crate::merge::average::Measures;
use crate::merge::report::{Report, SolveReport, TensorReport};
use crate::printable;

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
    /// Puts the jobs' outcomes together. `outcomes[i]` is job i's, so the sums do not depend on
    /// the order in which jobs ended.
    pub fn report(&self, outcomes: &[JobOutcome], run: Run) -> Report {
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
        Report {
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
        }
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
        (0, n) => Some(format!(
            "{} too large for the output dtype and became infinite",
            counted(n, "value is", "values are")
        )),
        (n, _) => {
            let values = counted(n, "value is", "values are");
            Some(format!("{values} NaN or infinite, as in an input"))
        }
    }
}

/// The number and the words that go with it.
fn counted(n: u64, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// Sentences about what was found while merging.
fn found(tensors: &[TensorReport]) -> Vec<String> {
    let of = |one: &str, more: &str, why: fn(&TensorReport) -> Option<&String>| {
        let mut named = tensors.iter().filter_map(|tensor| Some((&tensor.name, why(tensor)?)));
        let (name, why) = named.next()?;
        let n = 1 + named.count() as u64;
        let what = counted(n, one, more);
        let such_as = if n == 1 { "" } else { "such as " };
        Some(format!("{what}, {such_as}`{}`: {why}.", printable(name)))
    };
    let found = [
        of("tensor missed the 1e-6 bound", "tensors missed the 1e-6 bound", |tensor| {
            tensor.solve.as_ref()?.missed.as_ref()
        }),
        of("tensor needs a look", "tensors need a look", |tensor| tensor.note.as_ref()),
        of(
            "tensor met a fault of the graphics card",
            "tensors met a fault of the graphics card",
            |tensor| tensor.solve.as_ref()?.fault.as_ref(),
        ),
    ];
    found.into_iter().flatten().collect()
}

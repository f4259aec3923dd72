//! What jobs report, and how the report is made of it.

use serde::{Deserialize, Serialize};

use super::Merge;
use crate::VERSION;
use crate::checkpoint::Model;
use crate::io::Source;
use crate::methods::Measures;
use crate::plan::PlannedTensor;
use crate::plan::estimate::elements;
use crate::recipe::{Recipe, RecipeModel, write};
use crate::report::{Report, SolveReport, TensorReport};
use crate::tensor::extremes::larger;
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

    /// The recipe that makes this merge again.
    fn recipe(&self) -> String {
        let models = self.models().list.iter().map(|model| RecipeModel {
            path: model.path(),
            gram: model.gram_name().map(String::from),
        });
        let base = self.models().base.as_ref().map(Model::path);
        write(&Recipe::of(self.options(), models.collect(), base))
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
        let is_loud = |(tensor, measures): (&PlannedTensor, &Measures)| {
            is_worth_a_warning(measures, elements(&tensor.shape))
        };
        let loud: Vec<bool> = plan.tensors.iter().zip(&measures).map(is_loud).collect();
        let tensors: Vec<TensorReport> = plan
            .tensors
            .iter()
            .zip(measures.iter().zip(solves))
            .map(|(tensor, (measures, solve))| TensorReport {
                name: tensor.name.clone(),
                action: plan.action_name(&tensor.action).into(),
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
            recipe: self.recipe(),
            models: plan.models.clone(),
            worst_error_estimate: worst(errors),
            warnings: plan.warnings.iter().cloned().chain(found(&tensors, &loud)).collect(),
            written_bytes: self.layout().total_bytes(),
            files: Vec::new(),
            elapsed_millis: run.elapsed_millis,
            n_workers: run.n_workers,
            tensors,
        })
    }
}

/// The largest of the errors, or NaN if one is.
fn worst(errors: impl Iterator<Item = f64>) -> f64 {
    errors.fold(0.0, larger)
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
    let Measures { n_not_finite, n_overflowed, n_vanished, .. } = measures;
    let notes = [
        (n_not_finite, "NaN or infinite, as in an input"),
        (n_overflowed, "too large for the output dtype and became infinite"),
        (n_vanished, "too small for the output dtype and became 0"),
    ];
    let found = notes.iter().filter(|(n, _)| **n > 0);
    let all: Vec<String> = found
        .map(|(n, what)| format!("{} {what}", counted(**n, "value is", "values are")))
        .collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// The number and the words that go with it.
fn counted(n: u64, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// Values so few of which vanish in 16 bits of any usual weight are told of in its note alone.
const FEW: f64 = 1e-4;

fn is_worth_a_warning(measures: &Measures, n_elements: u64) -> bool {
    let many = measures.n_vanished as f64 > FEW * n_elements as f64;
    measures.n_not_finite > 0 || measures.n_overflowed > 0 || many
}

/// Sentences about what was found while merging; of the notes, those that are `loud`.
fn found(tensors: &[TensorReport], loud: &[bool]) -> Vec<String> {
    let of = |one: &str, more: &str, why: &dyn Fn(usize) -> Option<String>| {
        let mut named = (0..tensors.len()).filter_map(|index| Some((index, why(index)?)));
        let (first, why) = named.next()?;
        let n = 1 + named.count() as u64;
        let what = counted(n, one, more);
        let such_as = if n == 1 { "" } else { "such as " };
        Some(format!("{what}, {such_as}`{}`: {why}.", printable(&tensors[first].name)))
    };
    let solve = |index: usize| tensors[index].solve.as_ref();
    let found = [
        of("tensor missed the 1e-6 bound", "tensors missed the 1e-6 bound", &|index| {
            solve(index)?.missed.clone()
        }),
        of("tensor needs a look", "tensors need a look", &|index| {
            tensors[index].note.clone().filter(|_| loud[index])
        }),
        of(
            "tensor met a fault of the graphics card",
            "tensors met a fault of the graphics card",
            &|index| solve(index)?.fault.clone(),
        ),
    ];
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_no_number_is_the_worst() {
        for at in 0..3 {
            let mut errors = [1e-7, 2e-7, 1e-8];
            assert_eq!(worst(errors.into_iter()), 2e-7);
            errors[at] = f64::NAN;
            assert!(worst(errors.into_iter()).is_nan(), "{at}");
        }
    }

    #[test]
    fn every_loss_has_its_note() {
        let measures = |n_not_finite, n_overflowed, n_vanished| Measures {
            n_not_finite,
            n_overflowed,
            n_vanished,
            ..Measures::default()
        };
        assert_eq!(note(&measures(0, 0, 0)), None);
        let words = note(&measures(1, 2, 3)).unwrap();
        for word in ["1 value is NaN", "2 values are too large", "3 values are too small"] {
            assert!(words.contains(word), "{words}");
        }
    }

    #[test]
    fn a_few_vanished_values_are_no_warning() {
        let vanished = |n_vanished| Measures { n_vanished, ..Measures::default() };
        assert!(is_worth_a_warning(&vanished(1), 12));
        assert!(!is_worth_a_warning(&vanished(1), 1 << 20));
        assert!(!is_worth_a_warning(&vanished(0), 0));
        assert!(is_worth_a_warning(&Measures { n_overflowed: 1, ..vanished(0) }, 1 << 20));
    }
}

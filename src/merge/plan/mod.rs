//! Plans: what happens to every tensor and why, from headers alone.
//!
//! Every conflict of shape, dtype or name is found here, before any tensor is read. Making a plan
//! cannot fail on a tensor: what cannot be merged is refused in it by name.

pub(super) mod blocks;
mod decide;
pub(super) mod estimate;
mod grouping;
mod types;

use regex_lite::Regex;
pub use types::{Action, Counts, Estimate, Group, Orientation, Plan, PlannedTensor, UnmatchedGram};

use super::files::{Model, Models};
use super::group_files::gram_contradicts;
use super::options::{Method, Options};
use super::written;
use crate::io::Source;
use crate::{Error, Result, printable};

/// The settings' regular expressions, compiled.
struct Patterns {
    exclude: Vec<Regex>,
    keep: Vec<(Regex, usize)>,
}

impl Patterns {
    fn new(options: &Options) -> Result<Self> {
        let keep = |keep: &super::options::Keep| Ok((compile(&keep.pattern)?, keep.model));
        Ok(Self {
            exclude: options
                .exclude
                .iter()
                .map(|pattern| compile(pattern))
                .collect::<Result<_>>()?,
            keep: options.keep.iter().map(keep).collect::<Result<_>>()?,
        })
    }
}

fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        Error::usage(format!("`{}` is not a regular expression ({error})", printable(pattern)))
    })
}

impl Plan {
    /// Decides what happens to every tensor.
    ///
    /// # Errors
    /// `Usage` for settings that cannot hold: out of range, RegMean without Gram files, or too many files.
    pub fn make<S: Source>(all: &Models<S>, options: &Options) -> Result<Self> {
        let models = &all.list[..];
        options.validate(models.len())?;
        if options.method == Method::Regmean {
            require_grams(models)?;
        }
        let patterns = Patterns::new(options)?;
        let mut plan = Self { models: names(models), ..Self::default() };
        plan.tensors = decide::tensors(models, options, &patterns);
        if options.method == Method::Regmean {
            grouping::assign(&mut plan, models, &patterns);
            plan.unmatched_grams = grouping::unmatched(&plan, models);
            require_matches(&plan, models)?;
        }
        plan.warnings = warnings(&plan, models);
        plan.estimate = estimate::estimate(&plan, models);
        if plan.counts().refuse == 0 {
            plan.estimate.write_bytes = written::layout(&plan, all, options)?.total_bytes();
        }
        Ok(plan)
    }
}

fn names<S: Source>(models: &[Model<S>]) -> Vec<String> {
    models.iter().map(|model| model.name.clone()).collect()
}

fn require_grams<S: Source>(models: &[Model<S>]) -> Result<()> {
    match models.iter().find(|model| model.gram().is_none()) {
        None => Ok(()),
        Some(model) => Err(Error::usage(format!(
            "RegMean needs a Gram file for every model, and `{}` has none",
            printable(&model.name)
        ))
        .advice("give one, or choose the method average")),
    }
}

/// A name mismatch must not turn RegMean into averaging.
fn require_matches<S: Source>(plan: &Plan, models: &[Model<S>]) -> Result<()> {
    let counts = plan.counts();
    if counts.regress > 0 || counts.refuse > 0 || plan.unmatched_grams.is_empty() {
        return Ok(());
    }
    let gram = plan.unmatched_grams.first().map_or("", |gram| &gram.name);
    let weight = models[0].names().next().unwrap_or("");
    Err(Error::usage(format!(
        "no Gram matrix belongs to any weight: Gram files name `{}`, the models `{}`",
        printable(gram),
        printable(weight)
    ))
    .advice("rename the Gram tensors to the weights' names, or choose the method average"))
}

fn warnings<S: Source>(plan: &Plan, models: &[Model<S>]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, model) in models.iter().enumerate() {
        warnings.extend(model.gram().into_iter().flat_map(|gram| gram.warnings.clone()));
        warnings.extend(swapped(models, index));
        warnings.extend(twice(models, index));
    }
    warnings.extend(unmatched_sentence(plan));
    warnings.extend(partly_covered(plan));
    warnings
}

fn swapped<S: Source>(models: &[Model<S>], index: usize) -> Option<String> {
    let selection: Vec<(String, Vec<String>)> = models
        .iter()
        .map(|model| {
            let paths = model.files().iter().map(|file| file.source.name().to_owned()).collect();
            (model.name.clone(), paths)
        })
        .collect();
    let gram = models[index].gram()?;
    gram_contradicts(&selection, models[index].gram_name()?, gram.source.as_deref(), index)
}

fn twice<S: Source>(models: &[Model<S>], index: usize) -> Option<String> {
    let first = models[index].files().first()?.source.name();
    let before = &models[..index];
    before
        .iter()
        .any(|other| other.files().iter().any(|file| file.source.name() == first))
        .then(|| format!("`{}` is given twice.", printable(first)))
}

fn unmatched_sentence(plan: &Plan) -> Option<String> {
    let first = plan.unmatched_grams.first()?;
    Some(format!(
        "{} Gram matrices belong to no weight, such as `{}` of model {}.",
        plan.unmatched_grams.len(),
        printable(&first.name),
        first.model + 1
    ))
}

fn partly_covered(plan: &Plan) -> Option<String> {
    let partly = |tensor: &&PlannedTensor| matches!(&tensor.action, Action::Average { why } if why.starts_with(grouping::PARTLY));
    let first = plan.tensors.iter().find(partly)?;
    let n = plan.tensors.iter().filter(partly).count();
    Some(format!(
        "{n} weights are averaged since not every model has a Gram matrix for them, such as `{}`.",
        printable(&first.name)
    ))
}

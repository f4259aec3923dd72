//! Plans: what happens to every tensor and why, from headers alone.
//!
//! Every conflict of shape, dtype or name is found here, before any tensor is read. Making a plan
//! cannot fail on a tensor: what cannot be merged is refused in it by name.

pub(super) mod blocks;
mod decide;
mod disjoint;
pub(super) mod estimate;
mod grouping;
pub mod lineage;
mod origin;
mod types;
mod warnings;
pub(crate) mod written;

use regex_lite::Regex;
pub use types::{Action, Counts, Estimate, Group, Plan, PlannedTensor, UnmatchedGram};

use crate::checkpoint::pattern::lines;
use crate::checkpoint::{Model, Models};
use crate::io::Source;
use crate::recipe::{Keep, Method, Options};
use crate::{Error, Result, printable};

/// The settings' regular expressions, compiled.
struct Patterns {
    exclude: Vec<Regex>,
    keep: Vec<(Regex, usize)>,
}

impl Patterns {
    fn new(options: &Options) -> Result<Self> {
        let keep = |keep: &Keep| Ok((compile(&keep.pattern)?, keep.model));
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
    /// `Usage` for settings that cannot hold: out of range, RegMean without Gram files, or too many
    /// files; `Input` for a Gram file that was made of another of the models.
    pub fn make<S: Source>(all: &Models<S>, options: &Options) -> Result<Self> {
        let models = &all.list[..];
        options.validate(models.len())?;
        let mut warnings = Vec::new();
        if options.method == Method::Regmean {
            require_grams(models)?;
            warnings = origin::check(models)?;
        }
        let patterns = Patterns::new(options)?;
        let mut plan = Self { models: names(models), ..Self::default() };
        plan.tensors = decide::tensors(models, options, &patterns);
        disjoint::check(&plan, models)?;
        if options.method == Method::Regmean {
            grouping::assign(&mut plan, models, &patterns);
            plan.unmatched_grams = grouping::unmatched(models);
            require_matches(&plan, models)?;
        }
        let tensors = &plan.tensors;
        plan.lines = lines(
            tensors.len(),
            |index| &tensors[index].name,
            |a, b| tensors[a].is_like(&tensors[b]),
        );
        plan.warnings = warnings::warnings(&plan, models, &patterns);
        plan.warnings.extend(warnings);
        plan.lineage = lineage::of(models);
        plan.warnings.extend(plan.lineage.iter().filter_map(|found| found.warning(&plan.models)));
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
    if plan.counts().refuse > 0 {
        return Ok(());
    }
    match models.iter().find(|model| !model.has_gram_matches()) {
        None => Ok(()),
        Some(model) => Err(no_match(model)),
    }
}

fn no_match<S: Source>(model: &Model<S>) -> Error {
    let (name, file) = (printable(&model.name), model.gram_name().unwrap_or_default());
    let advice = "rename the Gram tensors to the weights' names, or choose the method average";
    let gram = model.gram().and_then(|gram| gram.entries.keys().next());
    let (Some(gram), Some(weight)) = (gram, model.names().next()) else {
        let what = format!("there is no Gram matrix in it for any weight of `{name}`");
        return Error::usage(what).file(file).advice("make it anew, or choose the method average");
    };
    let (gram, weight) = (printable(gram), printable(weight));
    Error::usage(format!(
        "no Gram matrix belongs to any weight of `{name}`: it names `{gram}`, the model `{weight}`"
    ))
    .file(file)
    .advice(advice)
}

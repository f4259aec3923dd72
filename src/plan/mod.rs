//! Plans: what happens to every tensor and why, from headers alone.
//!
//! Every conflict of shape, dtype or name is found here, before any tensor is read. Making a plan
//! cannot fail on a tensor: what cannot be merged is refused in it by name.

pub(super) mod blocks;
mod decide;
mod disjoint;
pub(super) mod estimate;
mod grouping;
mod json;
pub mod lineage;
pub mod needs;
mod origin;
mod rules;
mod types;
mod warnings;
pub(crate) mod written;

use regex_lite::Regex;
use rules::Rules;
pub use types::{Action, Counts, Estimate, Group, Plan, PlannedTensor, Rule, UnmatchedGram};

use crate::checkpoint::pattern::lines;
use crate::checkpoint::{Model, Models};
use crate::io::Source;
use crate::methods::Statistic;
use crate::recipe::{Keep, Layers, Options};
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
    /// `Usage` for settings that cannot hold: out of range, a method without what it needs, or too many
    /// files; `Input` for a Gram file that was made of another of the models.
    pub fn make<S: Source>(all: &Models<S>, options: &Options) -> Result<Self> {
        let models = &all.list[..];
        options.validate(models.len())?;
        let spec = options.spec()?;
        needs::check(spec, all)?;
        let is_gram_needed = spec.statistics.contains(&Statistic::Gram);
        let origins = if is_gram_needed { origin::check(models)? } else { Vec::new() };
        let patterns = Patterns::new(options)?;
        let layers = Layers::of(models.iter().flat_map(Model::names));
        let mut rules = Rules::new(options, layers, models.len())?;
        let mut plan = Self { models: names(models), ..Self::default() };
        plan.base = all.base.as_ref().map(|base| base.name.clone());
        plan.tensors = decide::tensors(all, &patterns, &mut rules)?;
        disjoint::check(&plan, models)?;
        if is_gram_needed {
            grouping::assign(&mut plan, models, &patterns, &mut rules)?;
            plan.unmatched_grams = grouping::unmatched(models);
            require_matches(&plan, models)?;
        }
        plan.rules = rules.into_list();
        let tensors = &plan.tensors;
        plan.lines = lines(
            tensors.len(),
            |index| &tensors[index].name,
            |a, b| tensors[a].is_like(&tensors[b]),
        );
        plan.warnings = warnings::warnings(&plan, models, &patterns);
        plan.warnings.extend(origins);
        plan.lineage = lineage::of(models);
        plan.warnings.extend(plan.lineage.iter().filter_map(|found| found.warning(&plan.models)));
        plan.estimate = estimate::estimate(&plan, all);
        if plan.counts().refuse == 0 {
            plan.estimate.write_bytes = written::layout(&plan, all, options)?.total_bytes();
        }
        Ok(plan)
    }
}

fn names<S: Source>(models: &[Model<S>]) -> Vec<String> {
    models.iter().map(|model| model.name.clone()).collect()
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

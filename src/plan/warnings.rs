//! What a user should read before merging: plain sentences about a plan that can be carried out.

use regex_lite::Regex;

use super::{Action, Patterns, Plan, PlannedTensor, grouping};
use crate::checkpoint::Model;
use crate::checkpoint::group_files::gram_contradicts;
use crate::io::Source;
use crate::printable;

pub(super) fn warnings<S: Source>(
    plan: &Plan,
    models: &[Model<S>],
    patterns: &Patterns,
) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, model) in models.iter().enumerate() {
        let own = model.gram().into_iter().flat_map(|gram| &gram.warnings);
        warnings.extend(own.map(|warning| about(model, warning)));
        warnings.extend(swapped(models, index));
        warnings.extend(twice(models, index));
        warnings.extend(same_gram(models, index));
    }
    warnings.extend(unmatched_sentence(plan));
    warnings.extend(partly_covered(plan));
    warnings.extend(patterns.exclude.iter().filter_map(|exclude| idle(plan, "excludes", exclude)));
    warnings.extend(patterns.keep.iter().filter_map(|(keep, _)| idle(plan, "keeps", keep)));
    warnings
}

fn about<S: Source>(model: &Model<S>, warning: &str) -> String {
    format!("`{}`: {warning}", printable(model.gram_name().unwrap_or_default()))
}

/// Told by names, which a fingerprint overrules.
fn swapped<S: Source>(models: &[Model<S>], index: usize) -> Option<String> {
    let gram = models[index].gram()?;
    if models[index].fits(gram) == Some(true) {
        return None;
    }
    let selection: Vec<(String, Vec<String>)> = models
        .iter()
        .map(|model| {
            let paths = model.files().iter().map(|file| file.source.name().to_owned()).collect();
            (model.name.clone(), paths)
        })
        .collect();
    gram_contradicts(&selection, models[index].gram_name()?, gram.source.as_deref(), index)
}

fn twice<S: Source>(models: &[Model<S>], index: usize) -> Option<String> {
    let model = &models[index];
    let first = model.files().first()?.source.name();
    let is_same_file =
        |other: &Model<S>| other.files().iter().any(|file| file.source.name() == first);
    let before = &models[..index];
    if before.iter().any(is_same_file) {
        return Some(format!("`{}` is given twice.", printable(first)));
    }
    let twin = before.iter().position(|other| model.is_like(other))?;
    Some(format!(
        "Models {} and {}, `{}` and `{}`, are the same as far as they were compared: the first \
         elements of every tensor are equal.",
        twin + 1,
        index + 1,
        printable(&before[twin].name),
        printable(&model.name)
    ))
}

fn same_gram<S: Source>(models: &[Model<S>], index: usize) -> Option<String> {
    let model = &models[index];
    let name = model.gram_name()?;
    let is_same = |other: &&Model<S>| other.gram_name() == Some(name) || model.has_gram_of(other);
    let other = models[..index].iter().find(is_same)?;
    Some(format!(
        "`{}` and `{}` have the same Gram matrices, with which RegMean is no more than an average: \
         check that each has its own Gram file.",
        printable(&other.name),
        printable(&model.name)
    ))
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
    let partly = |tensor: &&PlannedTensor| matches!(&tensor.action, Action::Combine { why, .. } if why.starts_with(grouping::PARTLY));
    let first = plan.tensors.iter().find(partly)?;
    let n = plan.tensors.iter().filter(partly).count();
    Some(format!(
        "{n} weights are averaged since not every model has a Gram matrix for them, such as `{}`.",
        printable(&first.name)
    ))
}

/// A pattern that is probably misspelled.
fn idle(plan: &Plan, does: &str, pattern: &Regex) -> Option<String> {
    let matches = plan.tensors.iter().any(|tensor| pattern.is_match(&tensor.name));
    let shown = printable(pattern.as_str());
    (!matches)
        .then(|| format!("The pattern `{shown}` {does} nothing: no tensor's name matches it."))
}

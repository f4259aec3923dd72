//! Which weights have Gram matrices, how they are stored, and which share them.

use std::collections::BTreeMap;

use super::decide::{is_empty, refuse};
use super::rules::Rules;
use super::{Action, Group, Patterns, Plan, PlannedTensor, UnmatchedGram};
use crate::checkpoint::Model;
use crate::format::{GramEntry, GramMatch, Normalization};
use crate::io::Source;
use crate::tensor::Orientation;
use crate::{Result, printable};

/// How the reason of a weight starts that only some models have a Gram matrix for.
pub(super) const PARTLY: &str = "no Gram matrix in model";

/// Turns means into regressions where every model has a Gram matrix.
///
/// # Errors
/// `Usage` for settings that give some tensor no answer.
pub(super) fn assign<S: Source>(
    plan: &mut Plan,
    models: &[Model<S>],
    patterns: &Patterns,
    rules: &mut Rules<'_>,
) -> Result<()> {
    let default = square_orientation(plan, models);
    let mut groups: BTreeMap<(Vec<String>, bool, usize), usize> = BTreeMap::new();
    for index in 0..plan.tensors.len() {
        let tensor = &mut plan.tensors[index];
        say_of_copy(tensor, models);
        let Action::Combine { rule: mean, .. } = tensor.action else { continue };
        if is_empty(&tensor.shape) {
            continue;
        }
        let tensor = &plan.tensors[index];
        let found: Vec<_> = models.iter().map(|model| model.gram_entry(&tensor.name)).collect();
        let action = match decide(tensor, models, &found, default, patterns) {
            Decision::Leave => continue,
            Decision::Average(why) => Action::Combine { rule: mean, why },
            Decision::Refuse(why) => refuse(why),
            Decision::Regress(orientation) => {
                let rule = rules.own(&tensor.name)?;
                let keys: Vec<String> = found.iter().flatten().map(|g| g.key.clone()).collect();
                let n_in = found[0].map_or(0, |gram| gram.n);
                let key = (keys.clone(), orientation == Orientation::InOut, rule);
                let group = *groups.entry(key).or_insert_with(|| {
                    plan.groups.push(Group { rule, gram_names: keys, n_in, tensors: Vec::new() });
                    plan.groups.len() - 1
                });
                plan.groups[group].tensors.push(index);
                Action::Regress { group, orientation }
            }
        };
        plan.tensors[index].action = action;
    }
    Ok(())
}

/// Says of a copied weight that its Gram matrix, if there is one, has no use.
fn say_of_copy<S: Source>(tensor: &mut PlannedTensor, models: &[Model<S>]) {
    let has_gram = models.iter().any(|model| model.gram_match(&tensor.name).is_some());
    if let (Action::Copy { why }, true) = (&mut tensor.action, has_gram) {
        why.push_str(", so its Gram matrix is not used");
    }
}

enum Decision {
    Leave,
    Average(String),
    Refuse(String),
    Regress(Orientation),
}

fn decide<S: Source>(
    tensor: &PlannedTensor,
    models: &[Model<S>],
    found: &[Option<&GramEntry>],
    square: Orientation,
    patterns: &Patterns,
) -> Decision {
    let PlannedTensor { name, shape, .. } = tensor;
    if models.iter().all(|model| model.gram_match(name).is_none()) {
        return Decision::Leave;
    }
    if let Some(pattern) = patterns.exclude.iter().find(|pattern| pattern.is_match(name)) {
        return Decision::Average(format!("excluded by `{}`", printable(pattern.as_str())));
    }
    if let Some(why) = models.iter().enumerate().find_map(|model| unclear(model, name)) {
        return Decision::Refuse(why);
    }
    if let Some(index) = found.iter().position(Option::is_none) {
        return Decision::Average(format!("{PARTLY} {}", index + 1));
    }
    let &[rows, cols] = &shape[..] else {
        return Decision::Average(format!(
            "a Gram matrix is there, but it has {} dimensions",
            shape.len()
        ));
    };
    for (index, gram) in found.iter().flatten().enumerate() {
        if gram.n != rows && gram.n != cols {
            return Decision::Refuse(format!(
                "its shape is [{rows}, {cols}], but the Gram matrix of model {} is [{n}, {n}]: \
                 check that the Gram file belongs to this model",
                index + 1,
                n = gram.n
            ));
        }
    }
    let n = found[0].map_or(0, |gram| gram.n);
    if let Some(index) = found.iter().flatten().position(|gram| gram.n != n) {
        let why = format!("its Gram matrices are of two sizes: models 1 and {} differ", index + 1);
        return Decision::Refuse(why);
    }
    match mixed_sums(models, found) {
        Some(why) => Decision::Refuse(why),
        None => Decision::Regress(orientation(rows, cols, n).unwrap_or(square)),
    }
}

fn unclear<S: Source>((index, model): (usize, &Model<S>), name: &str) -> Option<String> {
    match model.gram_match(name)? {
        GramMatch::Unclear(why) => Some(format!("in model {}, {why}", index + 1)),
        GramMatch::Own(_) | GramMatch::Shared(_) => None,
    }
}

/// Sums over unknown numbers of rows weigh nothing against what is per row.
fn mixed_sums<S: Source>(models: &[Model<S>], found: &[Option<&GramEntry>]) -> Option<String> {
    let is_sum = |model: &Model<S>| {
        model.gram().is_some_and(|gram| gram.normalization == Normalization::Sum)
    };
    let is_unknown = |(model, gram): (&Model<S>, &Option<&GramEntry>)| {
        is_sum(model) && gram.is_some_and(|gram| gram.rows.is_none())
    };
    let unknown: Vec<bool> = models.iter().zip(found).map(is_unknown).collect();
    let bare = unknown.iter().position(|unknown| *unknown)?;
    let other = unknown.iter().position(|unknown| !*unknown)?;
    Some(format!(
        "its Gram matrix is a sum over an unknown number of rows in model {}, and is per row in \
         model {}; add it to the metadata `rows` of `{}`",
        bare + 1,
        other + 1,
        printable(models[bare].gram_name().unwrap_or_default())
    ))
}

/// How a weight with inputs of size `n` is stored; `None` if it is square.
fn orientation(rows: u64, cols: u64, n: u64) -> Option<Orientation> {
    match (rows == n, cols == n) {
        (true, true) => None,
        (true, false) => Some(Orientation::InOut),
        _ => Some(Orientation::OutIn),
    }
}

/// Shape alone says nothing of a square weight: it is stored as its rectangular siblings are.
fn square_orientation<S: Source>(plan: &Plan, models: &[Model<S>]) -> Orientation {
    let stored = plan.tensors.iter().filter_map(|tensor| {
        let &[rows, cols] = &tensor.shape[..] else { return None };
        orientation(rows, cols, models[0].gram_entry(&tensor.name)?.n)
    });
    let (mut in_out, mut out_in) = (0, 0);
    for orientation in stored {
        match orientation {
            Orientation::InOut => in_out += 1,
            Orientation::OutIn => out_in += 1,
        }
    }
    if in_out > out_in { Orientation::InOut } else { Orientation::OutIn }
}

/// Gram tensors that no weight of their model asks for.
pub(super) fn unmatched<S: Source>(models: &[Model<S>]) -> Vec<UnmatchedGram> {
    let of = |(model, opened): (usize, &Model<S>)| {
        let strangers = opened.unmatched_grams().into_iter();
        strangers.map(move |name| UnmatchedGram { model, name }).collect::<Vec<_>>()
    };
    models.iter().enumerate().flat_map(of).collect()
}

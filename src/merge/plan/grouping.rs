//! Which weights have Gram matrices, how they are stored, and which share them.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{is_empty, refuse};
use super::{Action, Group, Orientation, Patterns, Plan, PlannedTensor, UnmatchedGram};
use crate::format::GramEntry;
use crate::io::Source;
use crate::merge::files::Model;
use crate::order::filled;

/// How the reason of a weight starts that only some models have a Gram matrix for.
pub(super) const PARTLY: &str = "no Gram matrix in model";

/// Turns averages into regressions where every model has a Gram matrix.
pub(super) fn assign<S: Source>(plan: &mut Plan, models: &[Model<S>], patterns: &Patterns) {
    let default = square_orientation(plan, models);
    let mut groups: BTreeMap<(Vec<String>, bool), usize> = BTreeMap::new();
    for index in 0..plan.tensors.len() {
        let tensor = &plan.tensors[index];
        if !matches!(tensor.action, Action::Average { .. }) || is_empty(&tensor.shape) {
            continue;
        }
        let found: Vec<_> = models.iter().map(|model| find(model, &tensor.name)).collect();
        let action = match decide(&tensor.name, &tensor.shape, &found, default, patterns) {
            Decision::Leave => continue,
            Decision::Act(action) => action,
            Decision::Regress(orientation) => {
                let keys: Vec<String> = found.iter().flatten().map(|g| g.key.clone()).collect();
                let n_in = found[0].map_or(0, |gram| gram.n);
                let key = (keys.clone(), orientation == Orientation::InOut);
                let group = *groups.entry(key).or_insert_with(|| {
                    plan.groups.push(Group { gram_names: keys, n_in, tensors: Vec::new() });
                    plan.groups.len() - 1
                });
                plan.groups[group].tensors.push(index);
                Action::Regress { group, orientation }
            }
        };
        plan.tensors[index].action = action;
    }
}

enum Decision {
    Leave,
    Act(Action),
    Regress(Orientation),
}

fn decide(
    name: &str,
    shape: &[u64],
    found: &[Option<&GramEntry>],
    square: Orientation,
    patterns: &Patterns,
) -> Decision {
    if found.iter().all(Option::is_none) {
        return Decision::Leave;
    }
    let average = |why: String| Decision::Act(Action::Average { why });
    if let Some(pattern) = patterns.exclude.iter().find(|pattern| pattern.is_match(name)) {
        return average(format!("excluded by `{}`", crate::printable(pattern.as_str())));
    }
    if let Some(index) = found.iter().position(Option::is_none) {
        return average(format!("{PARTLY} {}", index + 1));
    }
    let &[rows, cols] = shape else {
        return average(format!("a Gram matrix is there, but it has {} dimensions", shape.len()));
    };
    for (index, gram) in found.iter().flatten().enumerate() {
        if gram.n != rows && gram.n != cols {
            return Decision::Act(refuse(format!(
                "its shape is [{rows}, {cols}], but the Gram matrix of model {} is [{n}, {n}]: \
                 check that the Gram file belongs to this model",
                index + 1,
                n = gram.n
            )));
        }
    }
    let n = found[0].map_or(0, |gram| gram.n);
    if let Some(index) = found.iter().flatten().position(|gram| gram.n != n) {
        let why = format!("its Gram matrices are of two sizes: models 1 and {} differ", index + 1);
        return Decision::Act(refuse(why));
    }
    Decision::Regress(orientation(rows, cols, n).unwrap_or(square))
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
        orientation(rows, cols, find(&models[0], &tensor.name)?.n)
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

fn find<'a, S: Source>(model: &'a Model<S>, name: &str) -> Option<&'a GramEntry> {
    model.gram()?.find(name)
}

/// Gram tensors that no weight of any model asks for.
pub(super) fn unmatched<S: Source>(plan: &Plan, models: &[Model<S>]) -> Vec<UnmatchedGram> {
    let mut unmatched = Vec::new();
    for (index, model) in models.iter().enumerate() {
        let Some(gram) = model.gram() else { continue };
        let key = |tensor: &PlannedTensor| Some(gram.find(&tensor.name)?.key.as_str());
        let asked: BTreeSet<&str> = filled(plan.tensors.iter().filter_map(key));
        let strangers = gram.entries.values().filter(|entry| !asked.contains(entry.key.as_str()));
        unmatched
            .extend(strangers.map(|entry| UnmatchedGram { model: index, name: entry.key.clone() }));
    }
    unmatched
}

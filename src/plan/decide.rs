//! The first decision for each tensor: keep, refuse, copy or combine. Gram matrices come later.

use std::collections::BTreeSet;

use super::rules::Rules;
use super::{Action, Patterns, PlannedTensor};
use crate::checkpoint::{Model, Models};
use crate::format::TensorInfo;
use crate::io::Source;
use crate::methods::{Base, Combine};
use crate::order::filled;
use crate::tensor::dtype::{Dtype, DtypeClass};
use crate::{Result, printable};

/// One entry per tensor name of any model, sorted by name.
///
/// # Errors
/// `Usage` for settings that give some tensor no answer.
pub(super) fn tensors<S: Source>(
    models: &Models<S>,
    patterns: &Patterns,
    rules: &mut Rules<'_>,
) -> Result<Vec<PlannedTensor>> {
    let names: BTreeSet<&str> = filled(models.list.iter().flat_map(Model::names));
    names.into_iter().map(|name| tensor(name, models, patterns, rules)).collect()
}

fn tensor<S: Source>(
    name: &str,
    all: &Models<S>,
    patterns: &Patterns,
    rules: &mut Rules<'_>,
) -> Result<PlannedTensor> {
    let models = &all.list[..];
    let found: Vec<Option<&TensorInfo>> =
        models.iter().map(|model| model.get(name).map(|(_, info)| info)).collect();
    let present: Vec<&TensorInfo> = found.iter().flatten().copied().collect();
    let decided = keep(name, &found, patterns)
        .or_else(|| missing(&found, models))
        .or_else(|| other_shape(&present, models))
        .or_else(|| by_dtype(&present, rules.dtype()));
    let action = match decided {
        Some(action) => action,
        None => combine(name, present[0], all, patterns, rules)?,
    };
    let shown = match action {
        Action::Keep { model } => found[model].unwrap_or(present[0]),
        _ => present[0],
    };
    let dtype_out = match action {
        Action::Combine { .. } => rules.dtype().unwrap_or(shown.dtype),
        _ => shown.dtype,
    };
    Ok(PlannedTensor {
        name: name.to_owned(),
        shape: shown.shape.clone(),
        dtypes: present.iter().map(|info| info.dtype).collect(),
        dtype_out,
        action,
    })
}

/// The method for a tensor of numbers.
fn combine<S: Source>(
    name: &str,
    info: &TensorInfo,
    all: &Models<S>,
    patterns: &Patterns,
    rules: &mut Rules<'_>,
) -> Result<Action> {
    let spec = rules.spec();
    let mean =
        |rules: &mut Rules<'_>, why: String| Ok(Action::Combine { rule: rules.mean(name)?, why });
    if is_empty(&info.shape) {
        return mean(rules, "it has no elements".into());
    }
    if let Combine::Layers = spec.combine {
        return mean(rules, "no Gram matrix".into());
    }
    if let Some(pattern) = patterns.exclude.iter().find(|pattern| pattern.is_match(name)) {
        return mean(rules, format!("excluded by `{}`", printable(pattern.as_str())));
    }
    if let (Base::Needed, Some(base)) = (spec.base, &all.base)
        && let Some(why) = other_base(name, info, base)
    {
        return Ok(refuse(why));
    }
    Ok(Action::Combine { rule: rules.own(name)?, why: String::new() })
}

/// Why no difference from the base can be taken.
fn other_base<S: Source>(name: &str, info: &TensorInfo, base: &Model<S>) -> Option<String> {
    let shown = printable(&base.name);
    let advice = "exclude it, so that it is averaged, or keep it from one model";
    match base.get(name) {
        None => Some(format!("the base model `{shown}` does not have it; {advice}")),
        Some((_, own)) if own.shape != info.shape => Some(format!(
            "its shape is {:?}, but {:?} in the base model `{shown}`; {advice}",
            info.shape, own.shape
        )),
        Some((_, own)) if own.dtype.class() != DtypeClass::Float => {
            Some(format!("it is {} in the base model `{shown}`; {advice}", own.dtype.name()))
        }
        Some(_) => None,
    }
}

fn keep(name: &str, found: &[Option<&TensorInfo>], patterns: &Patterns) -> Option<Action> {
    let (_, model) = patterns.keep.iter().find(|(pattern, _)| pattern.is_match(name))?;
    Some(match found[*model] {
        Some(_) => Action::Keep { model: *model },
        None => {
            refuse(format!("it is to be kept from model {}, which does not have it", model + 1))
        }
    })
}

fn missing<S>(found: &[Option<&TensorInfo>], models: &[Model<S>]) -> Option<Action> {
    let index = found.iter().position(Option::is_none)?;
    let without = printable(&models[index].name);
    Some(refuse(format!(
        "model `{without}` does not have it: the models have different architectures; \
         keep it from one model, or give matching checkpoints"
    )))
}

fn other_shape<S>(present: &[&TensorInfo], models: &[Model<S>]) -> Option<Action> {
    let first = present[0];
    let index = present.iter().position(|info| info.shape != first.shape)?;
    Some(refuse(format!(
        "its shape is {:?} in `{}` but {:?} in `{}`; keep it from one model, or give matching \
         checkpoints",
        first.shape,
        printable(&models[0].name),
        present[index].shape,
        printable(&models[index].name)
    )))
}

/// What its dtypes say of a tensor; nothing of one whose elements are numbers to be combined.
fn by_dtype(present: &[&TensorInfo], dtype_out: Option<Dtype>) -> Option<Action> {
    let first = present[0].dtype;
    let same = present.iter().all(|info| info.dtype == first);
    if let Some(info) = present.iter().find(|info| info.dtype.class() == DtypeClass::Unsupported) {
        return Some(refuse(unsupported(info.dtype)));
    }
    let floats = present.iter().filter(|info| info.dtype.class() == DtypeClass::Float).count();
    match floats {
        0 if same => Some(Action::Copy { why: format!("{} is not averaged", first.name()) }),
        n if n == present.len() && (same || dtype_out.is_some()) => None,
        n if n == present.len() => {
            let dtypes = dtypes(present);
            Some(refuse(format!("its dtype differs ({dtypes}); choose an output dtype")))
        }
        _ => Some(refuse(format!("its dtype differs between the models ({})", dtypes(present)))),
    }
}

fn unsupported(dtype: Dtype) -> String {
    format!(
        "{} values mean nothing without their scales and cannot be averaged; give an F16, BF16 or \
         F32 checkpoint, or keep it from one model",
        dtype.name()
    )
}

fn dtypes(present: &[&TensorInfo]) -> String {
    present.iter().map(|info| info.dtype.name()).collect::<Vec<_>>().join(", ")
}

/// Whether there is nothing in it to solve for.
pub(super) fn is_empty(shape: &[u64]) -> bool {
    shape.contains(&0)
}

pub(super) fn refuse(why: String) -> Action {
    Action::Refuse { why }
}

//! The first decision for each tensor: keep, refuse, copy or average. Gram matrices come later.

use std::collections::BTreeSet;

use super::{Action, Patterns, PlannedTensor};
use crate::checkpoint::Model;
use crate::format::TensorInfo;
use crate::io::Source;
use crate::order::filled;
use crate::printable;
use crate::recipe::Options;
use crate::tensor::dtype::{Dtype, DtypeClass};

/// One entry per tensor name of any model, sorted by name.
pub(super) fn tensors<S: Source>(
    models: &[Model<S>],
    options: &Options,
    patterns: &Patterns,
) -> Vec<PlannedTensor> {
    let names: BTreeSet<&str> = filled(models.iter().flat_map(Model::names));
    names.into_iter().map(|name| tensor(name, models, options, patterns)).collect()
}

fn tensor<S: Source>(
    name: &str,
    models: &[Model<S>],
    options: &Options,
    patterns: &Patterns,
) -> PlannedTensor {
    let found: Vec<Option<&TensorInfo>> =
        models.iter().map(|model| model.get(name).map(|(_, info)| info)).collect();
    let present: Vec<&TensorInfo> = found.iter().flatten().copied().collect();
    let action = keep(name, &found, patterns)
        .or_else(|| missing(&found, models))
        .or_else(|| other_shape(&present, models))
        .unwrap_or_else(|| by_dtype(&present, options));
    let shown = match action {
        Action::Keep { model } => found[model].unwrap_or(present[0]),
        _ => present[0],
    };
    let dtype_out = match action {
        Action::Average { .. } => options.dtype.unwrap_or(shown.dtype),
        _ => shown.dtype,
    };
    PlannedTensor {
        name: name.to_owned(),
        shape: shown.shape.clone(),
        dtypes: present.iter().map(|info| info.dtype).collect(),
        dtype_out,
        action,
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

fn by_dtype(present: &[&TensorInfo], options: &Options) -> Action {
    let first = present[0].dtype;
    let same = present.iter().all(|info| info.dtype == first);
    if let Some(info) = present.iter().find(|info| info.dtype.class() == DtypeClass::Unsupported) {
        return refuse(unsupported(info.dtype));
    }
    let floats = present.iter().filter(|info| info.dtype.class() == DtypeClass::Float).count();
    match floats {
        0 if same => Action::Copy { why: format!("{} is not averaged", first.name()) },
        n if n == present.len() && (same || options.dtype.is_some()) => {
            let why = match is_empty(&present[0].shape) {
                true => "it has no elements",
                false => "no Gram matrix",
            };
            Action::Average { why: why.into() }
        }
        n if n == present.len() => {
            refuse(format!("its dtype differs ({}); choose an output dtype", dtypes(present)))
        }
        _ => refuse(format!("its dtype differs between the models ({})", dtypes(present))),
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

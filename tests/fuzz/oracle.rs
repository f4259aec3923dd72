//! Answers of small merges by textbook formulas in f64, judged only where those are trustworthy.

use std::collections::BTreeMap;

use gramerge::checkpoint::Model;
use gramerge::plan::{Action, PlannedTensor};
use gramerge::recipe::Options;
use gramerge::recipe::Precision;
use gramerge::report::TensorReport;
use gramerge::tensor::Orientation;
use gramerge::tensor::dtype::{Dtype, decode};
use pollster::block_on;
use safetensors::SafeTensors;

use crate::common::Memory;
use crate::hunt::Verdict;
use crate::merges::Done;
use crate::textbook::Layer;

/// Sizes of numbers whose squares neither overflow nor vanish.
pub(crate) const SANE: std::ops::Range<f64> = 1e-60..1e60;

/// Every tensor's values, by the format's own crate; of integers nothing.
pub(crate) fn values(
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<BTreeMap<String, Vec<f64>>, String> {
    let mut values = BTreeMap::new();
    for bytes in files.values() {
        let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        for (name, view) in file.tensors() {
            let dtype = Dtype::from_name(&view.dtype().to_string()).ok_or("an unknown dtype")?;
            if is_float(dtype) {
                values.insert(name, decode(dtype, view.data()));
            }
        }
    }
    Ok(values)
}

fn is_float(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16)
}

/// Values of a model's tensor.
pub(crate) fn stored(model: &Model<Memory>, name: &str) -> Option<Vec<f64>> {
    let (file, info) = model.get(name)?;
    Some(decode(info.dtype, &block_on(file.read(info)).ok()?))
}

/// Compares every merged tensor with what it should be.
pub(crate) fn judge(done: &Done, merged: &BTreeMap<String, Vec<f64>>) -> Verdict {
    let plan = done.merge.plan();
    for (tensor, report) in plan.tensors.iter().zip(&done.report.tensors) {
        let Some(found) = merged.get(&tensor.name) else { continue };
        told(found, report)?;
        match tensor.action {
            Action::Regress { group, orientation } => {
                let is_fast = done.merge.options().precision == Precision::Fast;
                let has_missed = report.solve.as_ref().is_none_or(|solve| solve.missed.is_some());
                if !is_fast && !has_missed {
                    regressed(done, tensor, group, orientation, found)?;
                }
            }
            Action::Combine { .. } => averaged(done, tensor, found)?,
            Action::Keep { model } => {
                let own = stored(&done.merge.models().list[model], &tensor.name);
                same(tensor, found, &own.unwrap_or_default())?;
            }
            Action::Copy { .. } | Action::Refuse { .. } => {}
        }
    }
    Ok(())
}

/// Each model's part of the whole; `None` where the sum is none.
pub(crate) fn shares(options: &Options, n_models: usize) -> Option<Vec<f64>> {
    let ones = vec![1.0; n_models];
    let coefficients = if options.coefficients.is_empty() { &ones } else { &options.coefficients };
    let sum: f64 = coefficients.iter().sum();
    sum.is_finite().then(|| coefficients.iter().map(|c| c / sum).collect())
}

/// Checks that a NaN or infinity is mentioned.
fn told(found: &[f64], report: &TensorReport) -> Verdict {
    let is_kept = matches!(report.action.as_str(), "keep" | "copy");
    match found.iter().all(|value| value.is_finite()) || report.note.is_some() || is_kept {
        true => Ok(()),
        false => Err(format!("NaN or infinity in `{}`, and no word of it", report.name)),
    }
}

fn same(tensor: &PlannedTensor, found: &[f64], own: &[f64]) -> Verdict {
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    match bits(found) == bits(own) {
        true => Ok(()),
        false => Err(format!("`{}` is kept, but other values are written", tensor.name)),
    }
}

/// A unit in the last place, and the smallest number there is.
fn unit(dtype: Dtype, value: f64) -> f64 {
    let (relative, least) = match dtype {
        Dtype::F16 => (2f64.powi(-10), 2f64.powi(-24)),
        Dtype::BF16 => (2f64.powi(-7), 2f64.powi(-133)),
        Dtype::F32 => (2f64.powi(-23), 2f64.powi(-149)),
        _ => (2f64.powi(-52), f64::from_bits(1)),
    };
    relative * value.abs() + least
}

fn averaged(done: &Done, tensor: &PlannedTensor, found: &[f64]) -> Verdict {
    let models = &done.merge.models().list;
    let Some(shares) = shares(done.merge.options(), models.len()) else {
        return Err("coefficients without a finite sum were taken".into());
    };
    let own: Option<Vec<Vec<f64>>> =
        models.iter().map(|model| stored(model, &tensor.name)).collect();
    let own = own.ok_or("an averaged tensor is missing")?;
    for (index, value) in found.iter().enumerate() {
        let terms = || own.iter().zip(&shares).map(|(own, share)| share * own[index]);
        // A term of 0 · huge is rounded like the huge one where differences are formed.
        let size: f64 = own.iter().map(|own| own[index].abs()).sum();
        if !size.is_finite() || size > 1e300 {
            continue;
        }
        let wanted: f64 = terms().sum();
        let largest = match tensor.dtype_out {
            Dtype::F16 => 65504.0,
            Dtype::F32 | Dtype::BF16 => 3.38e38,
            _ => 1e300,
        };
        let allowed = unit(tensor.dtype_out, wanted) + 8.0 * f64::EPSILON * size;
        let is_near = (value - wanted).abs() <= allowed; // false for NaN
        if wanted.abs() < largest && !is_near {
            return Err(format!(
                "`{}` is averaged to {value:e} at {index}, and should be {wanted:e}",
                tensor.name
            ));
        }
    }
    Ok(())
}

fn regressed(
    done: &Done,
    tensor: &PlannedTensor,
    group: usize,
    orientation: Orientation,
    found: &[f64],
) -> Verdict {
    let n = done.merge.plan().groups[group].n_in as usize;
    let Some(layer) = Layer::read(done, tensor, group, orientation) else { return Ok(()) };
    let Some(wanted) = layer.solved() else { return Ok(()) };
    let found = turned(found.to_vec(), n, orientation);
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let size = norm(&mut wanted.iter().copied());
    // In a column that is nearly cancelled the formula's own error is that of its terms.
    let terms = norm(&mut layer.weights.iter().flatten().copied());
    let rounding = norm(&mut wanted.iter().map(|value| unit(tensor.dtype_out, *value)));
    let apart = norm(&mut found.iter().zip(&wanted).map(|(a, b)| a - b));
    let allowed = 1e-6 * size + rounding + 1e-14 * layer.condition * terms;
    match !SANE.contains(&size) || size >= largest(tensor.dtype_out) || apart <= allowed {
        true => Ok(()),
        false => Err(format!(
            "`{}` is off by {apart:e} of {size:e} (allowed {allowed:e}, condition {:e})",
            tensor.name, layer.condition
        )),
    }
}

/// Norms above which elements may be too large for the output.
fn largest(dtype: Dtype) -> f64 {
    if dtype == Dtype::F16 { 6e4 } else { 1e38 }
}

/// `[out, in]`, row by row, of a weight that is stored `[in, out]`.
pub(crate) fn turned(values: Vec<f64>, n: usize, orientation: Orientation) -> Vec<f64> {
    let m = values.len() / n.max(1);
    match orientation {
        Orientation::OutIn => values,
        Orientation::InOut => (0..m * n).map(|i| values[(i % n) * m + i / n]).collect(),
    }
}

//! Answers of small merges by textbook formulas in f64, judged only where those are trustworthy.

use std::collections::BTreeMap;

use gramerge::dtype::{Dtype, decode};
use gramerge::format::{GramLayout, Normalization, TensorInfo};
use gramerge::io::read_range;
use gramerge::merge::Model;
use gramerge::merge::options::Precision;
use gramerge::merge::plan::{Action, Orientation, PlannedTensor};
use gramerge::merge::report::TensorReport;
use pollster::block_on;
use safetensors::SafeTensors;

use crate::common::Memory;
use crate::hunt::Verdict;
use crate::merges::Done;

/// Beyond this condition the textbook formula is no judge.
const MAX_CONDITION: f64 = 1e6;
/// Sizes of numbers whose squares neither overflow nor vanish.
const SANE: std::ops::Range<f64> = 1e-60..1e60;

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

/// What a tensor of a model holds, one value after the other.
fn stored(model: &Model<Memory>, name: &str) -> Option<Vec<f64>> {
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
            Action::Average { .. } => averaged(done, tensor, found)?,
            Action::Keep { model } => {
                let own = stored(&done.merge.models().list[model], &tensor.name);
                same(tensor, found, &own.unwrap_or_default())?;
            }
            Action::Copy { .. } | Action::Refuse { .. } => {}
        }
    }
    Ok(())
}

/// What is not finite is mentioned.
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
    let shares = done.merge.options().normalised_coefficients(models.len());
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
        if wanted.abs() < largest && !((value - wanted).abs() <= allowed) {
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
fn turned(values: Vec<f64>, n: usize, orientation: Orientation) -> Vec<f64> {
    let m = values.len() / n.max(1);
    match orientation {
        Orientation::OutIn => values,
        Orientation::InOut => (0..m * n).map(|i| values[(i % n) * m + i / n]).collect(),
    }
}

/// The numbers of one weight's equation.
struct Layer {
    n: usize,
    weights: Vec<Vec<f64>>, // [models][out, in]
    grams: Vec<Vec<f64>>,   // [models][in, in], shrunk and weighted
    condition: f64,
}

impl Layer {
    /// `None` where the textbook formula would not do, or the meaning is not the oracle's to say.
    fn read(
        done: &Done,
        tensor: &PlannedTensor,
        group: usize,
        orientation: Orientation,
    ) -> Option<Self> {
        let merge = &done.merge;
        let (models, options) = (&merge.models().list, merge.options());
        let group = &merge.plan().groups[group];
        let n = group.n_in as usize;
        let shares = options.normalised_coefficients(models.len());
        let (mut weights, mut grams) = (Vec::new(), Vec::new());
        for ((model, key), share) in models.iter().zip(&group.gram_names).zip(shares) {
            weights.push(turned(stored(model, &tensor.name)?, n, orientation));
            let mut gram = gram(model, key, n)?;
            for (index, value) in gram.iter_mut().enumerate() {
                *value *= if index % (n + 1) == 0 { share } else { share * options.alpha };
            }
            grams.push(gram);
        }
        let mut layer = Self { n, weights, grams, condition: 1.0 };
        layer.condition = layer.condition()?;
        (layer.condition < MAX_CONDITION).then_some(layer)
    }

    /// Σ G̃_i with a unit diagonal, and what it was scaled by.
    fn scaled_sum(&self) -> Option<(Vec<f64>, Vec<f64>)> {
        let n = self.n;
        let at = |index: usize| self.grams.iter().map(|gram| gram[index]).sum::<f64>();
        let mut sum: Vec<f64> = (0..n * n).map(at).collect();
        let diagonal: Vec<f64> = (0..n).map(|i| sum[i * n + i]).collect();
        if !diagonal.iter().all(|value| SANE.contains(value)) {
            return None;
        }
        let scale: Vec<f64> = diagonal.iter().map(|value| value.sqrt().recip()).collect();
        for (index, value) in sum.iter_mut().enumerate() {
            *value *= scale[index / n] * scale[index % n];
        }
        Some((sum, scale))
    }

    /// ‖T‖ ‖T⁻¹‖ in the largest row sum.
    fn condition(&self) -> Option<f64> {
        let (sum, _) = self.scaled_sum()?;
        let n = self.n;
        let unit: Vec<f64> =
            (0..n * n).map(|index| if index % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
        let inverse = solve(n, &sum, unit)?;
        let norm = |values: &[f64]| {
            let rows = values.chunks(n).map(|row| row.iter().map(|x| x.abs()).sum::<f64>());
            rows.fold(0.0, gramerge::larger)
        };
        Some(norm(&sum) * norm(&inverse)).filter(|condition| condition.is_finite())
    }

    /// A + Σ (W_i − A) G̃_i (Σ G̃_i)⁻¹, where all numbers are of sane size.
    fn solved(&self) -> Option<Vec<f64>> {
        let n = self.n;
        let is_sane = |value: &f64| *value == 0.0 || SANE.contains(&value.abs());
        if !self.weights.iter().chain(&self.grams).flatten().all(is_sane) {
            return None;
        }
        let (sum, scale) = self.scaled_sum()?;
        let anchor = &self.weights[0];
        let mut right = vec![0.0; anchor.len()];
        for (weight, gram) in self.weights.iter().zip(&self.grams) {
            for (index, value) in right.iter_mut().enumerate() {
                let (row, col) = (index / n, index % n);
                let terms =
                    (0..n).map(|k| (weight[row * n + k] - anchor[row * n + k]) * gram[k * n + col]);
                *value += terms.sum::<f64>() * scale[col];
            }
        }
        let solved = solve(n, &sum, right)?;
        let at = |(index, x): (usize, &f64)| anchor[index] + x * scale[index % n];
        Some(solved.iter().enumerate().map(at).collect())
    }
}

/// A Gram matrix per row, both halves; `None` where sums have no row count.
fn gram(model: &Model<Memory>, key: &str, n: usize) -> Option<Vec<f64>> {
    let file = model.gram()?;
    let entry = file.entries.values().find(|entry| entry.key == key)?;
    let (source, info) = model.gram_tensor(entry).ok()?;
    let scale = match file.normalization {
        Normalization::Mean => 1.0,
        Normalization::Sum => entry.rows.filter(|rows| *rows > 0.0)?.recip(),
    };
    let start = source.header.data_start_bytes + info.begin_bytes;
    let TensorInfo { dtype, .. } = *info;
    let bytes = block_on(read_range(&source.source, start, info.len_bytes())).ok()?;
    let values = decode(dtype, &bytes);
    let at = |i: usize, j: usize| match entry.layout {
        GramLayout::Full => (values[i * n + j] + values[j * n + i]) / 2.0,
        GramLayout::Packed => values[i.min(j) * (2 * n - i.min(j) + 1) / 2 + i.abs_diff(j)],
    };
    Some((0..n * n).map(|index| scale * at(index / n, index % n)).collect())
}

/// X with X S = B by elimination with pivots, for symmetric `s: [n, n]` and `b: [m, n]`.
fn solve(n: usize, s: &[f64], mut b: Vec<f64>) -> Option<Vec<f64>> {
    let mut s = s.to_vec();
    for k in 0..n {
        let pivot = (k..n).max_by(|i, j| s[i * n + k].abs().total_cmp(&s[j * n + k].abs()))?;
        if s[pivot * n + k] == 0.0 {
            return None;
        }
        (0..n).for_each(|j| s.swap(k * n + j, pivot * n + j));
        b.chunks_mut(n).for_each(|row| row.swap(k, pivot));
        for i in k + 1..n {
            let factor = s[i * n + k] / s[k * n + k];
            (k..n).for_each(|j| s[i * n + j] -= factor * s[k * n + j]);
            b.chunks_mut(n).for_each(|row| row[i] -= factor * row[k]);
        }
    }
    for row in b.chunks_mut(n) {
        for k in (0..n).rev() {
            let done: f64 = (k + 1..n).map(|j| s[k * n + j] * row[j]).sum();
            row[k] = (row[k] - done) / s[k * n + k];
        }
    }
    Some(b)
}

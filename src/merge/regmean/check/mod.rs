//! How far a finished weight is from the solution, which is computed anew in f64.
//!
//! Where the Grams determine it, one Newton step from the finished weight is the solution; where
//! they do not, or hardly, iterating from the weighted mean is, as when solving. The two orders of
//! accuracy overlap, and what either explains is right.
//!
//! - [`units`]: rows of any size, brought near 1.
//! - [`system`]: residuals and steps, made of the files' bytes.
//! - [`sizes`], [`compare`]: which distances from the solution the contract allows.

mod compare;
mod sizes;
mod system;
mod units;

use compare::Allowance;
use system::System;

use super::crew::Arithmetic;
use super::estimate::{self, norm, ratio};
use super::factor::{self, Factorised};
use super::layer::LayerGroup;
use super::matrix::Stored;
use super::solve::{MAX_CONDITION_F64, factorise_with_floor, first_arithmetic};
use crate::Result;
use crate::backend::Backend;
use crate::merge::options::Precision;
use crate::merge::plan::Orientation;

/// Until here no solver has a reason to put a floor under the diagonal.
const CLEAR_CONDITION: f64 = 1e8;
/// Estimates of a condition differ by less than this.
const ESTIMATES_APART: f64 = 10.0;
/// What the solver may leave of a tensor when it stops iterating, and what it would still do.
const LEFT_BY_ITERATING: f64 = 2e-7;
const MAX_STEPS: usize = 12;
/// Steps that are too small to go on.
const SMALL_STEP: f64 = 1e-9;
/// Elements this many times their row's largest input are not the start of a step.
const FAR: f64 = 16.0;

/// One element of a weight `[out, in]`, and what it should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Element {
    /// Its row.
    pub row: usize,
    /// Its column.
    pub col: usize,
    /// Its value.
    pub found: f64,
    /// The solution there.
    pub due: f64,
}

/// What a check found about one weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// ‖W − W*‖ / ‖W*‖ beyond what rounding to the output dtype explains. Where a row or an element is
    /// further out of its own bound, as many times `bound`.
    pub error: f64,
    /// What the error may be.
    pub bound: f64,
    /// ‖R̂(Ŵ)‖ / (‖T‖ ‖Ŵ‖).
    pub residual: f64,
    /// The element that is furthest out of its bound, if one is out.
    pub wrong: Option<Element>,
}

impl Checked {
    fn is_within(&self) -> bool {
        self.error <= self.bound
    }
}

/// Checks the group's merged weights, in the output dtype and orientation.
///
/// # Errors
/// As the backend's, and `Numeric` as when solving.
pub async fn check<D: Backend<Scalar = f64>>(
    double: &D,
    group: &LayerGroup,
    merged: Vec<Vec<u8>>,
    precision: Precision,
) -> Result<Vec<Checked>> {
    let system = System::of(group);
    let merged: Vec<Stored> = merged
        .into_iter()
        .zip(&group.weights)
        .map(|(bytes, weight)| Stored { bytes, dtype: weight.dtype_out, ..shape(weight) })
        .collect();
    let mean = system.mean();
    let start = start(&system, &merged, &mean);
    let residual = system.residual(double, &start, &mean).await?;
    let mut found = None;
    if let Ok(plain) = factor::factorise(double, group, &system.scaling, 0.0).await? {
        let condition = estimate::condition(double, &plain, group.n()).await?;
        if condition <= ESTIMATES_APART * MAX_CONDITION_F64 {
            let mut at = start.clone();
            system.step(double, &plain, residual.clone(), &mut at).await?;
            let allowance = allowance(group, precision, condition, 0.0);
            let mut checked = compare::compare(&system, &at, &merged, allowance);
            set_residuals(&system, &mut checked, &residual, &start, plain.norm);
            if condition <= CLEAR_CONDITION || checked.iter().all(Checked::is_within) {
                return Ok(checked);
            }
            found = Some(checked);
        }
    }
    let floored = factorise_with_floor(double, group, &system.scaling).await?.factorised;
    let condition = estimate::condition(double, &floored, group.n()).await?;
    let at = iterated(&system, double, &floored, &mean).await?;
    let allowance = allowance(group, precision, condition, LEFT_BY_ITERATING);
    let mut checked = compare::compare(&system, &at, &merged, allowance);
    set_residuals(&system, &mut checked, &residual, &start, floored.norm);
    Ok(match found {
        None => checked,
        Some(found) => found.into_iter().zip(checked).map(better).collect(),
    })
}

fn better((a, b): (Checked, Checked)) -> Checked {
    if b.is_within() { b } else { a }
}

/// Rows and columns as they are stored.
fn shape(weight: &super::Weight) -> Stored {
    let Stored { dtype, rows, cols, .. } = weight.stored[0];
    Stored { bytes: Vec::new(), dtype, rows, cols }
}

/// A row of a weight `[out, in]`.
fn read_row(stored: &Stored, orientation: Orientation, row: usize, out: &mut [f64]) {
    match orientation {
        Orientation::OutIn => stored.read_row(row, 0..out.len(), out),
        Orientation::InOut => stored.read_col(row, 0..out.len(), out),
    }
}

/// The finished weights in row units; the mean where an element is not finite, or far from all that
/// it was made of. `[m, n]`
fn start(system: &System<'_>, merged: &[Stored], mean: &[f64]) -> Vec<f64> {
    let group = system.group;
    let n = group.n();
    let mut start = vec![0.0; group.n_rows() * n];
    let mut lines = start.chunks_mut(n.max(1)).zip(mean.chunks(n.max(1))).zip(&system.exponents);
    for (weight, merged) in group.weights.iter().zip(merged) {
        for (row, ((line, mean), exponent)) in (0..weight.n_out()).zip(&mut lines) {
            read_row(merged, weight.orientation, row, line);
            for (value, mean) in line.iter_mut().zip(mean) {
                *value = units::times_power(*value, -exponent);
                let is_near = value.abs() <= FAR;
                *value = if is_near { *value } else { *mean };
            }
        }
    }
    start
}

/// Iterated Tikhonov from the weighted mean. `[m, n]`
async fn iterated<D: Backend<Scalar = f64>>(
    system: &System<'_>,
    double: &D,
    factorised: &Factorised<D>,
    mean: &[f64],
) -> Result<Vec<f64>> {
    let n = system.group.n().max(1);
    let mut at = mean.to_vec();
    for _ in 0..MAX_STEPS {
        let residual = system.residual(double, &at, mean).await?;
        let step = system.step(double, factorised, residual, &mut at).await?;
        let mut rows = step.chunks(n).zip(at.chunks(n));
        if rows.all(|(step, at)| norm(step) <= SMALL_STEP * norm(at)) {
            break;
        }
    }
    Ok(at)
}

fn allowance(group: &LayerGroup, precision: Precision, condition: f64, left: f64) -> Allowance {
    // Which arithmetic made the weight is not known: `exact` at most makes it better.
    let precision = if precision == Precision::Exact { Precision::Auto } else { precision };
    let is_single = first_arithmetic(group, precision) == Arithmetic::Single;
    Allowance::new(condition, left, is_single)
}

/// ‖R̂(Ŵ)‖ / (‖T‖ ‖Ŵ‖) of each weight.
fn set_residuals(
    system: &System<'_>,
    checked: &mut [Checked],
    residual: &[f64],
    start: &[f64],
    norm_t: f64,
) {
    let n = system.group.n();
    let mut first = 0;
    for (weight, checked) in system.group.weights.iter().zip(checked) {
        let rows = first..first + weight.n_out();
        let unit = system.exponents[rows.clone()].iter().copied().max().unwrap_or(0);
        let size = |values: &[f64], by_hat: bool| {
            let lines = values[rows.start * n..rows.end * n].chunks(n.max(1));
            let sizes = lines.zip(&system.exponents[rows.clone()]).map(|(line, exponent)| {
                let hat = |(value, hat): (&f64, &f64)| if by_hat { value * hat } else { *value };
                let hats: Vec<f64> = line.iter().zip(&system.hat).map(hat).collect();
                units::times_power(norm(&hats), exponent - unit)
            });
            norm(&sizes.collect::<Vec<f64>>())
        };
        checked.residual = ratio(size(residual, false), norm_t * size(start, true));
        first = rows.end;
    }
}

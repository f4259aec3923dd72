//! Finished weights beside the solution: by a Newton step from them, or a few, or iterated from the mean.

use super::compare::{Allowance, compare};
use super::system::System;
use super::{Checked, read_row};
use crate::Result;
use crate::backend::Backend;
use crate::methods::regmean::Precision;
use crate::methods::regmean::crew::Arithmetic;
use crate::methods::regmean::estimate::{self, norm, ratio};
use crate::methods::regmean::factor::{self, Factorised};
use crate::methods::regmean::layer::{LayerGroup, Weight};
use crate::methods::regmean::solve::{
    Floored, MAX_CONDITION_F64, factorise_with_floor, first_arithmetic,
};
use crate::tensor::powers::times_power;
use crate::tensor::stored::Stored;

/// Estimates of a condition differ by less than this.
const ESTIMATES_APART: f64 = 10.0;
/// What the solver may leave of a tensor when it stops iterating.
const LEFT_BY_ITERATING: f64 = 2e-7;
const MAX_STEPS: usize = 12;
/// Newton steps at most: usually one.
const MAX_NEWTON_STEPS: usize = 4;
/// A step relative to where it began, after which no other is needed.
const SHORT_STEP: f64 = 0.1;
/// Steps that are too small to go on.
const SMALL_STEP: f64 = 1e-9;
/// Elements this many times their row's largest input are not the start of a step.
const FAR: f64 = 16.0;

/// The merged weights of a group, and what is known before any factor.
pub(super) struct Finished<'a, D> {
    double: &'a D,
    system: System<'a>,
    merged: Vec<Stored>,
    /// In row units. `[m, n]`
    mean: Vec<f64>,
    /// The merged weights in row units; the mean where an element is not finite, or far from all
    /// that it was made of. `[m, n]`
    start: Vec<f64>,
    /// R̂ there. `[m, n]`
    residual: Vec<f64>,
    /// Whether f32 may have solved.
    is_single: bool,
}

impl<'a, D: Backend<Scalar = f64>> Finished<'a, D> {
    pub(super) async fn new(
        double: &'a D,
        group: &'a LayerGroup,
        merged: Vec<Vec<u8>>,
        precision: Precision,
    ) -> Result<Self> {
        let system = System::of(group);
        let merged: Vec<Stored> = merged.into_iter().zip(&group.weights).map(stored).collect();
        let mean = system.mean();
        let start = start(&system, &merged, &mean);
        let residual = system.residual(double, &start, &mean).await?;
        // Which arithmetic made the weight is not known: `exact` at most makes it better.
        let precision = if precision == Precision::Exact { Precision::Auto } else { precision };
        let is_single = first_arithmetic(group, &system.scaling, precision) == Arithmetic::Single;
        Ok(Self { double, system, merged, mean, start, residual, is_single })
    }

    /// By one Newton step, and the condition; `None` where T has no digits.
    pub(super) async fn beside_one_step(&self) -> Result<Option<(f64, Vec<Checked>)>> {
        let (double, group, scaling) = (self.double, self.system.group, &self.system.scaling);
        let Ok(plain) = factor::factorise(double, group, scaling, 0.0).await? else {
            return Ok(None);
        };
        let condition = estimate::condition(double, group, scaling, &plain, 0.0).await?;
        // Not `>`: a NaN must fail.
        let has_digits = condition <= ESTIMATES_APART * MAX_CONDITION_F64;
        if !has_digits {
            return Ok(None);
        }
        let mut at = self.start.clone();
        let mut step = self.system.step(double, &plain, self.residual.clone(), &mut at).await?;
        for _ in 1..MAX_NEWTON_STEPS {
            if self.is_short(&step) {
                break;
            }
            let residual = self.system.residual(double, &at, &self.mean).await?;
            step = self.system.step(double, &plain, residual, &mut at).await?;
        }
        Ok(Some((condition, self.compare(at, &plain, condition, 0.0))))
    }

    /// Whether a step ends near where it began, so that what it lost is small, too. Where a feature is
    /// graded far beyond another, what the first step loses of the one is large beside the other.
    fn is_short(&self, step: &[f64]) -> bool {
        let n = self.system.group.n().max(1);
        let mut rows = step.chunks(n).zip(self.start.chunks(n));
        rows.all(|(step, start)| norm(step) <= SHORT_STEP * norm(start))
    }

    /// By iterated Tikhonov from the weighted mean, as when solving.
    pub(super) async fn beside_iterated(&self) -> Result<Vec<Checked>> {
        let (double, group, scaling) = (self.double, self.system.group, &self.system.scaling);
        let Floored { factorised: floored, floor, .. } =
            factorise_with_floor(double, group, scaling).await?;
        let condition = estimate::condition(double, group, scaling, &floored, floor).await?;
        let n = group.n().max(1);
        let mut at = self.mean.clone();
        for _ in 0..MAX_STEPS {
            let residual = self.system.residual(double, &at, &self.mean).await?;
            let step = self.system.step(double, &floored, residual, &mut at).await?;
            let mut rows = step.chunks(n).zip(at.chunks(n));
            if rows.all(|(step, at)| norm(step) <= SMALL_STEP * norm(at)) {
                break;
            }
        }
        Ok(self.compare(at, &floored, condition, LEFT_BY_ITERATING))
    }

    fn compare(
        &self,
        mut at: Vec<f64>,
        factor: &Factorised<D>,
        cond: f64,
        left: f64,
    ) -> Vec<Checked> {
        self.system.settle(&mut at, &self.mean);
        let allowance = Allowance::new(self.system.group.n(), cond, left, self.is_single);
        let mut checked = compare(&self.system, &at, &self.merged, allowance);
        let mut first = 0;
        for (weight, checked) in self.system.group.weights.iter().zip(&mut checked) {
            let rows = first..first + weight.n_out();
            first = rows.end;
            let size = |values, hat: &[f64]| size(&self.system, rows.clone(), values, hat);
            let residual = size(&self.residual, &vec![1.0; self.system.hat.len()]);
            checked.residual = ratio(residual, factor.norm * size(&self.start, &self.system.hat));
        }
        checked
    }
}

/// A merged weight, of its inputs' shape.
fn stored((bytes, weight): (Vec<u8>, &Weight)) -> Stored {
    let Stored { rows, cols, .. } = weight.stored[0];
    Stored { bytes, dtype: weight.dtype_out, rows, cols }
}

/// Where the Newton step begins. `[m, n]`
fn start(system: &System<'_>, merged: &[Stored], mean: &[f64]) -> Vec<f64> {
    let n = system.group.n();
    let mut start = vec![0.0; mean.len()];
    let mut lines = start.chunks_mut(n.max(1)).zip(mean.chunks(n.max(1))).zip(&system.exponents);
    for (weight, merged) in system.group.weights.iter().zip(merged) {
        for (row, ((line, mean), exponent)) in (0..weight.n_out()).zip(&mut lines) {
            read_row(merged, weight.orientation, row, line);
            for (value, mean) in line.iter_mut().zip(mean) {
                let own = times_power(*value, -exponent);
                // Not `>`: a NaN is not near.
                *value = if own.abs() <= FAR { own } else { *mean };
            }
        }
    }
    start
}

/// ‖values diag(hat)‖ of some rows, in units of the largest.
fn size(system: &System<'_>, rows: std::ops::Range<usize>, values: &[f64], hat: &[f64]) -> f64 {
    let n = hat.len();
    let exponents = &system.exponents[rows.clone()];
    let unit = exponents.iter().copied().max().unwrap_or(0);
    let lines = values[rows.start * n..rows.end * n].chunks(n.max(1));
    let size = |(line, exponent): (&[f64], &i32)| {
        let hats: Vec<f64> = line.iter().zip(hat).map(|(value, hat)| value * hat).collect();
        times_power(norm(&hats), exponent - unit)
    };
    norm(&lines.zip(exponents).map(size).collect::<Vec<f64>>())
}

//! Which arithmetic a layer needs, and what happens when it does not suffice.
//!
//! Under `auto`: f32 if the condition of T promises 1e-6 and the probes agree afterwards; else
//! f64; else (T singular, or nearly) f64 with a small floor, iterated from the weighted mean.
//! Iterating removes the floor's bias from every direction that the Grams determine, and leaves
//! the others at the mean, which is the limit of a vanishing floor.

use super::estimate::{self, Judgement, ratio};
use super::layer::{LayerGroup, Weight};
use super::product::{self, Factorised, Scaling};
use crate::backend::Backend;
use crate::dtype::{Dtype, Real};
use crate::merge::options::Precision;
use crate::merge::report::{SolvePath, SolveReport};
use crate::merge::sums;
use crate::{Error, Result};

/// The accuracy contract: relative error of a merged weight, Frobenius.
pub const CONTRACT: f64 = 1e-6;
/// An estimate must stay this far below the contract to be trusted.
const TRUSTED: f64 = CONTRACT / 2.0;
/// Error of an f32 solve ≈ this · u · cond · ‖X‖/‖W‖: 0.13 to 0.36 on the Grams of MiniLM.
const GROWTH: f64 = 0.4;
/// Beyond this condition an f64 solution has no digits worth estimating.
const MAX_CONDITION_F64: f64 = 1e11;
/// Below this size f64 costs nothing noticeable.
const SMALL: usize = 64;

/// Floors that are tried in turn, relative to ‖T‖.
const FLOORS: [f64; 8] = [1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4];
/// The working floor is at least this …
const MIN_FLOOR: f64 = 1e-9;
/// … and this many times the smallest that made T positive: the Grams' own rounding noise.
const ABOVE_NOISE: f64 = 100.0;
const MAX_STEPS: usize = 12;

/// The two arithmetics.
#[derive(Debug, Clone, Copy, Default)]
pub struct Engines<F, D> {
    /// Computes in f32.
    pub single: F,
    /// Computes in f64.
    pub double: D,
}

/// X `[m, n]`, in the arithmetic it was solved in.
#[derive(Debug, Clone)]
enum Difference {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// The solved group: W = A + X.
#[derive(Debug, Clone)]
pub struct Solution {
    x: Difference,
    /// One per weight.
    pub reports: Vec<SolveReport>,
}

impl Solution {
    /// Row `row` of the group's X. `out: [n]`.
    pub fn difference_row(&self, row: usize, out: &mut [f64]) {
        let range = row * out.len()..(row + 1) * out.len();
        match &self.x {
            Difference::F32(x) => out.iter_mut().zip(&x[range]).for_each(|(o, v)| *o = v.to_f64()),
            Difference::F64(x) => out.copy_from_slice(&x[range]),
        }
    }
}

/// Solves one layer group.
///
/// # Errors
/// `Input` if a weight holds a NaN or infinity, `Numeric` if the Grams are not positive
/// semidefinite, and the backends' own.
pub async fn solve<F: Backend<Scalar = f32>, D: Backend<Scalar = f64>>(
    engines: &Engines<F, D>,
    group: &LayerGroup,
    precision: Precision,
) -> Result<Solution> {
    let problem = Problem::new(group)?;
    let Engines { single, double } = engines;
    if let Some(limits) = problem.single_limits(precision)
        && let Some(solved) = problem.direct(single, double, limits).await?
    {
        return Ok(solved.finish(&problem, SolvePath::F32, Difference::F32));
    }
    let limits = Limits { condition: MAX_CONDITION_F64, error: TRUSTED };
    if let Some(solved) = problem.direct(double, double, limits).await? {
        return Ok(solved.finish(&problem, SolvePath::F64, Difference::F64));
    }
    let solved = problem.iterated(double).await?;
    Ok(solved.finish(&problem, SolvePath::F64Iterated, Difference::F64))
}

/// What an attempt must keep below.
#[derive(Debug, Clone, Copy)]
struct Limits {
    condition: f64,
    error: f64,
}

/// A group with what is known before any product.
struct Problem<'a> {
    group: &'a LayerGroup,
    scaling: Scaling,
    /// Largest ‖W_i − A‖ / ‖A‖ of all weights and models.
    spread: f64,
}

/// X̂ and what it took.
struct Solved<T> {
    x: Vec<T>, // [m, n], scaled
    condition: f64,
    judgements: Vec<Judgement>,
    n_iterations: usize,
    floor: f64,
    remark: Option<String>,
}

impl<'a> Problem<'a> {
    fn new(group: &'a LayerGroup) -> Result<Self> {
        Ok(Self { group, scaling: Scaling::of(group), spread: spread(group)? })
    }

    /// Limits for f32, or `None` where it cannot or need not be tried.
    fn single_limits(&self, precision: Precision) -> Option<Limits> {
        match precision {
            Precision::Exact => None,
            Precision::Fast => Some(Limits { condition: f64::INFINITY, error: f64::INFINITY }),
            Precision::Auto if self.group.n() <= SMALL || self.has_short_output() => None,
            Precision::Auto => {
                let condition = TRUSTED / (GROWTH * f32::UNIT_ROUNDOFF * self.spread);
                Some(Limits { condition, error: TRUSTED })
            }
        }
    }

    /// 16-bit outputs must be right to one unit in the last place of every element, which a bound
    /// on the norm does not give: they are solved in f64.
    fn has_short_output(&self) -> bool {
        self.group.weights.iter().any(|weight| matches!(weight.dtype_out, Dtype::F16 | Dtype::BF16))
    }

    /// One factorisation and one solve, or `None` if a limit is passed.
    async fn direct<B: Backend, D: Backend<Scalar = f64>>(
        &self,
        backend: &B,
        double: &D,
        limits: Limits,
    ) -> Result<Option<Solved<B::Scalar>>> {
        let (group, scaling) = (self.group, &self.scaling);
        let Ok(factorised) = product::factorise(backend, group, scaling, 0.0).await? else {
            return Ok(None);
        };
        let condition = estimate::condition(backend, &factorised, group.n()).await?;
        if condition.is_nan() || condition > limits.condition {
            return Ok(None);
        }
        let mut x = product::residual(backend, group, scaling, None).await?;
        backend.solve(&factorised.factor, &mut x).await?;
        let mut x = backend.download(x).await?;
        self.set_dead(&mut x);
        let judgements = estimate::judge(backend, double, group, scaling, &factorised, &x).await?;
        let passed = judgements.iter().all(|judgement| judgement.error <= limits.error);
        let solved = Solved { x, condition, judgements, n_iterations: 0, floor: 0.0, remark: None };
        Ok(passed.then_some(solved))
    }

    /// Iterated Tikhonov: X ← X + R(X) (T + Λ)⁻¹ from the weighted mean.
    async fn iterated<D: Backend<Scalar = f64>>(&self, double: &D) -> Result<Solved<f64>> {
        let group = self.group;
        let Floored { factorised, floor, noisy } =
            factorise_with_floor(double, group, &self.scaling).await?;
        let condition = estimate::condition(double, &factorised, group.n()).await?;
        let mut x = self.mean(); // [m, n], scaled
        let (mut n_iterations, mut steps) = (0, Steps::default());
        while n_iterations < MAX_STEPS && !steps.done() {
            let mut step = product::residual(double, group, &self.scaling, Some(&x)).await?;
            double.solve(&factorised.factor, &mut step).await?;
            let step = double.download(step).await?;
            x.iter_mut().zip(&step).for_each(|(x, step)| *x += step);
            steps.push(self.relative_sizes(&x, &step));
            n_iterations += 1;
        }
        let judged = estimate::judge(double, double, group, &self.scaling, &factorised, &x).await?;
        let judgements = judged
            .iter()
            .zip(steps.remaining())
            .map(|(judged, error)| Judgement { error, ..*judged })
            .collect();
        let remark = noisy.then(|| noise_remark(floor));
        Ok(Solved { x, condition, judgements, n_iterations, floor, remark })
    }

    /// The weighted mean as X̂. `[m, n]`
    fn mean(&self) -> Vec<f64> {
        let n = self.group.n();
        let mut x = vec![0.0; self.group.n_rows() * n];
        for ((_, weight, row), out) in self.group.rows().zip(x.chunks_mut(n.max(1))) {
            self.group.mean_difference(weight, row, out);
            out.iter_mut().zip(&self.scaling.scale).for_each(|(value, s)| *value /= s);
        }
        x
    }

    /// Features that no Gram saw take the weighted mean: λ_j pulls there, and nothing else pulls.
    fn set_dead<T: Real>(&self, x: &mut [T]) {
        if self.scaling.n_dead() == 0 {
            return;
        }
        let n = self.group.n();
        let mut mean = vec![0.0; n];
        for ((_, weight, row), out) in self.group.rows().zip(x.chunks_mut(n.max(1))) {
            self.group.mean_difference(weight, row, &mut mean);
            for j in (0..n).filter(|j| self.scaling.dead[*j]) {
                out[j] = T::from_f64(mean[j]);
            }
        }
    }

    /// ‖step‖ / ‖A + X‖ of each weight.
    fn relative_sizes(&self, x: &[f64], step: &[f64]) -> Vec<f64> {
        let n = self.group.n();
        let mut sizes = Vec::new();
        let mut start = 0;
        let mut anchor = vec![0.0; n];
        for weight in &self.group.weights {
            let (mut moved, mut size) = (0.0, 0.0);
            for row in 0..weight.n_out() {
                weight.read(0, row, 0..n, &mut anchor);
                for (j, a) in anchor.iter().enumerate() {
                    let s = self.scaling.scale[j];
                    moved += (step[start + j] * s).powi(2);
                    size += (a + x[start + j] * s).powi(2);
                }
                start += n;
            }
            sizes.push(ratio(moved.sqrt(), size.sqrt()));
        }
        sizes
    }
}

/// A factor of T with a floor under its diagonal.
pub(super) struct Floored<D: Backend> {
    pub(super) factorised: Factorised<D>,
    floor: f64,
    /// T without the floor was indefinite beyond f64 rounding.
    noisy: bool,
}

/// The smallest working floor with which T is positive definite.
pub(super) async fn factorise_with_floor<D: Backend<Scalar = f64>>(
    double: &D,
    group: &LayerGroup,
    scaling: &Scaling,
) -> Result<Floored<D>> {
    let mut norm = group.n() as f64; // ‖T‖ ≤ trace T ≈ n
    for (tried, smallest) in FLOORS.into_iter().enumerate() {
        let factorise = |floor| product::factorise(double, group, scaling, floor);
        let Ok(found) = factorise(smallest * norm).await? else { continue };
        norm = found.norm;
        let above_noise = if tried == 0 { 1.0 } else { ABOVE_NOISE };
        let floor = (smallest * above_noise).max(MIN_FLOOR) * norm;
        if let Ok(factorised) = factorise(floor).await? {
            return Ok(Floored { factorised, floor, noisy: tried > 0 });
        }
    }
    let what = "the Gram matrices are not positive semidefinite, so no merge minimises their loss";
    Err(Error::numeric(what)
        .tensor(&group.weights[0].name)
        .advice("make the Gram files again, in float32 or better, or lower alpha"))
}

/// How the steps of an iteration shrink, per weight.
#[derive(Debug, Default)]
struct Steps {
    last: Vec<f64>,
    before: Vec<f64>,
}

impl Steps {
    fn push(&mut self, sizes: Vec<f64>) {
        self.before = std::mem::replace(&mut self.last, sizes);
    }

    fn done(&self) -> bool {
        !self.last.is_empty() && worst(&self.last) <= CONTRACT / 100.0
    }

    /// What the steps still to come would add: a geometric series.
    fn remaining(&self) -> Vec<f64> {
        let rest = |(index, last): (usize, &f64)| {
            let rate = self.before.get(index).map_or(0.0, |before| ratio(*last, *before));
            let rate = rate.clamp(0.0, 0.99);
            (last * rate / (1.0 - rate)).max(last * CONTRACT)
        };
        self.last.iter().enumerate().map(rest).collect()
    }
}

fn worst(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, b| a.max(*b))
}

fn noise_remark(floor: f64) -> String {
    format!(
        "the Grams are singular to their own rounding: directions below {floor:.0e} of the \
         diagonal keep the weighted mean, and no float64 solution is defined there"
    )
}

impl<T: Real> Solved<T> {
    fn finish(
        mut self,
        problem: &Problem<'_>,
        path: SolvePath,
        wrap: impl Fn(Vec<T>) -> Difference,
    ) -> Solution {
        for row in self.x.chunks_mut(problem.group.n().max(1)) {
            for (value, s) in row.iter_mut().zip(&problem.scaling.scale) {
                *value = T::from_f64(value.to_f64() * s);
            }
        }
        let reports = self.judgements.iter().map(|judged| self.report(problem, path, judged));
        let reports = reports.collect();
        Solution { x: wrap(self.x), reports }
    }

    fn report(&self, problem: &Problem<'_>, path: SolvePath, judged: &Judgement) -> SolveReport {
        SolveReport {
            path,
            condition: self.condition,
            error_estimate: judged.error,
            residual: judged.residual,
            n_dead_features: problem.scaling.n_dead(),
            n_iterations: self.n_iterations,
            floor: self.floor,
            missed: self.remark.clone().or_else(|| missed(path, judged.error)),
        }
    }
}

/// Which bound was missed, and why.
fn missed(path: SolvePath, error: f64) -> Option<String> {
    if error <= CONTRACT {
        return None;
    }
    let why = match path {
        SolvePath::F32 => "float32 was asked for",
        SolvePath::F64 => "the sum of Grams is too ill-conditioned for float64",
        SolvePath::F64Iterated => "the Grams hardly determine some directions",
    };
    Some(format!("estimated error {error:.1e} above 1e-6: {why}"))
}

/// Largest ‖W_i − A‖ / ‖A‖; refuses NaN and infinities by name.
fn spread(group: &LayerGroup) -> Result<f64> {
    let n = group.n();
    let (mut own, mut anchor) = (vec![0.0; n], vec![0.0; n]);
    let mut largest: f64 = 0.0;
    for weight in &group.weights {
        let mut apart = vec![0.0; group.grams.len()];
        let mut size = 0.0;
        for row in 0..weight.n_out() {
            weight.read(0, row, 0..n, &mut anchor);
            let anchor_squares = sums::squares(&anchor);
            check_finite(weight, 0, row, anchor_squares)?;
            size += anchor_squares;
            for (model, apart) in apart.iter_mut().enumerate().skip(1) {
                weight.read(model, row, 0..n, &mut own);
                let squares = sums::apart_squares(&own, &anchor);
                check_finite(weight, model, row, squares)?;
                *apart += squares;
            }
        }
        let of_weight = apart.iter().map(|apart| ratio(apart.sqrt(), size.sqrt()));
        largest = of_weight.fold(largest, f64::max);
    }
    Ok(largest)
}

/// A sum of squares is finite where all values are (and none near the end of f64's range).
fn check_finite(weight: &Weight, model: usize, row: usize, squares: f64) -> Result<()> {
    if squares.is_finite() {
        return Ok(());
    }
    Err(Error::input(format!("model {} holds a NaN or infinity in row {row}", model + 1))
        .tensor(&weight.name)
        .advice("a broken weight cannot be regressed: repair it, or exclude it"))
}

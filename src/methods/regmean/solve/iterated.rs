//! f64 with a small floor under the diagonal, iterated from the weighted mean.

use super::{CONTRACT, Problem, Solved};
use crate::backend::Backend;
use crate::methods::regmean::estimate::{self, Judgement, ratio};
use crate::methods::regmean::factor::{self, Factorised};
use crate::methods::regmean::layer::LayerGroup;
use crate::methods::regmean::product;
use crate::methods::regmean::scaling::Scaling;
use crate::tensor::extremes::larger;
use crate::{Error, Result};

/// Floors that are tried in turn, relative to ‖T‖.
const FLOORS: [f64; 8] = [1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4];
/// The working floor is at least this …
const MIN_FLOOR: f64 = 1e-9;
/// … and this many times the smallest that made T positive: the Grams' own rounding noise.
const ABOVE_NOISE: f64 = 100.0;
const MAX_STEPS: usize = 12;
/// Floors that errors are judged with, likewise: the smallest with which T is positive definite in f64.
/// What they all leave indefinite is said to be singular to its own rounding.
const JUDGING_FLOORS: [f64; 5] = [1e-15, 1e-14, 1e-13, 1e-12, 1e-11];

impl Problem<'_> {
    /// Iterated Tikhonov: X ← X + R(X) (T + Λ)⁻¹ from the weighted mean.
    pub(super) async fn iterated<D: Backend<Scalar = f64>>(
        &self,
        double: &D,
    ) -> Result<Solved<f64>> {
        let group = self.group;
        let Floored { factorised, floor, noisy } =
            factorise_with_floor(double, group, &self.scaling).await?;
        let condition =
            estimate::condition(double, group, &self.scaling, &factorised, floor).await?;
        let mut x = self.mean(); // [m, n], scaled
        let (mut n_iterations, mut steps) = (0, Steps::default());
        while n_iterations < MAX_STEPS && !steps.done() {
            let mut step = product::residual(double, group, &self.scaling, &x).await?;
            double.solve(&factorised.factor, &mut step).await?;
            let step = double.download(step).await?;
            x.iter_mut().zip(&step).for_each(|(x, step)| *x += step);
            steps.push(self.relative_sizes(&x, &step));
            n_iterations += 1;
        }
        let judged = estimate::judge(double, group, &self.scaling, &factorised, &x).await?;
        let weak = self.left_in_weak_directions(double, factorised, &x).await?;
        let errors = weak.into_iter().zip(steps.remaining()).map(|(a, b)| larger(a, b));
        let judgements = judged
            .iter()
            .zip(errors)
            .map(|(judged, error)| Judgement { error: larger(judged.error, error), ..*judged })
            .collect();
        let remark = noisy.then(|| noise_remark(floor));
        Ok(Solved { x, condition, judgements, n_iterations, floor, remark })
    }

    /// Relative error of every weight, where directions that the Grams hardly determine count: judged with
    /// the smallest floor that f64 bears.
    async fn left_in_weak_directions<D: Backend<Scalar = f64>>(
        &self,
        double: &D,
        working: Factorised<D>,
        x: &[f64],
    ) -> Result<Vec<f64>> {
        let (group, scaling) = (self.group, &self.scaling);
        let norm = working.norm;
        // One factor at a time: they are the largest that is held.
        drop(working);
        for floor in JUDGING_FLOORS {
            if let Ok(found) = factor::factorise(double, group, scaling, floor * norm).await? {
                return estimate::judge_doubled(double, group, scaling, &found, x).await;
            }
        }
        Ok(vec![0.0; group.weights.len()])
    }

    /// The weighted mean as X̂. `[m, n]`
    fn mean(&self) -> Vec<f64> {
        let n = self.group.n();
        let mut x = vec![0.0; self.group.n_rows() * n];
        for ((_, weight, row), out) in self.group.rows().zip(x.chunks_mut(n.max(1))) {
            self.group.mean_difference(weight, row, out);
            let inverse = &self.scaling.inverse;
            out.iter_mut().zip(inverse).for_each(|(value, inverse)| *value *= inverse);
        }
        x
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
pub(in crate::methods::regmean) struct Floored<D: Backend> {
    pub(in crate::methods::regmean) factorised: Factorised<D>,
    /// What was added to T's diagonal, as a share of it.
    pub(in crate::methods::regmean) floor: f64,
    /// T without the floor was indefinite beyond f64 rounding.
    noisy: bool,
}

/// The smallest working floor with which T is positive definite.
pub(in crate::methods::regmean) async fn factorise_with_floor<D: Backend<Scalar = f64>>(
    double: &D,
    group: &LayerGroup,
    scaling: &Scaling,
) -> Result<Floored<D>> {
    let mut norm = group.n() as f64; // ‖T‖ ≤ trace T ≈ n
    for (tried, smallest) in FLOORS.into_iter().enumerate() {
        let factorise = |floor| factor::factorise(double, group, scaling, floor);
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
            larger(last * rate / (1.0 - rate), last * CONTRACT)
        };
        self.last.iter().enumerate().map(rest).collect()
    }
}

fn worst(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, b| larger(a, *b))
}

fn noise_remark(floor: f64) -> String {
    format!(
        "the Grams are singular to their own rounding: directions below {floor:.0e} of the \
         diagonal keep the weighted mean, and no float64 solution is defined there"
    )
}

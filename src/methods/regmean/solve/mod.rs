//! Which arithmetic a layer needs, and what happens when it does not suffice.
//!
//! Under `auto`: f32 if the condition of T promises 1e-6 and the probes agree afterwards; else
//! f64; else (T singular, or nearly) f64 with a small floor, iterated from the weighted mean.
//! Iterating removes the floor's bias from every direction that the Grams determine, and leaves
//! the others at the mean, which is the limit of a vanishing floor.

mod direct;
mod iterated;
mod solution;

pub(super) use iterated::{Floored, factorise_with_floor};
pub use solution::Solution;
use solution::{Difference, Solved};

use super::crew::{Alone, Arithmetic, Crew};
use super::estimate::{Judgement, ratio};
use super::layer::LayerGroup;
use super::scaling::Scaling;
use crate::Result;
use crate::backend::Backend;
use crate::methods::regmean::Precision;
use crate::methods::regmean::SolvePath;
use crate::tensor::dtype::{Dtype, Real};
use crate::tensor::extremes::larger;
use crate::tensor::sums;

/// The accuracy contract: relative error of a merged weight, Frobenius.
pub const CONTRACT: f64 = 1e-6;
/// An estimate must stay this far below the contract to be trusted.
const TRUSTED: f64 = CONTRACT / 2.0;
/// Beyond this condition no factor has digits left to judge itself by.
pub(super) const MAX_CONDITION_F64: f64 = 1e11;
/// Share of T's smallest eigenvalue that rounding may change: it changes any by up to √n u ‖T‖.
const MAX_CHANGE: f64 = 0.3;
/// Below this size f64 costs nothing noticeable.
const SMALL: usize = 64;

/// The largest condition of an `[n, n]` matrix of which a factor in `T` can be judged by itself.
fn max_condition<T: Real>(n: usize) -> f64 {
    (MAX_CHANGE / (T::UNIT_ROUNDOFF * (n.max(1) as f64).sqrt())).min(MAX_CONDITION_F64)
}

/// The two arithmetics.
#[derive(Debug, Clone, Copy, Default)]
pub struct Engines<F, D> {
    /// Computes in f32.
    pub single: F,
    /// Computes in f64.
    pub double: D,
}

/// Who solves layer groups: a pair of engines, or whatever chooses among several.
#[expect(async_fn_in_trait, reason = "generic use only; a browser's futures are not Send")]
pub trait Solver {
    /// Solves one group, with the crew's help where it has any. `None`: another solver is to do it.
    ///
    /// # Errors
    /// As [`solve`].
    async fn solve_group(
        &self,
        group: &LayerGroup,
        precision: Precision,
        crew: &impl Crew,
    ) -> Result<Option<Solution>>;
}

impl<F: Backend<Scalar = f32>, D: Backend<Scalar = f64>> Solver for Engines<F, D> {
    async fn solve_group(
        &self,
        group: &LayerGroup,
        precision: Precision,
        crew: &impl Crew,
    ) -> Result<Option<Solution>> {
        solve(self, group, precision, crew).await.map(Some)
    }
}

/// Solves one layer group.
///
/// # Errors
/// `Input` if a weight holds a NaN or infinity, `Numeric` if the Grams are not positive
/// semidefinite, and the backends' and the crew's own.
pub async fn solve<F: Backend<Scalar = f32>, D: Backend<Scalar = f64>>(
    engines: &Engines<F, D>,
    group: &LayerGroup,
    precision: Precision,
    crew: &impl Crew,
) -> Result<Solution> {
    let mut problem = Problem::new(group)?;
    match problem.in_single(&engines.single, precision, crew).await? {
        Some(solution) => Ok(solution),
        None => problem.in_double(&engines.double, crew).await,
    }
}

/// The same, but `None` where f32 does not suffice and nothing went wrong.
///
/// # Errors
/// As [`solve`].
pub async fn solve_if_single<F: Backend<Scalar = f32>, D: Backend<Scalar = f64>>(
    engines: &Engines<F, D>,
    group: &LayerGroup,
    precision: Precision,
) -> Result<Option<Solution>> {
    let mut problem = Problem::new(group)?;
    let solution = problem.in_single(&engines.single, precision, &Alone).await?;
    match problem.fault {
        None => Ok(solution),
        Some(_) => problem.in_double(&engines.double, &Alone).await.map(Some),
    }
}

fn wrong_answer(kernels: &str, what: &str) -> String {
    format!("{kernels} gave a wrong answer ({what}), so it was solved again in float64")
}

/// What an attempt must keep below.
#[derive(Debug, Clone, Copy)]
struct Limits {
    condition: f64,
    error: f64,
}

impl Limits {
    fn allow(self, judgements: &[Judgement]) -> bool {
        judgements.iter().all(|judgement| judgement.error <= self.error)
    }
}

/// What became of one factorisation and solve.
enum Attempt<T> {
    /// X̂ is within the limits.
    Good(Solved<T>),
    /// It is or would be beyond them.
    Beyond,
    /// No arithmetic explains the answer: the device computed, or sent, something else.
    Wrong(String),
}

/// A group with what is known before any product.
struct Problem<'a> {
    group: &'a LayerGroup,
    scaling: Scaling,
    /// Largest ‖W_i − A‖ / ‖W‖ of all weights and models, as far as it can be foreseen.
    spread: f64,
    /// What went wrong in earlier attempts.
    fault: Option<String>,
}

impl<'a> Problem<'a> {
    /// The solution in f32, if that suffices.
    async fn in_single<F: Backend<Scalar = f32>>(
        &mut self,
        single: &F,
        precision: Precision,
        crew: &impl Crew,
    ) -> Result<Option<Solution>> {
        let limits = single_limits(self.group, &self.scaling, precision);
        let Some(limits) = limits else { return Ok(None) };
        match self.direct(single, limits, crew).await? {
            Attempt::Good(solved) => {
                let (name, wrap) = (single.name(), Difference::F32);
                return Ok(Some(solved.finish(self, name, SolvePath::F32, wrap)));
            }
            Attempt::Wrong(what) => self.fault = Some(wrong_answer(single.name(), &what)),
            Attempt::Beyond => {}
        }
        Ok(None)
    }

    async fn in_double<D: Backend<Scalar = f64>>(
        &self,
        double: &D,
        crew: &impl Crew,
    ) -> Result<Solution> {
        let (name, wrap) = (double.name(), Difference::F64);
        let condition = max_condition::<f64>(self.group.n());
        let limits = Limits { condition, error: TRUSTED };
        if let Attempt::Good(solved) = self.direct(double, limits, crew).await? {
            return Ok(solved.finish(self, name, SolvePath::F64, wrap));
        }
        let solved = self.iterated(double).await?;
        Ok(solved.finish(self, name, SolvePath::F64Iterated, wrap))
    }

    fn new(group: &'a LayerGroup) -> Result<Self> {
        Ok(Self { group, scaling: Scaling::of(group), spread: spread(group), fault: None })
    }
}

/// The arithmetic that is tried first.
pub(super) fn first_arithmetic(
    group: &LayerGroup,
    scaling: &Scaling,
    precision: Precision,
) -> Arithmetic {
    single_limits(group, scaling, precision).map_or(Arithmetic::Double, |_| Arithmetic::Single)
}

/// Limits for f32, or `None` where it cannot or need not be tried.
fn single_limits(group: &LayerGroup, scaling: &Scaling, precision: Precision) -> Option<Limits> {
    if !scaling.suits_single() {
        return None;
    }
    match precision {
        Precision::Exact => None,
        Precision::Fast => Some(Limits { condition: f64::INFINITY, error: f64::INFINITY }),
        Precision::Auto if group.n() <= SMALL || has_short_output(group) => None,
        Precision::Auto => {
            Some(Limits { condition: max_condition::<f32>(group.n()), error: TRUSTED })
        }
    }
}

/// 16-bit outputs must be right to one unit in the last place of every element, which a bound on the
/// norm does not give: they are solved in f64.
fn has_short_output(group: &LayerGroup) -> bool {
    group.weights.iter().any(|weight| is_short(weight.dtype_out))
}

fn is_short(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F16 | Dtype::BF16)
}

/// Largest ‖W_i − A‖ / ‖W‖, where ‖W‖ is taken to be that of A or of a model's share in the mean, whichever
/// is larger.
fn spread(group: &LayerGroup) -> f64 {
    let n = group.n();
    let (mut own, mut anchor) = (vec![0.0; n], vec![0.0; n]);
    let mut largest: f64 = 0.0;
    for weight in &group.weights {
        let mut apart = vec![0.0; group.grams.len()];
        let mut size = 0.0;
        for row in 0..weight.n_out() {
            weight.read(0, row, 0..n, &mut anchor);
            size += sums::squares(&anchor);
            for (model, apart) in apart.iter_mut().enumerate().skip(1) {
                weight.read(model, row, 0..n, &mut own);
                *apart += sums::apart_squares(&own, &anchor);
            }
        }
        let apart = apart.iter().map(|squares| squares.sqrt());
        let in_mean = apart.clone().zip(&group.shares).map(|(apart, share)| apart * share);
        let size = in_mean.fold(size.sqrt(), larger);
        largest = apart.map(|apart| ratio(apart, size)).fold(largest, larger);
    }
    largest
}

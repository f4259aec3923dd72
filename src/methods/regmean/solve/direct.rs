//! One factorisation and one solve, in f32 or f64.

use super::{Attempt, Limits, Problem, Solved, max_condition};
use crate::Result;
use crate::backend::Backend;
use crate::methods::regmean::crew::{self, Crew};
use crate::methods::regmean::estimate::{self, Judgement};
use crate::methods::regmean::factor::{self, Factorised};
use crate::tensor::dtype::Real;
use crate::tensor::extremes::larger;

/// The error of a solve is this · u · cond · ‖X‖/‖W‖, times less than [`SPAN`]: between 0.07 and
/// 0.36 of u · cond · ‖X‖/‖W‖ on the Grams of MiniLM and on synthetic ones.
const SMALLEST_GROWTH: f64 = 0.03;
const SPAN: f64 = 15.0;

/// ‖T‖ ‖T⁻¹‖ ≥ 1; below this it is no rounding.
const LEAST_CONDITION: f64 = 0.5;
/// An error so many times what was promised is no rounding either.
const WRONG: f64 = 100.0;

/// What no arithmetic explains, if anything: until here, the limits were promised to hold.
fn wrong(judgements: &[Judgement], limits: Limits) -> Option<String> {
    // Not `>`: a NaN is wrong.
    let explained = |judged: &&Judgement| judged.error <= WRONG * limits.error;
    let found = judgements.iter().find(|judged| !explained(judged))?;
    Some(format!("an estimated error of {:.1e}", found.error))
}

impl Problem<'_> {
    /// X̂ and its judgement, unless it is or would be beyond the limits.
    pub(super) async fn direct<B: Backend>(
        &self,
        backend: &B,
        limits: Limits,
        crew: &impl Crew,
    ) -> Result<Attempt<B::Scalar>> {
        let (group, scaling) = (self.group, &self.scaling);
        let Ok(factorised) = factor::factorise(backend, group, scaling, 0.0).await? else {
            return Ok(Attempt::Beyond);
        };
        let condition = estimate::condition(backend, group, scaling, &factorised, 0.0).await?;
        // Not `<`: a NaN is wrong too.
        let is_possible = condition >= LEAST_CONDITION || group.n() == 0;
        if !is_possible {
            return Ok(Attempt::Wrong(format!("a condition of {condition:.1e}")));
        }
        // Not `>`: a NaN must fail.
        let bounded = condition <= limits.condition;
        if !bounded || !self.promises(backend, &factorised, condition, limits).await? {
            return Ok(Attempt::Beyond);
        }
        let mut x = crew::solution(backend, group, scaling, &factorised.factor, crew).await?;
        self.set_dead(&mut x);
        let mut judgements = estimate::judge(backend, group, scaling, &factorised, &x).await?;
        if !self.can_be_judged::<B::Scalar>(condition) {
            let least = B::Scalar::UNIT_ROUNDOFF * condition * self.spread;
            judgements.iter_mut().for_each(|judged| judged.error = larger(judged.error, least));
        }
        if limits.allow(&judgements) {
            let (n_iterations, floor, remark) = (0, 0.0, None);
            let solved = Solved { x, condition, judgements, n_iterations, floor, remark };
            return Ok(Attempt::Good(solved));
        }
        Ok(wrong(&judgements, limits).map_or(Attempt::Beyond, Attempt::Wrong))
    }

    /// Whether the limits will be kept: by the condition where that is clear, else by solving for
    /// a few random combinations of the rows.
    async fn promises<B: Backend>(
        &self,
        backend: &B,
        factorised: &Factorised<B>,
        condition: f64,
        limits: Limits,
    ) -> Result<bool> {
        let least = SMALLEST_GROWTH * B::Scalar::UNIT_ROUNDOFF * condition * self.spread;
        if least * SPAN <= limits.error {
            return Ok(true);
        }
        if least > limits.error {
            return Ok(false);
        }
        let (group, scaling) = (self.group, &self.scaling);
        let foreseen = estimate::foresee(backend, group, scaling, factorised).await?;
        Ok(limits.allow(&foreseen))
    }

    /// Whether a factor of that condition has digits left to judge its own solutions by.
    pub(super) fn can_be_judged<T: Real>(&self, condition: f64) -> bool {
        condition <= max_condition::<T>(self.group.n())
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
                out[j] = T::from_f64(mean[j] * self.scaling.inverse[j]);
            }
        }
    }
}

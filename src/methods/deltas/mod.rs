//! Weighted sums of differences from a base model: what task arithmetic, TIES, DARE and breadcrumbs share.
//!
//! ```text
//! δ_i = W_i − B, sparsified and scaled by r_i       m = Σ w_i δ_i over the models that count
//! W = B + λ m / d                                   d = Σ w_i over them, or 1
//! ```
//!
//! All in f64, rounded once. Where an input is not finite, so is the answer, unless all inputs are equal:
//! no NaN is outvoted. Invariant: elements that no model changed stay the base's, to the bit.
//!
//! Sources: Ilharco et al. (arXiv 2212.04089), Yadav et al. (2306.01708), Yu et al. (2311.03099), Davari and
//! Belilovsky (2312.06795); the order of steps is mergekit's (0.1.5).

mod cut;
mod keep;
mod random;

use keep::Part;
pub use keep::Sparsify;

use super::elementwise::{Elementwise, Facts, Run};
use super::spec::{Kind, Param, Values};
use crate::Result;
use crate::tensor::sums;

/// Setting: factor of the merged difference.
pub(super) const LAMBDA: Param = Param {
    name: "lambda",
    help: "Factor of the merged difference from the base.",
    per_model: false,
    kind: Kind::ANY,
    default: Some(1.0),
};

/// Setting: part of every difference that is kept.
pub(super) const DENSITY: Param = Param {
    name: "density",
    help: "Part of each model's differences that is kept, from 0 to 1.",
    per_model: true,
    kind: Kind::FRACTION,
    default: Some(1.0),
};

/// Setting: divide by the sum of the coefficients.
pub(super) const fn normalize(is_on: bool) -> Param {
    Param {
        name: "normalize",
        help: "Divide by the sum of the coefficients of the models that count.",
        per_model: false,
        kind: Kind::Switch,
        default: Some(if is_on { 1.0 } else { 0.0 }),
    }
}

/// Setting: make up for what was dropped.
pub(super) const fn rescale(is_on: bool) -> Param {
    Param {
        name: "rescale",
        help: "Scale what is kept of a difference to the sum of magnitudes that it had before.",
        per_model: false,
        kind: Kind::Switch,
        default: Some(if is_on { 1.0 } else { 0.0 }),
    }
}

/// Setting: no effect, since signs take no memory here.
pub(super) const INT8_MASK: Param = Param {
    name: "int8_mask",
    help: "Accepted for mergekit's sake; changes nothing.",
    per_model: false,
    kind: Kind::Switch,
    default: Some(0.0),
};

/// A divisor that is smaller than this counts as 1, as in mergekit.
const SMALLEST_DIVISOR: f64 = 1e-8;

/// The differences of one tensor at work.
#[derive(Debug)]
pub struct Deltas {
    parts: Vec<Part>,
    is_elected: bool,
    is_normalised: bool,
    lambda: f64,
    /// Values of one run: each model's w r δ, 0 where it is dropped. `[models][len]`
    weighted: Vec<Vec<f64>>,
}

impl Deltas {
    /// Takes the settings. `is_elected`: of two signs of an element only the stronger counts.
    pub fn new(values: &Values, facts: &Facts<'_>, sparsify: Sparsify, is_elected: bool) -> Self {
        let n = facts.shape.iter().product();
        let part = |(model, weight): (usize, &f64)| {
            Part::new(*weight, sparsify.keep(values, facts.name, model, n), values.is_on("rescale"))
        };
        let parts: Vec<Part> = values.coefficients.iter().enumerate().map(part).collect();
        let weighted = vec![Vec::new(); parts.len()];
        let is_normalised = values.is_on("normalize");
        Self { parts, is_elected, is_normalised, lambda: values.get("lambda"), weighted }
    }

    /// m / d of an element by election: the sign of Σ w δ, a sum of 0 counting as +.
    fn elected(&self, j: usize) -> f64 {
        let sum: f64 = self.weighted.iter().map(|own| own[j]).sum();
        let is_positive = sum >= 0.0;
        let (mut merged, mut divisor) = (0.0, 0.0);
        for (own, part) in self.weighted.iter().zip(&self.parts) {
            let value = own[j];
            if value != 0.0 && (value > 0.0) == is_positive {
                merged += value;
                divisor += part.weight;
            }
        }
        merged / self.divisor(divisor)
    }

    fn divisor(&self, sum: f64) -> f64 {
        if self.is_normalised && sum.abs() >= SMALLEST_DIVISOR { sum } else { 1.0 }
    }
}

impl Elementwise for Deltas {
    fn n_surveys(&self) -> usize {
        self.parts.iter().map(Part::n_surveys).max().unwrap_or(0)
    }

    fn survey(&mut self, pass: usize, run: &Run<'_>) {
        for (part, own) in self.parts.iter_mut().zip(run.models) {
            part.survey(pass, run.first, own, run.base);
        }
    }

    fn surveyed(&mut self, pass: usize) -> Result<()> {
        self.parts.iter_mut().for_each(|part| part.surveyed(pass));
        Ok(())
    }

    fn combine(&mut self, run: &Run<'_>, out: &mut [f64]) {
        for ((part, own), weighted) in self.parts.iter_mut().zip(run.models).zip(&mut self.weighted)
        {
            weighted.resize(out.len(), 0.0);
            part.weigh(run.first, own, run.base, weighted);
        }
        if self.is_elected {
            for (j, out) in out.iter_mut().enumerate() {
                *out = self.elected(j);
            }
        } else {
            out.fill(0.0);
            for own in &self.weighted {
                out.iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
            }
            let divisor = self.divisor(self.parts.iter().map(|part| part.weight).sum());
            out.iter_mut().for_each(|value| *value /= divisor);
        }
        for (value, base) in out.iter_mut().zip(run.base) {
            // Not `base + 0`, which makes +0 of −0.
            *value = if *value == 0.0 { *base } else { base + self.lambda * *value };
        }
        keep_the_broken(run, out);
    }
}

/// What is not finite in an input is not finite in the answer: equal values stay, all else is NaN.
fn keep_the_broken(run: &Run<'_>, out: &mut [f64]) {
    if sums::all_finite(run.base) && run.models.iter().all(|own| sums::all_finite(own)) {
        return;
    }
    for (j, (value, base)) in out.iter_mut().zip(run.base).enumerate() {
        let mut own = run.models.iter().map(|model| model[j]);
        if base.is_finite() && own.clone().all(f64::is_finite) {
            continue;
        }
        *value = if own.all(|own| own == *base) { *base } else { f64::NAN };
    }
}

//! SLERP: the way along a great circle from one tensor to the other (Shoemake 1985), whole tensors taken as
//! vectors.
//!
//! ```text
//! W = (sin((1 − t) θ) W_1 + sin(t θ) W_2) / sin θ,   cos θ = ⟨W_1, W_2⟩ / (‖W_1‖ ‖W_2‖)
//! ```
//!
//! Nearly parallel tensors, |cos θ| > 0.9995, take the straight line, as in mergekit (0.1.5).

use std::f64::consts::{FRAC_PI_2, PI};

use super::elementwise::{Elementwise, Facts, Run};
use super::spec::{Base, Coefficients, Combine, Kind, Param, Spec, Values};
use crate::tensor::sums;
use crate::{Error, Result};

/// Row of the table.
pub(super) const SPEC: Spec = Spec {
    name: "slerp",
    aliases: &[],
    title: "SLERP",
    paper: "Shoemake, Animating rotation with quaternion curves (SIGGRAPH 1985)",
    formula: "W = (sin((1 − t) θ) W_1 + sin(t θ) W_2) / sin θ, with θ the angle between them",
    about: "Blends two models along a circle. For fine-tunes of one base it is hardly different from the \
            weighted mean, since the angle is small; measured, it answered the same.",
    base: Base::FirstModel,
    min_models: 2,
    max_models: Some(2),
    statistics: &[],
    coefficients: Coefficients::Unused,
    params: &[Param {
        name: "t",
        help: "How far from the first model to the second: 0 is the first, 1 the second.",
        per_model: false,
        kind: Kind::FRACTION,
        default: Some(0.5),
    }],
    combine: Combine::Elements(|values, facts| Box::new(Slerp::new(values, facts))),
};

/// Beyond this |cos θ| the line is straight.
const PARALLEL: f64 = 0.9995;
/// A vector of this length or less has no direction, and counts as one of length 1.
const SHORTEST: f64 = 1e-8;

/// One tensor on its way.
#[derive(Debug)]
struct Slerp {
    t: f64,
    /// ‖W_1‖², ‖W_2‖², ⟨W_1, W_2⟩
    products: [f64; 3],
    factors: [f64; 2],
}

impl Slerp {
    fn new(values: &Values, _: &Facts<'_>) -> Self {
        Self { t: values.get("t"), products: [0.0; 3], factors: [0.0; 2] }
    }

    fn factors(&self) -> [f64; 2] {
        let [first, second, dot] = self.products;
        let length = |square: f64| if square.sqrt() > SHORTEST { square.sqrt() } else { 1.0 };
        let cos = (dot / length(first) / length(second)).clamp(-1.0, 1.0);
        if cos.abs() > PARALLEL || self.t == 0.0 || self.t == 1.0 {
            return [1.0 - self.t, self.t];
        }
        let angle = cos.acos();
        [(1.0 - self.t) * angle, self.t * angle].map(|part| sine(part) / sine(angle))
    }
}

/// sin x for 0 ≤ x ≤ π by its series. The standard library's holds tables for angles of any size, which
/// the page would have to load.
fn sine(x: f64) -> f64 {
    let x = if x > FRAC_PI_2 { PI - x } else { x };
    let (mut sum, mut term) = (x, x);
    for k in 1..12 {
        term *= -x * x / f64::from(2 * k * (2 * k + 1));
        sum += term;
    }
    sum
}

impl Elementwise for Slerp {
    fn n_surveys(&self) -> usize {
        1
    }

    fn survey(&mut self, _: usize, run: &Run<'_>) {
        if let [first, second] = run.models {
            self.products[0] += sums::squares(first);
            self.products[1] += sums::squares(second);
            self.products[2] += sums::products(first, second);
        }
    }

    fn surveyed(&mut self, _: usize) -> Result<()> {
        if !sums::all_finite(&self.products) {
            return Err(Error::numeric("its values are not finite, or too large to take an angle")
                .advice("exclude it, or keep it from one model"));
        }
        self.factors = self.factors();
        Ok(())
    }

    fn combine(&mut self, run: &Run<'_>, out: &mut [f64]) {
        let [a, b] = self.factors;
        if let [first, second] = run.models {
            for ((out, x), y) in out.iter_mut().zip(first).zip(second) {
                *out = a * x + b * y;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_sine() {
        for step in 0..=1000 {
            let x = PI * f64::from(step) / 1000.0;
            assert!((sine(x) - x.sin()).abs() < 4e-16, "{x}");
        }
    }
}

//! The weighted mean, element by element: W̄ = Σ c_i w_i / Σ c_i.
//!
//! Coefficients count as they were given, so that ordinary ones round nothing before the one division.
//! A mean never leaves its inputs' range: identical inputs give themselves, to the bit. Models with a
//! coefficient of 0 take no part, whatever they hold. Where terms cancel or overflow, they are added up in
//! twice f64's digits.

mod mean;
#[cfg(test)]
mod tests;

use mean::{Parts, mean};

use super::Measures;
use super::elementwise::{self, Elementwise, Facts, Inputs, Run};
use super::spec::{Base, Coefficients, Combine, Kind, Param, Spec, Values};
use crate::tensor::dtype::Dtype;

/// Row of the table.
pub const SPEC: Spec = Spec {
    name: "average",
    aliases: &["linear"],
    title: "Weighted mean",
    paper: "Wortsman et al., Model soups (arXiv 2203.05482)",
    formula: "W = Σ w_i W_i / Σ w_i",
    about: "The plain road for copies of one network. Needs nothing but the models. Measured on two \
            pairs of fine-tuned text classifiers: 78.2% and 80.9% right.",
    base: Base::None,
    min_models: 2,
    max_models: None,
    statistics: &[],
    coefficients: Coefficients::SharesUnlessOff,
    params: &[Param {
        name: "normalize",
        help: "Divide by the sum of the coefficients.",
        per_model: false,
        kind: Kind::Switch,
        default: Some(1.0),
    }],
    combine: Combine::Elements(|values, facts| Box::new(Mean::new(values, facts))),
};

/// The mean, or with `normalize` off the sum, of one tensor.
#[derive(Debug)]
pub struct Mean {
    parts: Parts,
    dtype_out: Dtype,
}

impl Mean {
    /// Takes the coefficients: not negative and not all 0, unless a sum is wanted.
    pub fn new(values: &Values, facts: &Facts<'_>) -> Self {
        let is_sum = values.settings.contains_key("normalize") && !values.is_on("normalize");
        let parts = Parts::of(&values.coefficients, facts.dtypes, facts.dtype_out, is_sum);
        Self { parts, dtype_out: facts.dtype_out }
    }
}

/// The mean of the same elements of every model, which lie in memory; `bytes` becomes the answer.
pub fn average(
    inputs: &[(Dtype, Vec<u8>)],
    coefficients: &[f64],
    dtype_out: Dtype,
    bytes: &mut Vec<u8>,
) -> Measures {
    let dtypes: Vec<Dtype> = inputs.iter().map(|(dtype, _)| *dtype).collect();
    let values = Values { coefficients: coefficients.to_vec(), ..Values::default() };
    let facts = Facts { name: "", shape: &[], dtypes: &dtypes, dtype_out };
    let models = inputs.iter().map(|(dtype, bytes)| (*dtype, &bytes[..])).collect();
    let inputs = Inputs { base: None, models };
    elementwise::combine(&mut Mean::new(&values, &facts), 0, &inputs, dtype_out, bytes)
}

impl Elementwise for Mean {
    fn combine(&mut self, run: &Run<'_>, out: &mut [f64]) {
        mean(run.models, &self.parts, self.dtype_out, out);
    }
}

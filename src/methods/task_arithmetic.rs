//! Task arithmetic: W = B + λ Σ w_i (W_i − B) (Ilharco et al., arXiv 2212.04089, §2).

use super::deltas::{Deltas, INT8_MASK, LAMBDA, Sparsify, normalize};
use super::spec::{Base, Coefficients, Combine, Spec};

/// Row of the table.
pub(super) const SPEC: Spec = Spec {
    name: "task_arithmetic",
    aliases: &[],
    title: "Task arithmetic",
    paper: "Ilharco et al., Editing models with task arithmetic (arXiv 2212.04089)",
    formula: "W = B + λ Σ w_i δ_i",
    about: "Adds what each model learned to the base; a negative coefficient takes it away. \
            Measured where the weighted mean has 78.2% and 80.9%: 78.5% and 81.0% with lambda 0.7, \
            77.3% and 78.4% with 1.",
    base: Base::Needed,
    min_models: 1,
    max_models: None,
    statistics: &[],
    coefficients: Coefficients::Factors,
    params: &[LAMBDA, normalize(false), INT8_MASK],
    combine: Combine::Elements(|values, facts| {
        Box::new(Deltas::new(values, facts, Sparsify::No, false))
    }),
};

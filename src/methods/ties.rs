//! TIES: trims small differences, elects a sign for each element, and averages those that agree
//! (Yadav et al., arXiv 2306.01708, §4).

use super::deltas::{DENSITY, Deltas, INT8_MASK, LAMBDA, Sparsify, normalize, rescale};
use super::spec::{Base, Coefficients, Combine, Spec};

/// Row of the table.
pub(super) const SPEC: Spec = Spec {
    name: "ties",
    aliases: &[],
    title: "TIES",
    paper: "Yadav et al., TIES-Merging (arXiv 2306.01708)",
    formula: "W = B + λ Σ w_i δ_i / Σ w_i over the models that agree with the stronger sign, \
              of the largest differences",
    about: "Keeps the largest differences from the base and drops those that contradict one another. \
            A density of 0.2 to 0.5 is usual: with 0.2 it was measured at 79.1% and 81.4%, where the \
            weighted mean has 78.2% and 80.9%.",
    base: Base::Needed,
    min_models: 1,
    max_models: None,
    statistics: &[],
    coefficients: Coefficients::Factors,
    params: &[DENSITY, LAMBDA, normalize(true), rescale(false), INT8_MASK],
    combine: Combine::Elements(|values, facts| {
        Box::new(Deltas::new(values, facts, Sparsify::Largest, true))
    }),
};

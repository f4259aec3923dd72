//! Breadcrumbs: drops the smallest and the very largest differences (Davari and Belilovsky,
//! arXiv 2312.06795, §3).

use super::deltas::{DENSITY, Deltas, INT8_MASK, LAMBDA, Sparsify, normalize, rescale};
use super::spec::{Base, Coefficients, Combine, Kind, Param, Spec};

const GAMMA: Param = Param {
    name: "gamma",
    help: "Part of each model's differences that goes as too large, where density leaves room.",
    per_model: true,
    kind: Kind::FRACTION,
    default: Some(0.01),
};

/// Row of the table.
pub(super) const SPEC: Spec = Spec {
    name: "breadcrumbs",
    aliases: &[],
    title: "Breadcrumbs",
    paper: "Davari and Belilovsky, Model Breadcrumbs (arXiv 2312.06795)",
    formula: "W = B + λ Σ w_i δ_i of the differences that are neither small nor the largest",
    about: "Keeps differences of middle size: outliers hurt, and small ones say little. \
            Not measured yet.",
    base: Base::Needed,
    min_models: 1,
    max_models: None,
    statistics: &[],
    coefficients: Coefficients::Factors,
    params: &[DENSITY, GAMMA, LAMBDA, normalize(false), rescale(false), INT8_MASK],
    combine: Combine::Elements(|values, facts| {
        Box::new(Deltas::new(values, facts, Sparsify::Middle, false))
    }),
};

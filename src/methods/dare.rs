//! DARE: drops differences at random and scales up the rest (Yu et al., arXiv 2311.03099, §3), then adds
//! them up as task arithmetic or as TIES do.
//!
//! What is kept is scaled to the tensor's former sum of magnitudes, as mergekit does since 0.1.5: the
//! paper's 1 / density without its noise.

use super::deltas::{DENSITY, Deltas, INT8_MASK, LAMBDA, Sparsify, normalize, rescale};
use super::spec::{Base, Coefficients, Combine, Kind, Param, Spec};

const SEED: Param = Param {
    name: "seed",
    help: "Start of the random choice; the same seed drops the same elements.",
    per_model: false,
    kind: Kind::Whole { max: 9_007_199_254_740_991.0 },
    default: Some(0.0),
};

/// Row of the table: differences are added up.
pub(super) const LINEAR: Spec = Spec {
    name: "dare_linear",
    aliases: &[],
    title: "DARE",
    paper: "Yu et al., Language models are super Mario (arXiv 2311.03099)",
    formula: "W = B + λ Σ w_i r_i mask_i δ_i",
    about: "Drops a random part of what each model learned and scales up the rest, then adds them. \
            Measured with density 0.1 it was like the weighted mean.",
    base: Base::Needed,
    min_models: 1,
    max_models: None,
    statistics: &[],
    coefficients: Coefficients::Factors,
    params: &[DENSITY, LAMBDA, normalize(false), rescale(true), SEED, INT8_MASK],
    combine: Combine::Elements(|values, facts| {
        Box::new(Deltas::new(values, facts, Sparsify::Random, false))
    }),
};

/// Row of the table: a sign is elected for each element.
pub(super) const TIES: Spec = Spec {
    name: "dare_ties",
    title: "DARE with TIES",
    formula: "W = B + λ Σ w_i r_i mask_i δ_i over the models that agree with the stronger sign",
    about: "Drops a random part of what each model learned, and what contradicts the stronger sign. \
            Not measured yet.",
    combine: Combine::Elements(|values, facts| {
        Box::new(Deltas::new(values, facts, Sparsify::Random, true))
    }),
    ..LINEAR
};

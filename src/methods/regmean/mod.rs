//! RegMean in the difference form, over any backend.
//!
//! With W_i `[out, in]`, Gram matrices G_i `[in, in]`, G̃_i = c_i (α G_i + (1 − α) diag G_i) and
//! S = Σ G̃_i, the merged weight W = A + X solves
//!
//! ```text
//! X S = R(0),   R(X) = Σ_i (W_i − A − X) G̃_i,   A = the W_i of the largest c_i tr G_i
//! ```
//!
//! which is RegMean's W = (Σ W_i G̃_i) S⁻¹ with an error that scales with ‖W_i − A‖ and one
//! product fewer. R(0) is the right-hand side, R(X) the residual, of which random combinations of rows
//! are the check. Undetermined directions keep the weighted mean.
//!
//! - [`layer`]: stored bytes of a layer group seen as matrices; nothing is expanded whole.
//! - `assembly`: what a device puts together itself.
//! - [`scaling`], `scaled_gram`: the scaled variables, and one scaled Gram matrix row by row.
//! - [`factor`]: the sum of those, factorised.
//! - [`product`]: R(X) by panels.
//! - [`estimate`]: condition, and the error of a solution by random probes in f64.
//! - [`check`]: the distance of a finished weight from the solution.
//! - [`crew`]: rows that other workers compute.
//! - [`mod@solve`]: which arithmetic, and what to do when it does not suffice.
//!
//! Sources: Jin et al., *Dataless Knowledge Fusion* (arXiv 2212.09849), eq. 2; iterated Tikhonov
//! regularisation (Engl, Hanke and Neubauer 1996, §5) for nearly singular sums.

mod assembly;
pub mod check;
pub mod crew;
pub mod estimate;
pub mod factor;
mod figures;
pub mod layer;
mod precision;
pub mod product;
mod scaled_gram;
pub mod scaling;
pub mod solve;

pub use crew::{Alone, Crew};
pub use figures::{SolvePath, SolveReport};
pub use layer::{LayerGroup, Weight};
pub use precision::Precision;
pub use solve::{CONTRACT, Engines, Solution, Solver, solve, solve_if_single};

use super::spec::{Base, Coefficients, Combine, Kind, Param, Spec, Statistic};

/// Setting: scale of what lies off the diagonals.
pub const ALPHA: Param = Param {
    name: "alpha",
    help: "Scale of what lies off the Gram matrices' diagonals: 1 trusts them fully, 0 uses the \
           diagonals alone.",
    per_model: false,
    kind: Kind::FRACTION,
    default: Some(0.9),
};

/// Row of the table.
pub const SPEC: Spec = Spec {
    name: "regmean",
    aliases: &[],
    title: "RegMean",
    paper: "Jin et al., Dataless knowledge fusion (arXiv 2212.09849)",
    formula: "W = (Σ W_i G̃_i) (Σ G̃_i)⁻¹, G̃_i = w_i (α G_i + (1 − α) diag G_i)",
    about: "Makes each layer's outputs come closest to every model's own, on each model's own data. \
            Better than the weighted mean wherever it was measured (79.9% and 81.5% where that has 78.2% and \
            80.9%); needs a Gram file for every model.",
    base: Base::None,
    min_models: 2,
    max_models: None,
    statistics: &[Statistic::Gram],
    coefficients: Coefficients::Shares,
    params: &[ALPHA],
    combine: Combine::Layers,
};

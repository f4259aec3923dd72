//! Faults that the fuzzer must find: one in each target, each in a narrow place.
//!
//! A fault stands between the product and the judge, as if the product had it; the product itself
//! has no hook for it.

use crate::hunt::{Limit, Target, hunt};

/// A fault that is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A header is read although one byte follows the last tensor.
    ByteTooMany,
    /// An index in which a tensor has two shards is read; the last one counts.
    TensorTwice,
    /// A packed Gram matrix of an input of one feature stops the program.
    SingleFeature,
    /// A NaN in the output is not mentioned.
    SilentNan,
    /// A recipe of one slice is written without its layers.
    LostLayers,
    /// A refused merge that was told to overwrite leaves its unfinished file.
    Leftover,
}

/// Each fault and the target that must find it.
pub(crate) const ALL: [(Fault, &Target); 6] = [
    (Fault::ByteTooMany, &crate::headers::TARGET),
    (Fault::TensorTwice, &crate::indices::TARGET),
    (Fault::SingleFeature, &crate::grams::TARGET),
    (Fault::SilentNan, &crate::merges::TARGET),
    (Fault::LostLayers, &crate::recipes::TARGET),
    (Fault::Leftover, &crate::commands::TARGET),
];

/// How many inputs it takes to find a fault.
pub(crate) fn search(
    fault: Fault,
    target: &Target,
    seed: u64,
    limit: Limit,
) -> Result<u64, String> {
    match hunt(target, seed, limit, Some(fault)) {
        Err(finding) => Ok(finding.n_runs + 1),
        Ok(n_runs) => Err(format!("{fault:?} was not found by {n_runs} inputs")),
    }
}

//! A named piece of work: made ready once, run many times.

use serde::{Deserialize, Serialize};

use crate::{convert, layer, matrix, peak};

/// What one run did; the clock is the caller's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// Floating-point operations, a multiply and an add counting as two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flops: Option<f64>,
    /// Bytes on the narrow side of a conversion, or read by a merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<f64>,
    /// The arithmetic that a solve took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The solve's own estimate of its relative error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_estimate: Option<f64>,
    /// The estimated condition of the scaled sum of Grams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<f64>,
}

impl Work {
    /// Work that is counted in operations.
    pub fn flops(flops: f64) -> Self {
        Self { flops: Some(flops), ..Self::default() }
    }

    /// Work that is counted in bytes.
    pub fn bytes(bytes: f64) -> Self {
        Self { bytes: Some(bytes), ..Self::default() }
    }
}

/// A case that is ready to run.
pub type Ready = Box<dyn FnMut() -> gramerge::Result<Work>>;

/// Every case, in the order in which they run.
pub fn names() -> Vec<String> {
    let mut names = peak::names();
    names.extend(matrix::names());
    names.extend(layer::names());
    names.extend(convert::names());
    names
}

/// Makes a case ready.
pub fn prepare(name: &str) -> Option<Ready> {
    peak::prepare(name)
        .or_else(|| matrix::prepare(name))
        .or_else(|| layer::prepare(name))
        .or_else(|| convert::prepare(name))
}

/// Which kernels this build runs.
pub fn kernels() -> &'static str {
    gramerge::engine::kernels()
}

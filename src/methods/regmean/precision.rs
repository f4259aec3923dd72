//! Which arithmetic a layer may use.

use serde::{Deserialize, Serialize};

/// Which arithmetic a layer may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32 where a condition estimate says that it suffices, else f64: 1e-6 on every tensor.
    #[default]
    Auto,
    /// f32 only; the report carries the estimated bound.
    Fast,
    /// f64 throughout.
    Exact,
}

//! How a linear layer's weight lies in its file.

use serde::{Deserialize, Serialize};

/// Order of a weight's two dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// `[out, in]`, as in PyTorch's `Linear`.
    OutIn,
    /// `[in, out]`, as in GPT-2's `Conv1D`.
    InOut,
}

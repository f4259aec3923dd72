//! A plan as data: what happens to every tensor and why, made from headers alone.
//!
//! The page shows it, the command line prints it, tests compare it.

use serde::{Deserialize, Serialize};

use super::lineage::Lineage;
use crate::checkpoint::pattern::Line;
use crate::methods::Values;
use crate::tensor::{Dtype, Orientation};

/// What happens to one tensor.
///
/// In JSON `action` is `regress`, `copy`, `keep`, `refuse` or the name of the method that combines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Solved by RegMean with the Gram matrices of a layer group.
    Regress {
        /// Index into [`Plan::groups`].
        group: usize,
        /// How the weight is stored.
        orientation: Orientation,
    },
    /// Made element by element.
    Combine {
        /// Index into [`Plan::rules`]: by which method, and with what settings.
        rule: usize,
        /// Why it is not solved, or not by the chosen method; empty where it is by that.
        why: String,
    },
    /// Integers or booleans: copied after checking that they are identical.
    Copy {
        /// Why it is not merged.
        why: String,
    },
    /// One model's own tensor.
    Keep {
        /// Index of the model, from 0.
        model: usize,
    },
    /// The merge cannot start.
    Refuse {
        /// What is wrong and what to do.
        why: String,
    },
}

/// One tensor of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTensor {
    /// Its full name.
    pub name: String,
    /// Its shape, the same in every model.
    pub shape: Vec<u64>,
    /// Its dtype in each model.
    pub dtypes: Vec<Dtype>,
    /// Its dtype in the output.
    pub dtype_out: Dtype,
    /// What happens to it.
    pub action: Action,
}

impl PlannedTensor {
    /// Whether all that is said of another tensor holds of this one, but for its name and the
    /// number of its layer group.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let has_same_fate = match (&self.action, &other.action) {
            (
                Action::Regress { orientation, group: _ },
                Action::Regress { orientation: others, group: _ },
            ) => orientation == others,
            (action, others) => action == others,
        };
        has_same_fate
            && self.shape == other.shape
            && self.dtypes == other.dtypes
            && self.dtype_out == other.dtype_out
    }
}

/// A method with the settings that it has for some tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name of the method, as the table has it.
    pub method: String,
    /// Coefficients and settings.
    pub values: Values,
}

/// Weights that read the same input, and so share Gram matrices: factorised once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Index into [`Plan::rules`].
    pub rule: usize,
    /// Per model, the name of the Gram tensor in its Gram file.
    pub gram_names: Vec<String>,
    /// Input dimension: the Gram matrices are `[in, in]`.
    pub n_in: u64,
    /// Indices into [`Plan::tensors`].
    pub tensors: Vec<usize>,
}

/// A Gram tensor that no weight asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedGram {
    /// Index of the model, from 0.
    pub model: usize,
    /// The key in the Gram file.
    pub name: String,
}

/// What a merge will cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// Bytes read from all files.
    pub read_bytes: u64,
    /// Bytes of the output files, headers included, unless the plan refuses a tensor.
    pub write_bytes: u64,
    /// Peak memory of one worker.
    pub memory_bytes: u64,
    /// Multiplications and additions of the solves.
    pub flops: u64,
}

/// What happens to every tensor, and what it costs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Names of the models, in order.
    pub models: Vec<String>,
    /// Name of the model that they were fine-tuned from, where it is given.
    pub base: Option<String>,
    /// Every method and every set of settings that a tensor is made with.
    pub rules: Vec<Rule>,
    /// Every tensor of the output, in output order.
    pub tensors: Vec<PlannedTensor>,
    /// The tensors in natural order, those that differ in a number alone on one line.
    pub lines: Vec<Line>,
    /// The layer groups that are solved.
    pub groups: Vec<Group>,
    /// Gram tensors that no weight asks for.
    pub unmatched_grams: Vec<UnmatchedGram>,
    /// Plain sentences that a user should read before merging.
    pub warnings: Vec<String>,
    /// How the models are related; nothing if they were not sampled.
    pub lineage: Option<Lineage>,
    /// What it costs.
    pub estimate: Estimate,
}

impl Plan {
    /// Name of what happens to a tensor, as plans and reports spell it.
    pub fn action_name(&self, action: &Action) -> &str {
        match action {
            Action::Regress { .. } => "regress",
            Action::Combine { rule, .. } => {
                self.rules.get(*rule).map_or("combine", |rule| rule.method.as_str())
            }
            Action::Copy { .. } => "copy",
            Action::Keep { .. } => "keep",
            Action::Refuse { .. } => "refuse",
        }
    }

    /// The refused tensors' names and reasons.
    pub fn refusals(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tensors.iter().filter_map(|tensor| match &tensor.action {
            Action::Refuse { why } => Some((tensor.name.as_str(), why.as_str())),
            _ => None,
        })
    }

    /// How many tensors are regressed, combined, copied, kept and refused.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for tensor in &self.tensors {
            match tensor.action {
                Action::Regress { .. } => counts.regress += 1,
                Action::Combine { .. } => counts.combine += 1,
                Action::Copy { .. } => counts.copy += 1,
                Action::Keep { .. } => counts.keep += 1,
                Action::Refuse { .. } => counts.refuse += 1,
            }
        }
        counts
    }
}

/// Tensors per action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is the action of that name")]
pub struct Counts {
    pub regress: usize,
    pub combine: usize,
    pub copy: usize,
    pub keep: usize,
    pub refuse: usize,
}

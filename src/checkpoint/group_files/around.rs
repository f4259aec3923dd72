//! What a file is by the company that it keeps: training leaves much beside a model that no merge
//! needs, and adapters are told by their configuration.

use std::collections::BTreeSet;

use super::Seen;
use super::names::{base_name, folder};
use crate::Error;
use crate::order::filled;

/// Beginnings of names that training libraries give to their own state.
const STATE: [&str; 9] = [
    "training_args.",
    "optimizer.",
    "optimizer_",
    "scheduler.",
    "scheduler_",
    "scaler.",
    "rng_state",
    "random_states",
    "zero_pp_rank_",
];
/// Endings of such names.
const STATE_ENDINGS: [&str; 2] = ["_optim_states.pt", "_model_states.pt"];
/// Beginnings of names that the same weights have in other formats.
const COPIES: [&str; 3] = ["pytorch_model", "tf_model", "consolidated."];
/// Name of an adapter's configuration, and how its weights are called.
const ADAPTER_CONFIG: &str = "adapter_config.json";
const ADAPTER_WEIGHTS: &str = "adapter_model.";

/// The folders of a heap of files, by what else is in them.
pub(super) struct Around<'a> {
    /// Those with a readable safetensors file.
    readable: BTreeSet<&'a str>,
    /// Those with an adapter's configuration.
    adapters: BTreeSet<&'a str>,
}

impl<'a> Around<'a> {
    pub(super) fn of(files: &'a [Seen]) -> Self {
        let folders = |belongs: &dyn Fn(&Seen) -> bool| {
            let found = files.iter().filter(|seen| belongs(seen));
            filled(found.map(|seen| folder(&seen.path)))
        };
        Self {
            readable: folders(&|seen| seen.header().is_some()),
            adapters: folders(&|seen| base_name(&seen.path) == ADAPTER_CONFIG),
        }
    }

    /// Whether a file that cannot be read is nothing that a merge asks for.
    pub(super) fn is_needless(&self, path: &str) -> bool {
        let name = base_name(path);
        let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
        let is_state = begins(&STATE) || STATE_ENDINGS.iter().any(|end| name.ends_with(end));
        let is_safetensors = name.contains(".safetensors");
        !is_safetensors && (is_state || (begins(&COPIES) && self.readable.contains(folder(path))))
    }

    /// The reason why a file is no checkpoint, if an adapter's configuration beside it says so.
    pub(super) fn adapter(&self, path: &str) -> Option<Error> {
        let is_adapter = base_name(path).starts_with(ADAPTER_WEIGHTS);
        (is_adapter && self.adapters.contains(folder(path))).then(|| {
            let what = format!(
                "it is an adapter (`{ADAPTER_CONFIG}` is beside it), and averaging its parts \
                 would be wrong"
            );
            Error::input(what).advice("merge it into its base first")
        })
    }
}

//! Whether a safetensors file holds an adapter's factors instead of weights.
//!
//! The mean of factors is not the factor of a mean, so such a file must not be averaged. Told from
//! tensor names alone. Parameters of ordinary networks may have `lora` in their names (RWKV-7), so
//! only the pairs that adapters are stored as count.
//! Source: the keys that PEFT, kohya's scripts, LyCORIS and diffusers write.

use super::header::Header;
use crate::{Error, printable};

/// Parts of a name that only an adapter's factors have.
const FACTORS: [&str; 16] = [
    "lora_A",
    "lora_B",
    "lora_embedding_A",
    "lora_embedding_B",
    "lora_magnitude_vector",
    "lora_down",
    "lora_up",
    "lora_mid",
    "lora_linear_layer",
    "hada_w1_a",
    "hada_w2_a",
    "lokr_w1",
    "lokr_w2",
    "lokr_w1_a",
    "lokr_w2_a",
    "dora_scale",
];

/// The reason why a file is no checkpoint, if it holds an adapter's factors.
pub fn adapter(header: &Header) -> Option<Error> {
    let factor = header.tensors.iter().find(|tensor| is_factor(&tensor.name))?;
    let shown = printable(&factor.name);
    let what = format!(
        "it is a LoRA adapter (it has `{shown}`), and averaging its factors would be wrong"
    );
    Some(Error::input(what).advice("merge it into its base first"))
}

fn is_factor(name: &str) -> bool {
    let mut before = "";
    name.split('.').any(|part| {
        let is_half =
            matches!(part, "down" | "up") && (before == "lora" || before.ends_with("_lora"));
        before = part;
        is_half || FACTORS.contains(&part)
    })
}

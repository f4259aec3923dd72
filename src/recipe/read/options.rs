//! Keys beside files and parameters: what is written, what is kept, where it is computed.

use super::fields::Fields;
use crate::format::size_bytes;
use crate::recipe::yaml::{Node, Result, wrong, wrong_text};
use crate::recipe::{Device, Keep, Precision, Recipe, RecipeModel, nearest};
use crate::tensor::dtype::Dtype;

/// Names that torch and this program use; `torch.` may stand before each.
const DTYPES: [(&str, Dtype); 8] = [
    ("float32", Dtype::F32),
    ("float16", Dtype::F16),
    ("bfloat16", Dtype::BF16),
    ("float64", Dtype::F64),
    ("f32", Dtype::F32),
    ("f16", Dtype::F16),
    ("bf16", Dtype::BF16),
    ("f64", Dtype::F64),
];

/// All that is neither a file nor a parameter.
pub(super) fn read(recipe: &mut Recipe, fields: &Fields<'_>) -> Result<()> {
    for name in ["dtype", "out_dtype"] {
        if let Some(node) = fields.get(name) {
            recipe.dtype = Some(dtype(node, name)?);
        }
    }
    for node in fields.list("exclude")? {
        recipe.exclude.push(pattern(node, node.text("exclude")?)?);
    }
    for node in fields.list("keep")? {
        recipe.keep.push(keep(node, &recipe.models)?);
    }
    if let Some(node) = fields.get("precision") {
        let place = node.choice("precision", &["auto", "fast", "exact"])?;
        recipe.precision = [Precision::Auto, Precision::Fast, Precision::Exact][place];
    }
    if let Some(node) = fields.get("device") {
        let place = node.choice("device", &["auto", "cpu", "gpu"])?;
        recipe.device = [Device::Auto, Device::Cpu, Device::Gpu][place];
    }
    if let Some(node) = fields.get("shard_size") {
        let text = node.text("shard_size")?;
        size_bytes(text).map_err(|error| wrong(node.line, &error.what))?;
        recipe.shard_size = Some(text.to_owned());
    }
    Ok(())
}

fn dtype(node: &Node, name: &str) -> Result<Dtype> {
    let text = node.text(name)?;
    let text = text.strip_prefix("torch.").unwrap_or(text);
    for (word, dtype) in DTYPES {
        if word == text {
            return Ok(dtype);
        }
    }
    Err(nearest::unknown(node.line, "there is no dtype", text, &DTYPES.map(|(word, _)| word)))
}

fn pattern(node: &Node, text: &str) -> Result<String> {
    match regex_lite::Regex::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            let why = format!("is not a regular expression ({error})");
            Err(wrong_text(node.line, text, &why))
        }
    }
}

/// `REGEX=N`, or a mapping with `pattern` and `model`: a number from 1, or a model's path.
fn keep(node: &Node, models: &[RecipeModel]) -> Result<Keep> {
    let (text, model) = if node.is_map() {
        let fields = Fields::of(node, "each entry of `keep`", &["pattern", "model"], &[])?;
        match (fields.text("pattern")?, fields.text("model")?) {
            (Some(pattern), Some(model)) => (pattern, model),
            _ => return Err(wrong(node.line, "`keep` needs a `pattern` and a `model`")),
        }
    } else {
        let text = node.text("keep")?;
        let why = "is not REGEX=N with N counting models from 1";
        text.rsplit_once('=').ok_or_else(|| wrong_text(node.line, text, why))?
    };
    let place = match model.parse::<usize>() {
        Ok(number) => number.checked_sub(1),
        Err(_) => models.iter().position(|listed| listed.path == model),
    };
    match place {
        Some(model) if model < models.len() => Ok(Keep { pattern: pattern(node, text)?, model }),
        _ => {
            let why = format!("is none of the {} models, by number or path", models.len());
            Err(wrong_text(node.line, model, &why))
        }
    }
}

/// A tokenizer other than the base model's is not made.
pub(super) fn tokenizer(fields: &Fields<'_>) -> Result<()> {
    let source = match fields.get("tokenizer") {
        None => fields.get("tokenizer_source"),
        Some(node) => {
            let refused = [
                ("tokens", "tokens are not merged"),
                ("pad_to_multiple_of", "embeddings are not padded"),
            ];
            let missing = || wrong(node.line, "tokenizers are not merged; write `source: base`");
            let inner = Fields::of(node, "`tokenizer`", &["source"], &refused)?;
            Some(inner.get("source").ok_or_else(missing)?)
        }
    };
    match source {
        Some(node) if node.text("tokenizer")? != "base" => {
            let why = "is not supported for a tokenizer: only `base` is";
            Err(wrong_text(node.line, node.text("tokenizer")?, why))
        }
        _ => Ok(()),
    }
}

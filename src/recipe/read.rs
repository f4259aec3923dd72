//! From text to a [`Recipe`]: mergekit's keys where they mean the same here, and some of our own.
//!
//! Nothing is passed over: a key or a parameter that is not known, and one that cannot be honoured,
//! is refused by its line. Paths stay as they are written.
//!
//! - `fields`: keys of a mapping.
//! - `models`, `slices`: which files.
//! - `settings`: parameters of the method.
//!
//! Arithmetic is always as wide as it must be, so `dtype` and `out_dtype` only say what is written:
//! `out_dtype`, or else `dtype`. Where mergekit rounds inputs to a narrower `dtype` before it
//! computes, the answer here is rounded once, at the end. A base model that stands among the models
//! of a method which treats it apart takes no parameters; those given to it have no effect, as in
//! mergekit.

mod fields;
mod models;
mod settings;
mod slices;

use std::ops::Range;

use fields::Fields;
use models::Listed;
use settings::{Methods, Settings};
use slices::Slice;

use super::yaml::{self, Node, Result, wrong, wrong_text};
use super::{BaseModel, Device, Keep, KnownMethod, Precision, Recipe, RecipeModel, Scope, nearest};
use crate::format::size_bytes;
use crate::order;
use crate::tensor::dtype::Dtype;

const KEYS: [&str; 14] = [
    "merge_method",
    "models",
    "slices",
    "base_model",
    "parameters",
    "dtype",
    "out_dtype",
    "tokenizer_source",
    "tokenizer",
    "exclude",
    "keep",
    "precision",
    "device",
    "shard_size",
];
/// Keys that mean something to mergekit, and why they are refused.
const REFUSED: [(&str, &str); 2] = [
    ("modules", "modules with recipes of their own are not supported"),
    ("chat_template", "templates are copied with the first model's files, not made"),
];
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

/// Reads a recipe, in YAML or JSON, for one of some methods.
///
/// # Errors
/// `Input` with the line, in one sentence.
pub fn read(text: &[u8], methods: &[KnownMethod<'_>]) -> crate::Result<Recipe> {
    recipe(text, methods).map_err(|error| *error)
}

fn recipe(text: &[u8], methods: &[KnownMethod<'_>]) -> Result<Recipe> {
    let root = yaml::parse(text)?;
    let fields = Fields::of(&root, "a recipe", &KEYS, &REFUSED)?;
    let missing = || wrong(root.line, "the recipe lacks its `merge_method`");
    let name = fields.get("merge_method").ok_or_else(missing)?;
    let own = KnownMethod::find(methods, name.text("merge_method")?, name.line)?;
    let methods = Methods { own, all: methods };
    tokenizer(&fields)?;

    let mut recipe = Recipe { method: own.name.to_owned(), ..Recipe::default() };
    files(&mut recipe, &fields, &methods)?;
    options(&mut recipe, &fields)?;
    Ok(recipe)
}

/// Models, base model and the scopes of all parameters.
fn files(recipe: &mut Recipe, fields: &Fields<'_>, methods: &Methods<'_>) -> Result<()> {
    let base = fields.get("base_model").map(models::reference).transpose()?;
    let global = methods.settings(fields.get("parameters"), false)?;
    let listed = models::models(fields.list("models")?, methods)?;
    let mut slices = slices::slices(fields.list("slices")?, methods, base.as_deref())?;
    match (listed.is_empty(), slices.is_empty()) {
        (true, true) => return Err(wrong(fields.line, "the recipe lists no `models`")),
        (false, false) => {
            let what = "a recipe has `models` or `slices`, not both";
            return Err(wrong(fields.line_of("slices"), what));
        }
        (false, true) => recipe.models = listed.iter().map(|l| l.model.clone()).collect(),
        (true, false) => {
            recipe.n_layers = slices.last().map(|slice| slice.layers.end);
            recipe.models = slices::models(&slices)?;
        }
    }
    let taken_out = place_base(recipe, base, fields, methods, !slices.is_empty())?;
    let global = if slices.is_empty() { global } else { slices::spread(&mut slices, global) };
    recipe.scopes = scopes(listed, slices, global, taken_out);
    Ok(())
}

/// Tells the base model apart, or lets it join; the place that it had among the models if it left.
fn place_base(
    recipe: &mut Recipe,
    base: Option<String>,
    fields: &Fields<'_>,
    methods: &Methods<'_>,
    is_sliced: bool,
) -> Result<Option<usize>> {
    let method = methods.own.name;
    let line = fields.line_of("base_model");
    let place = base.as_ref().and_then(|base| recipe.models.iter().position(|m| m.path == *base));
    match (methods.own.base, base) {
        (BaseModel::Apart, None) => {
            let line = fields.line_of("merge_method");
            Err(wrong_text(line, method, "needs a `base_model`"))
        }
        (BaseModel::None, Some(_)) => {
            Err(wrong_text(line, method, "takes no `base_model`; remove it"))
        }
        (BaseModel::Apart, base) => {
            if place.is_some_and(|place| recipe.models[place].gram.is_some()) {
                return Err(wrong(line, "a Gram file of the base model has no use here"));
            }
            place.map(|place| recipe.models.remove(place));
            recipe.base = base;
            match recipe.models.is_empty() {
                true => Err(wrong(line, "the recipe lists no model beside the base model")),
                false => Ok(place),
            }
        }
        (BaseModel::Joins, Some(path)) if place.is_none() => match is_sliced {
            true => Err(wrong_text(line, &path, "is in none of the slices")),
            false => {
                recipe.models.push(RecipeModel { path, gram: None });
                Ok(None)
            }
        },
        (BaseModel::Joins, _) | (BaseModel::None, None) => Ok(None),
    }
}

/// All settings, the narrowest scope first; those of the base model that left are left out.
fn scopes(
    listed: Vec<Listed>,
    slices: Vec<Slice>,
    global: Settings,
    base: Option<usize>,
) -> Vec<Scope> {
    let is_cut = slices.len() > 1;
    let mut scopes = Vec::new();
    own_scopes(&mut scopes, listed, None, base);
    let mut shared = Vec::new();
    for Slice { layers, sources, settings } in slices {
        let layers = is_cut.then_some(layers);
        own_scopes(&mut scopes, sources, layers.clone(), base);
        add_scope(&mut shared, None, layers, settings);
    }
    scopes.append(&mut shared);
    add_scope(&mut scopes, None, None, global);
    scopes
}

fn own_scopes(
    scopes: &mut Vec<Scope>,
    listed: Vec<Listed>,
    layers: Option<Range<u64>>,
    base: Option<usize>,
) {
    for (place, listed) in listed.into_iter().enumerate() {
        if base != Some(place) {
            let model = place - usize::from(base.is_some_and(|base| base < place));
            add_scope(scopes, Some(model), layers.clone(), listed.settings);
        }
    }
}

fn add_scope(
    scopes: &mut Vec<Scope>,
    model: Option<usize>,
    layers: Option<Range<u64>>,
    settings: Settings,
) {
    if !settings.is_empty() {
        scopes.push(Scope { model, layers, settings: order::filled(settings) });
    }
}

/// All that is neither a file nor a parameter.
fn options(recipe: &mut Recipe, fields: &Fields<'_>) -> Result<()> {
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
fn tokenizer(fields: &Fields<'_>) -> Result<()> {
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

//! From text to a [`Recipe`]: mergekit's keys where they mean the same here, and some of our own.
//!
//! Nothing is passed over: a key or a parameter that is not known, and one that cannot be honoured,
//! is refused by its line. Paths stay as they are written.
//!
//! - `fields`: keys of a mapping.
//! - `models`, `slices`: which files.
//! - `settings`: parameters of the method.
//! - `options`: all else.
//!
//! Arithmetic is always as wide as it must be, so `dtype` and `out_dtype` only say what is written:
//! `out_dtype`, or else `dtype`. Where mergekit rounds inputs to a narrower `dtype` before it
//! computes, the answer here is rounded once, at the end. A base model that stands among the models
//! of a method which treats it apart takes no parameters; those given to it have no effect, as in
//! mergekit.

mod fields;
mod models;
mod options;
mod settings;
mod slices;

use std::ops::Range;

use fields::Fields;
use models::Listed;
use settings::{Methods, Settings};
use slices::Slice;

use super::yaml::{self, Result, wrong, wrong_text};
use super::{BaseModel, KnownMethod, Recipe, RecipeModel, Scope};
use crate::order;

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
    options::tokenizer(&fields)?;

    let mut recipe = Recipe { method: own.name.to_owned(), ..Recipe::default() };
    files(&mut recipe, &fields, &methods)?;
    options::read(&mut recipe, &fields)?;
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
        (BaseModel::First, Some(path)) => {
            let first = match place {
                Some(place) => recipe.models.remove(place),
                None => RecipeModel { path, gram: None },
            };
            recipe.models.insert(0, first);
            Ok(None)
        }
        (BaseModel::Joins, _) | (BaseModel::None | BaseModel::First, None) => Ok(None),
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

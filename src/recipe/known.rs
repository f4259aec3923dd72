//! Recipes and the table of methods: what a reader must know of it, and the way to settings and back.

use super::document::{BaseModel, KnownMethod, KnownParameter};
use super::options::{Options, WEIGHT};
use super::{Recipe, RecipeModel, Scope, Setting};
use crate::Result;
use crate::methods::{Base, Coefficients, Kind, Spec, TABLE, average};

/// Reads a recipe, in YAML or JSON, for one of the methods of the table.
///
/// # Errors
/// `Input` with the line, in one sentence.
pub fn read(text: &[u8]) -> Result<Recipe> {
    let parameters: Vec<Vec<KnownParameter<'_>>> = TABLE.iter().map(parameters).collect();
    let known = TABLE.iter().zip(&parameters).map(|(spec, own)| method(spec, own));
    super::read_for(text, &known.collect::<Vec<_>>())
}

fn method<'a>(spec: &'static Spec, parameters: &'a [KnownParameter<'a>]) -> KnownMethod<'a> {
    let base = match spec.base {
        // As in mergekit, where a base of the mean is one more model.
        Base::None if spec.name == average::SPEC.name => BaseModel::Joins,
        Base::None => BaseModel::None,
        Base::Needed => BaseModel::Apart,
        Base::FirstModel => BaseModel::First,
    };
    KnownMethod { name: spec.name, aliases: spec.aliases, base, parameters }
}

fn parameters(spec: &'static Spec) -> Vec<KnownParameter<'static>> {
    let own = spec.params.iter().map(|param| KnownParameter {
        name: param.name,
        is_per_model: param.per_model,
        is_switch: param.kind == Kind::Switch,
    });
    let weight = KnownParameter { name: WEIGHT, is_per_model: true, is_switch: false };
    own.chain((spec.coefficients != Coefficients::Unused).then_some(weight)).collect()
}

impl Recipe {
    /// The settings of the merge.
    pub fn options(&self) -> Options {
        Options {
            scopes: self.scopes.clone(),
            exclude: self.exclude.clone(),
            keep: self.keep.clone(),
            dtype: self.dtype,
            device: self.device,
            precision: self.precision,
            shard_size: self.shard_size.clone(),
            ..Options::of(&self.method)
        }
    }

    /// The recipe of a merge with these settings and files.
    pub fn of(options: &Options, models: Vec<RecipeModel>, base: Option<String>) -> Self {
        let mut scopes = options.scopes.clone();
        for (model, coefficient) in options.coefficients.iter().enumerate() {
            add_weight(&mut scopes, model, *coefficient);
        }
        Self {
            method: options.method.clone(),
            models,
            base,
            n_layers: None,
            scopes,
            dtype: options.dtype,
            exclude: options.exclude.clone(),
            keep: options.keep.clone(),
            precision: options.precision,
            device: options.device,
            shard_size: options.shard_size.clone(),
        }
    }
}

/// Writes a model's coefficient among its settings, unless it is there.
fn add_weight(scopes: &mut Vec<Scope>, model: usize, coefficient: f64) {
    let is_own = |scope: &&mut Scope| scope.model == Some(model) && scope.layers.is_none();
    match scopes.iter_mut().find(is_own) {
        Some(scope) => {
            scope.settings.entry(WEIGHT.into()).or_insert(Setting::Value(coefficient));
        }
        None => {
            let settings = [(WEIGHT.to_owned(), Setting::Value(coefficient))].into_iter();
            let scope = Scope { model: Some(model), layers: None, settings: settings.collect() };
            // Scopes of models are narrower than all others.
            let place = scopes.iter().take_while(|scope| scope.model.is_some()).count();
            scopes.insert(place, scope);
        }
    }
}

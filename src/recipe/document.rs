//! A whole merge as data: which files, by which method, with which settings.

use crate::tensor::dtype::Dtype;
use crate::{Error, Result};

use super::{Device, Keep, Precision, Scope, nearest, yaml};

/// A merge as a recipe says it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recipe {
    /// Canonical name of the method.
    pub method: String,
    /// Models in order; the base model is not among them where the method treats it apart.
    pub models: Vec<RecipeModel>,
    /// The base model, for methods that need one.
    pub base: Option<String>,
    /// Layers that the recipe says the models have, if it lists slices.
    pub n_layers: Option<u64>,
    /// Parameters, the narrowest scope first, one for each model and slice at most.
    pub scopes: Vec<Scope>,
    /// Output dtype; `None` keeps each tensor's own.
    pub dtype: Option<Dtype>,
    /// Tensors that are averaged, by regular expressions.
    pub exclude: Vec<String>,
    /// Tensors taken from one model as they are.
    pub keep: Vec<Keep>,
    /// Which arithmetic a layer may use.
    pub precision: Precision,
    /// Where the arithmetic runs.
    pub device: Device,
    /// Shards of at most so much, such as `5GB`.
    pub shard_size: Option<String>,
}

/// A model of a recipe.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecipeModel {
    /// A file or a folder, as the recipe writes it.
    pub path: String,
    /// Its Gram file.
    pub gram: Option<String>,
}

/// A method, as far as a reader of recipes must know it.
#[derive(Debug, Clone, Copy)]
pub struct KnownMethod<'a> {
    /// Canonical name.
    pub name: &'a str,
    /// Other names that recipes may use.
    pub aliases: &'a [&'a str],
    /// Its base model.
    pub base: BaseModel,
    /// All parameters.
    pub parameters: &'a [KnownParameter<'a>],
}

/// Where a method puts the recipe's base model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseModel {
    /// Apart from the models; the recipe must name one.
    Apart,
    /// Among the models, last where it is not listed.
    Joins,
    /// Among the models, as the first one; the recipe may name none. Such methods have no parameters that
    /// differ by model.
    First,
    /// Nowhere: the recipe must name none.
    None,
}

/// A parameter, as far as a reader of recipes must know it.
#[derive(Debug, Clone, Copy)]
pub struct KnownParameter<'a> {
    /// The key in a recipe.
    pub name: &'a str,
    /// Whether models may differ in it.
    pub is_per_model: bool,
    /// Whether it is on or off, not a number.
    pub is_switch: bool,
}

impl Recipe {
    /// Compares the layers that the slices list with those that the models have.
    ///
    /// # Errors
    /// `Input` with both numbers.
    pub fn check_layers(&self, n_found: u64) -> Result<()> {
        match self.n_layers {
            Some(n) if n != n_found => {
                let what = format!("the slices end at layer {n}, but the models have {n_found}");
                let advice = "slices must cover whole models: cutting layers off is not supported";
                Err(Error::input(what).advice(advice))
            }
            _ => Ok(()),
        }
    }
}

impl<'a> KnownMethod<'a> {
    /// The method of that name among `all`.
    pub(super) fn find(all: &[Self], name: &str, line: usize) -> yaml::Result<Self> {
        let mut names = Vec::new();
        for method in all {
            if method.name == name || method.aliases.contains(&name) {
                return Ok(*method);
            }
            names.push(method.name);
            names.extend_from_slice(method.aliases);
        }
        Err(nearest::unknown(line, "there is no method", name, &names))
    }
}

//! The settings of a merge, checked against the table of methods.

use serde::{Deserialize, Serialize};

use super::nearest::nearest;
use super::scope::{Scope, find};
use super::{Layers, Setting};
use crate::format::size_bytes;
use crate::methods::regmean::Precision;
use crate::methods::{self, Coefficients, Param, Spec, Values};
use crate::tensor::Dtype;
use crate::{Error, Result, printable};

/// Where the arithmetic runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The fastest that meets the accuracy contract.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The graphics card.
    Gpu,
}

/// Keeps one model's own tensors: `REGEX=1` takes matching tensors from the first model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Searched for in the tensor's name.
    pub pattern: String,
    /// Index of the model, from 0.
    pub model: usize,
}

/// The settings of a merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Name of the method, as the table has it.
    pub method: String,
    /// The method's own settings, for whom they are: the narrowest first.
    pub scopes: Vec<Scope>,
    /// One coefficient per model, in order; empty means 1 for each. A `weight` in a scope counts more.
    pub coefficients: Vec<f64>,
    /// Tensors that take the weighted mean, whatever the method.
    pub exclude: Vec<String>,
    /// Tensors taken from one model as they are.
    pub keep: Vec<Keep>,
    /// Output dtype of merged tensors; `None` keeps each tensor's own.
    pub dtype: Option<Dtype>,
    /// Where the arithmetic runs.
    pub device: Device,
    /// Which arithmetic a layer may use.
    pub precision: Precision,
    /// Shards of at most so much, such as `5GB`; `None` writes one file.
    pub shard_size: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            method: methods::regmean::SPEC.name.into(),
            scopes: Vec::new(),
            coefficients: Vec::new(),
            exclude: Vec::new(),
            keep: Vec::new(),
            dtype: None,
            device: Device::default(),
            precision: Precision::default(),
            shard_size: None,
        }
    }
}

/// Key of a model's coefficient among its settings.
pub const WEIGHT: &str = "weight";

impl Options {
    /// Settings of a method, all others at their defaults.
    pub fn of(method: &str) -> Self {
        Self { method: method.into(), ..Self::default() }
    }

    /// Sets one of the method's own settings, for every tensor.
    ///
    /// ```
    /// use gramerge::recipe::Options;
    /// let options = Options::default().with("alpha", 0.5);
    /// ```
    #[must_use]
    pub fn with(mut self, key: &str, value: f64) -> Self {
        self.scopes.push(Scope::of_all(key, value));
        self
    }

    /// Row of the method in the table.
    ///
    /// # Errors
    /// `Usage` for an unknown name, with the nearest one.
    pub fn spec(&self) -> Result<&'static Spec> {
        methods::find(&self.method).ok_or_else(|| {
            let names: Vec<&str> = methods::TABLE.iter().map(|spec| spec.name).collect();
            let error = Error::usage(format!("there is no method `{}`", printable(&self.method)));
            let near = nearest(&self.method, &names);
            let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
            error.advice(format!("{near}choose one of {}", names.join(", ")))
        })
    }

    /// Checks every setting against the method and the number of models.
    ///
    /// # Errors
    /// `Usage`, naming the setting.
    pub fn validate(&self, n_models: usize) -> Result<()> {
        let spec = self.spec()?;
        self.validate_coefficients(spec, n_models)?;
        self.scopes.iter().try_for_each(|scope| validate_scope(spec, scope, n_models))?;
        self.max_shard_bytes()?;
        for keep in &self.keep {
            if keep.model >= n_models {
                let what = format!(
                    "there is no model {} to keep `{}` from: there are {n_models} models",
                    keep.model.saturating_add(1),
                    printable(&keep.pattern)
                );
                return Err(Error::usage(what).advice("count them from 1"));
            }
        }
        match self.dtype {
            None | Some(Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::F64) => Ok(()),
            Some(other) => Err(Error::usage(format!("{} cannot be written", other.name()))
                .advice("choose f32, f16 or bf16")),
        }
    }

    fn validate_coefficients(&self, spec: &Spec, n_models: usize) -> Result<()> {
        let coefficients = &self.coefficients;
        if coefficients.is_empty() {
            return Ok(());
        }
        if spec.coefficients == Coefficients::Unused {
            return Err(Error::usage(format!("the method {} has no coefficients", spec.name))
                .advice("leave them out"));
        }
        if coefficients.len() != n_models {
            let what = format!("{} coefficients for {n_models} models", coefficients.len());
            return Err(Error::usage(what).advice("give one per model, in the same order"));
        }
        Ok(())
    }

    /// What a tensor is made with, by a method that may be another than the chosen one.
    ///
    /// # Errors
    /// `Usage` for coefficients that give no answer, or a setting that has no value.
    pub fn values(
        &self,
        spec: &Spec,
        n_models: usize,
        tensor: &str,
        layers: Layers,
    ) -> Result<Values> {
        let find = |key: &str, model: Option<usize>| find(&self.scopes, key, model, tensor, layers);
        let mut values = Values::default();
        for param in spec.params {
            let one = |model: Option<usize>| {
                let found = find(param.name, model).or(param.default);
                found.ok_or_else(|| missing(spec, param))
            };
            let own: Vec<f64> = match param.per_model {
                true => (0..n_models).map(|model| one(Some(model))).collect::<Result<_>>()?,
                false => vec![one(None)?],
            };
            values.settings.insert(param.name.into(), own);
        }
        let coefficient = |model: usize| {
            let given = || self.coefficients.get(model).copied();
            find(WEIGHT, Some(model)).or_else(given).unwrap_or(1.0)
        };
        values.coefficients = (0..n_models).map(coefficient).collect();
        check_coefficients(spec, &values)?;
        Ok(values)
    }

    /// What a tensor is made with that the method leaves to the weighted mean.
    ///
    /// # Errors
    /// As [`Self::values`].
    pub fn mean_values(&self, n_models: usize, tensor: &str, layers: Layers) -> Result<Values> {
        let spec = self.spec()?;
        let coefficients = match spec.coefficients {
            Coefficients::Shares | Coefficients::SharesUnlessOff => {
                self.values(spec, n_models, tensor, layers)?.coefficients
            }
            // Factors of differences say nothing of a mean.
            Coefficients::Factors | Coefficients::Unused => vec![1.0; n_models],
        };
        Ok(Values { coefficients, ..Values::default() })
    }

    /// The largest shard, where shards are wanted.
    ///
    /// # Errors
    /// `Usage` if it is not a size.
    pub fn max_shard_bytes(&self) -> Result<Option<u64>> {
        self.shard_size.as_deref().map(size_bytes).transpose()
    }

    /// The one value of a setting where it is the same for every tensor: as given, or the default.
    pub fn value_of_all(&self, param: &Param) -> Option<f64> {
        let mut given = self.scopes.iter().filter_map(|scope| {
            let setting = scope.settings.get(param.name)?;
            let is_for_all = scope.model.is_none() && scope.layers.is_none();
            Some(match setting {
                Setting::Value(value) if is_for_all => Some(*value),
                _ => None,
            })
        });
        given.next().unwrap_or(param.default)
    }

    /// The coefficients as they were given; 1 for every model where none were.
    pub fn given_coefficients(&self, n_models: usize) -> Vec<f64> {
        match self.coefficients.is_empty() {
            true => vec![1.0; n_models],
            false => self.coefficients.clone(),
        }
    }

    /// The coefficients scaled to sum to 1; equal where none were given.
    pub fn normalised_coefficients(&self, n_models: usize) -> Vec<f64> {
        shares(&self.given_coefficients(n_models))
    }
}

/// Coefficients scaled to sum to 1.
pub fn shares(coefficients: &[f64]) -> Vec<f64> {
    let sum: f64 = coefficients.iter().sum();
    coefficients.iter().map(|c| c / sum).collect()
}

fn missing(spec: &Spec, param: &Param) -> Error {
    Error::usage(format!("the method {} needs a value for `{}`", spec.name, param.name))
        .advice(param.kind.in_words())
}

fn validate_scope(spec: &Spec, scope: &Scope, n_models: usize) -> Result<()> {
    if let Some(model) = scope.model.filter(|model| *model >= n_models) {
        let what = format!("there is no model {}: there are {n_models}", model.saturating_add(1));
        return Err(Error::usage(what).advice("count them from 1"));
    }
    scope.settings.iter().try_for_each(|(key, setting)| {
        let per_model = match spec.param(key) {
            Some(param) => {
                check_values(param, setting)?;
                param.per_model
            }
            None if key == WEIGHT && spec.coefficients != Coefficients::Unused => true,
            None => return Err(unknown(spec, key)),
        };
        match scope.model {
            Some(_) if !per_model => Err(Error::usage(format!(
                "`{key}` is a setting of the whole merge, not of a model"
            ))
            .advice("give it once, beside the models")),
            _ => Ok(()),
        }
    })
}

fn check_values(param: &Param, setting: &Setting) -> Result<()> {
    match setting.values().into_iter().find(|value| !param.kind.allows(*value)) {
        None => Ok(()),
        Some(value) => Err(Error::usage(format!(
            "{} is {value}, which is not {}",
            param.name,
            param.kind.in_words()
        ))),
    }
}

fn unknown(spec: &Spec, key: &str) -> Error {
    let mut names: Vec<&str> = spec.params.iter().map(|param| param.name).collect();
    if spec.coefficients != Coefficients::Unused {
        names.push(WEIGHT);
    }
    let what = format!("the method {} has no setting `{}`", spec.name, printable(key));
    let advice = match nearest(key, &names) {
        Some(near) => format!("did you mean `{near}`? It has {}", names.join(", ")),
        None => format!("it has {}", names.join(", ")),
    };
    Error::usage(what).advice(advice)
}

/// Refuses coefficients that give no answer.
fn check_coefficients(spec: &Spec, values: &Values) -> Result<()> {
    let coefficients = &values.coefficients;
    let is_sum = match spec.coefficients {
        Coefficients::Unused => return Ok(()),
        Coefficients::Shares => false,
        Coefficients::Factors => true,
        Coefficients::SharesUnlessOff => !values.is_on("normalize"),
    };
    let sum: f64 = coefficients.iter().sum();
    if is_sum {
        return match coefficients.iter().all(|c| c.is_finite()) {
            true => Ok(()),
            false => Err(Error::usage("coefficients must be finite")),
        };
    }
    if coefficients.iter().any(|c| !c.is_finite() || *c < 0.0) || sum <= 0.0 {
        return Err(Error::usage("coefficients must be finite, not negative, and not all zero"));
    }
    if sum.is_infinite() {
        let what = "the sum of the coefficients is too large for a number";
        return Err(Error::usage(what).advice("give smaller ones: only their ratios count"));
    }
    Ok(())
}

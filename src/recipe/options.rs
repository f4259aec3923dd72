//! What the user asks for: the settings of a merge, with their defaults and limits.

use serde::{Deserialize, Serialize};

use crate::format::size_bytes;
use crate::tensor::dtype::Dtype;
use crate::{Error, Result, printable};

/// How weights are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// RegMean where a Gram matrix is at hand, the weighted mean elsewhere.
    #[default]
    Regmean,
    /// The weighted mean everywhere.
    Average,
}

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

/// Which arithmetic a layer may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32 where a condition estimate says that it suffices, else f64: 1e-6 on every tensor.
    #[default]
    Auto,
    /// f32 only; the report carries the estimated bound.
    Fast,
    /// f64 throughout.
    Exact,
}

/// Keeps one model's own tensors: `REGEX=1` takes matching tensors from the first model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// How weights are combined.
    pub method: Method,
    /// Off-diagonal scale α of every Gram matrix, in [0, 1].
    pub alpha: f64,
    /// One weight c_i per model, in order; empty means equal weights.
    pub coefficients: Vec<f64>,
    /// Tensors that are averaged although a Gram matrix is at hand.
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
            method: Method::default(),
            alpha: 0.9,
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

impl Options {
    /// Checks every setting against the number of models.
    ///
    /// # Errors
    /// `Usage`, naming the setting.
    pub fn validate(&self, n_models: usize) -> Result<()> {
        if !(0.0..=1.0).contains(&self.alpha) {
            return Err(Error::usage(format!("alpha is {}, outside [0, 1]", self.alpha)));
        }
        self.validate_coefficients(n_models)?;
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

    fn validate_coefficients(&self, n_models: usize) -> Result<()> {
        let coefficients = &self.coefficients;
        if coefficients.is_empty() {
            return Ok(());
        }
        if coefficients.len() != n_models {
            let what = format!("{} coefficients for {n_models} models", coefficients.len());
            return Err(Error::usage(what).advice("give one per model, in the same order"));
        }
        let sum: f64 = coefficients.iter().sum();
        if coefficients.iter().any(|c| !c.is_finite() || *c < 0.0) || sum <= 0.0 {
            return Err(Error::usage(
                "coefficients must be finite, not negative, and not all zero",
            ));
        }
        if sum.is_infinite() {
            let what = "the sum of the coefficients is too large for a number";
            return Err(Error::usage(what).advice("give smaller ones: only their ratios count"));
        }
        Ok(())
    }

    /// The largest shard, where shards are wanted.
    ///
    /// # Errors
    /// `Usage` if it is not a size.
    pub fn max_shard_bytes(&self) -> Result<Option<u64>> {
        self.shard_size.as_deref().map(size_bytes).transpose()
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
        if self.coefficients.is_empty() {
            return vec![1.0 / n_models as f64; n_models];
        }
        let sum: f64 = self.coefficients.iter().sum();
        self.coefficients.iter().map(|c| c / sum).collect()
    }
}

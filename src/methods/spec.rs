//! What the table of methods says of each one: the source of help, fields, recipe keys and documents.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::elementwise::{Elementwise, Facts};

/// One method.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spec {
    /// Word for command lines, recipes and reports.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// Heading for people.
    pub title: &'static str,
    /// Publication that it comes from.
    pub paper: &'static str,
    /// What is computed, with W_i the models, B the base, δ_i = W_i − B and w_i the coefficients.
    pub formula: &'static str,
    /// When to choose it, and what is known of it.
    pub about: &'static str,
    /// Whether a base model is given beside the models.
    pub base: Base,
    /// Fewest models, the base not counted.
    pub min_models: usize,
    /// Most models, the base not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_models: Option<usize>,
    /// Files of statistics that every model needs.
    pub statistics: &'static [Statistic],
    /// What the models' coefficients mean.
    pub coefficients: Coefficients,
    /// Its own settings.
    pub params: &'static [Param],
    /// How a tensor is made.
    #[serde(skip)]
    pub combine: Combine,
}

/// A method's demand for a base model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// Not used, and refused.
    None,
    /// The model that all others were fine-tuned from.
    Needed,
    /// May be given, and then counts as the first model.
    FirstModel,
}

/// Files beside a model that a method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Gram matrices of the layers' inputs.
    Gram,
}

/// The meaning of the models' coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Coefficients {
    /// Only their ratios count; none is negative.
    Shares,
    /// Factors that are used as they are given, of either sign.
    Factors,
    /// Shares, or factors where `normalize` is off.
    SharesUnlessOff,
    /// Not used, and refused.
    Unused,
}

/// How a method makes a tensor.
#[derive(Debug, Clone, Copy)]
pub enum Combine {
    /// Element by element, after looks at the whole tensor where it needs them.
    Elements(fn(&Values, &Facts<'_>) -> Box<dyn Elementwise>),
    /// By solving layers with Gram matrices; the rest takes the weighted mean.
    Layers,
}

/// One setting of a method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// Key for `--set`, recipes and reports.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// Whether every model has its own value.
    pub per_model: bool,
    /// What it may be.
    pub kind: Kind,
    /// Value where none is given; `None` where one must be.
    pub default: Option<f64>,
}

impl Serialize for Param {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("help", self.help)?;
        map.serialize_entry("per_model", &self.per_model)?;
        let (kind, min, max) = match self.kind {
            Kind::Number { min, max } => ("number", Some(min), Some(max)),
            Kind::Whole { max } => ("whole", None, Some(max)),
            Kind::Switch => ("switch", None, None),
        };
        map.serialize_entry("kind", kind)?;
        for (key, value) in [("min", min), ("max", max), ("default", self.default)] {
            if let Some(value) = value {
                map.serialize_entry(key, &value)?;
            }
        }
        map.end()
    }
}

/// The values that a setting may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A number from `min` to `max`.
    Number {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// A whole number from 0 to `max`.
    Whole {
        /// Largest value.
        max: f64,
    },
    /// On (1) or off (0).
    Switch,
}

impl Kind {
    /// A number of any size.
    pub const ANY: Self = Self::Number { min: -1e300, max: 1e300 };
    /// A part of a whole.
    pub const FRACTION: Self = Self::Number { min: 0.0, max: 1.0 };

    /// Whether a value is one of these.
    pub fn allows(self, value: f64) -> bool {
        match self {
            Self::Number { min, max } => (min..=max).contains(&value),
            Self::Whole { max } => (0.0..=max).contains(&value) && value.fract() == 0.0,
            Self::Switch => value == 0.0 || value == 1.0,
        }
    }

    /// A value as it is typed.
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::Switch => (value == 1.0).to_string(),
            Self::Number { .. } | Self::Whole { .. } => value.to_string(),
        }
    }

    /// The values in words.
    pub fn in_words(self) -> String {
        match self {
            Self::Number { min, max } if max >= 1e300 && min <= -1e300 => "a number".into(),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Whole { max } => format!("a whole number from 0 to {max}"),
            Self::Switch => "true or false".into(),
        }
    }
}

impl Spec {
    /// The setting of that name.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|param| param.name == name)
    }
}

/// What a tensor is made with: the settings of its method, for this tensor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// Coefficient of each model.
    pub coefficients: Vec<f64>,
    /// Values by name: one, or one per model.
    pub settings: BTreeMap<String, Vec<f64>>,
}

impl Values {
    /// A setting of the whole merge; NaN if there is none.
    pub fn get(&self, name: &str) -> f64 {
        self.of_model(name, 0)
    }

    /// One model's setting; NaN if there is none.
    pub fn of_model(&self, name: &str, model: usize) -> f64 {
        self.settings.get(name).and_then(|values| values.get(model)).copied().unwrap_or(f64::NAN)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name) == 1.0
    }
}

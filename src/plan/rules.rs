//! The methods and settings that a plan's tensors are made with, each set of them once.

use super::Rule;
use crate::Result;
use crate::methods::{Spec, average};
use crate::recipe::{Layers, Options};
use crate::tensor::Dtype;

/// The rules of a plan that is being made.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    options: &'a Options,
    spec: &'static Spec,
    layers: Layers,
    n_models: usize,
    list: Vec<Rule>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(options: &'a Options, layers: Layers, n_models: usize) -> Result<Self> {
        Ok(Self { options, spec: options.spec()?, layers, n_models, list: Vec::new() })
    }

    /// Row of the chosen method.
    pub(super) fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// Output dtype, where one was chosen.
    pub(super) fn dtype(&self) -> Option<Dtype> {
        self.options.dtype
    }

    /// The chosen method for a tensor.
    pub(super) fn own(&mut self, tensor: &str) -> Result<usize> {
        let values = self.options.values(self.spec, self.n_models, tensor, self.layers)?;
        Ok(self.place(Rule { method: self.spec.name.into(), values }))
    }

    /// The weighted mean, for a tensor that the method leaves to it.
    pub(super) fn mean(&mut self, tensor: &str) -> Result<usize> {
        let values = self.options.mean_values(self.n_models, tensor, self.layers)?;
        Ok(self.place(Rule { method: average::SPEC.name.into(), values }))
    }

    fn place(&mut self, rule: Rule) -> usize {
        let found = self.list.iter().rposition(|other| *other == rule);
        found.unwrap_or_else(|| {
            self.list.push(rule);
            self.list.len() - 1
        })
    }

    pub(super) fn into_list(self) -> Vec<Rule> {
        self.list
    }
}

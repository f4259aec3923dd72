//! The way through a tensor, element by element: stored bytes in, merged bytes and measures out.
//!
//! Methods supply the inner loop over a short run of values in f64. A method that has to know something
//! of the whole tensor first (a threshold, a norm) looks at all of it once or more before it combines.

use super::measures::Measures;
use crate::Result;
use crate::tensor::dtype::{Dtype, decode_into, encode};

/// Elements in a run: all models' values of a run stay in the first cache.
const RUN: usize = 512;

/// What is known of a tensor before it is read.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Full name.
    pub name: &'a str,
    /// Shape, the same in every model.
    pub shape: &'a [u64],
    /// Element type in each model.
    pub dtypes: &'a [Dtype],
    /// Element type in the output.
    pub dtype_out: Dtype,
}

/// Consecutive elements of all inputs.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Index of the first one in the tensor.
    pub first: u64,
    /// The base model's values; empty where there is no base.
    pub base: &'a [f64],
    /// The models' values. `[models][len]`
    pub models: &'a [Vec<f64>],
}

/// A method at work on one tensor. Runs come in order, from the first element to the last.
pub trait Elementwise {
    /// How often the whole tensor is looked at before it is combined.
    fn n_surveys(&self) -> usize {
        0
    }

    /// Looks at a run, for the `pass`-th time.
    fn survey(&mut self, _pass: usize, _run: &Run<'_>) {}

    /// Ends a pass.
    ///
    /// # Errors
    /// `Numeric` where the tensor has no answer by this method.
    fn surveyed(&mut self, _pass: usize) -> Result<()> {
        Ok(())
    }

    /// Merges a run into `out`, before its one rounding.
    fn combine(&mut self, run: &Run<'_>, out: &mut [f64]);
}

/// Stored elements and their type.
pub type Stored<'a> = (Dtype, &'a [u8]);

/// Corresponding elements of every input, as they are stored.
#[derive(Debug, Clone, Default)]
pub struct Inputs<'a> {
    /// The base model's, if there is a base.
    pub base: Option<Stored<'a>>,
    /// Each model's.
    pub models: Vec<Stored<'a>>,
}

/// Lets a method look at elements from index `first` on.
pub fn survey(rule: &mut dyn Elementwise, pass: usize, first: u64, inputs: &Inputs<'_>) {
    each_run(inputs, |start, base, models| {
        rule.survey(pass, &Run { first: first + start as u64, base, models });
    });
}

/// Merges elements from index `first` on; `bytes` becomes the answer, in `dtype_out`.
pub fn combine(
    rule: &mut dyn Elementwise,
    first: u64,
    inputs: &Inputs<'_>,
    dtype_out: Dtype,
    bytes: &mut Vec<u8>,
) -> Measures {
    let size = dtype_out.size_bytes();
    bytes.resize(n_elements(inputs) * size, 0);
    let mut measures = Measures::new(inputs.models.len());
    let mut merged = vec![0.0; RUN];
    each_run(inputs, |start, base, models| {
        let len = models.first().map_or(0, Vec::len);
        let merged = &mut merged[..len];
        rule.combine(&Run { first: first + start as u64, base, models }, merged);
        for (model, own) in models.iter().enumerate() {
            measures.compare(model, merged, own);
        }
        measures.count_exact(dtype_out, merged);
        let out = &mut bytes[start * size..(start + len) * size];
        encode(dtype_out, merged.iter().copied(), out);
    });
    measures
}

fn n_elements(inputs: &Inputs<'_>) -> usize {
    inputs.models.first().map_or(0, |(dtype, bytes)| bytes.len() / dtype.size_bytes())
}

/// Hands over all values, a run at a time: where it starts, the base's and the models'.
fn each_run(inputs: &Inputs<'_>, mut each: impl FnMut(usize, &[f64], &[Vec<f64>])) {
    let n = n_elements(inputs);
    let mut models = vec![vec![0.0; RUN]; inputs.models.len()]; // [models][RUN]
    let mut base = vec![0.0; if inputs.base.is_some() { RUN } else { 0 }];
    for start in (0..n).step_by(RUN) {
        let len = RUN.min(n - start);
        for (stored, own) in inputs.models.iter().zip(&mut models) {
            own.truncate(len);
            decode(*stored, start, own);
        }
        if let Some(stored) = inputs.base {
            base.truncate(len);
            decode(stored, start, &mut base);
        }
        each(start, &base, &models);
    }
}

fn decode((dtype, bytes): Stored<'_>, start: usize, out: &mut [f64]) {
    let size = dtype.size_bytes();
    decode_into(dtype, &bytes[start * size..(start + out.len()) * size], out);
}

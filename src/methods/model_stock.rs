//! Model Stock: between the base and the models' mean, as far as their angles say (Jang et al.,
//! arXiv 2403.19522, §4).
//!
//! ```text
//! W = t W̄ + (1 − t) B,   t = N c / (1 + (N − 1) c),   c = mean of cos(δ_i, δ_j) over all pairs
//! ```

use super::elementwise::{Elementwise, Facts, Run};
use super::spec::{Base, Coefficients, Combine, Kind, Param, Spec, Values};
use crate::tensor::sums;
use crate::{Error, Result};

/// Row of the table.
pub(super) const SPEC: Spec = Spec {
    name: "model_stock",
    aliases: &[],
    title: "Model Stock",
    paper: "Jang et al., Model Stock (arXiv 2403.19522)",
    formula: "W = t W̄ + (1 − t) B, with t = N c / (1 + (N − 1) c) and c the mean cosine of two δ",
    about: "Goes from the base towards the mean, the less the models agree the less far. \
            For fine-tunes on the same task. Not measured yet.",
    base: Base::Needed,
    min_models: 2,
    max_models: None,
    statistics: &[],
    coefficients: Coefficients::Unused,
    params: &[Param {
        name: "filter_wise",
        help: "Take an angle for each row of the last dimension, not for the whole tensor.",
        per_model: false,
        kind: Kind::Switch,
        default: Some(0.0),
    }],
    combine: Combine::Elements(|values, facts| Box::new(ModelStock::new(values, facts))),
};

/// Smallest product of two lengths that a cosine is taken with.
const SMALLEST_LENGTHS: f64 = 1e-6;
/// Smallest divisor of t.
const SMALLEST_DIVISOR: f64 = 1e-6;

/// One tensor at work.
#[derive(Debug)]
struct ModelStock {
    n_models: usize,
    /// Elements that share an angle.
    row_len: u64,
    /// ⟨δ_i, δ_j⟩ for i ≤ j. `[rows][pairs]`
    products: Vec<f64>,
    /// How far to go. `[rows]`
    t: Vec<f64>,
}

impl ModelStock {
    fn new(values: &Values, facts: &Facts<'_>) -> Self {
        let n: u64 = facts.shape.iter().product();
        let row_len = match facts.shape.last() {
            Some(last) if values.is_on("filter_wise") => *last,
            _ => n,
        };
        let (n_models, row_len) = (facts.dtypes.len(), row_len.max(1));
        let n_pairs = n_models * (n_models + 1) / 2;
        let products = vec![0.0; n.div_ceil(row_len) as usize * n_pairs];
        Self { n_models, row_len, products, t: Vec::new() }
    }

    fn n_pairs(&self) -> usize {
        self.n_models * (self.n_models + 1) / 2
    }

    /// t of one row. `products` in the order (0,0), (0,1), …, (1,1), ….
    fn t(&self, products: &[f64]) -> f64 {
        let n = self.n_models;
        let at = |i: usize, j: usize| products[i * n - i * (i + 1) / 2 + j];
        let (mut sum, mut n_cosines) = (0.0, 0.0);
        for i in 0..n {
            for j in i + 1..n {
                let lengths = (at(i, i).sqrt() * at(j, j).sqrt()).max(SMALLEST_LENGTHS);
                sum += (at(i, j) / lengths).clamp(-1.0, 1.0);
                n_cosines += 1.0;
            }
        }
        let (n, cosine) = (n as f64, sum / n_cosines);
        let divisor = 1.0 + (n - 1.0) * cosine;
        if divisor.abs() < SMALLEST_DIVISOR { 0.0 } else { n * cosine / divisor }
    }
}

/// Parts of a run that lie in one row: the row, and where they start and end in the run.
fn rows(row_len: u64, run: &Run<'_>) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let (first, len) = (run.first, run.base.len() as u64);
    let rows = first / row_len..(first + len).div_ceil(row_len);
    rows.map(move |row| {
        let start = (row * row_len).max(first) - first;
        let end = ((row + 1) * row_len - first).min(len);
        (row as usize, start as usize, end as usize)
    })
}

impl Elementwise for ModelStock {
    fn n_surveys(&self) -> usize {
        1
    }

    fn survey(&mut self, _: usize, run: &Run<'_>) {
        let n_pairs = self.n_pairs();
        for (row, start, end) in rows(self.row_len, run) {
            let mut pair = row * n_pairs;
            for (i, a) in run.models.iter().enumerate() {
                for b in &run.models[i..] {
                    let own = a[start..end].iter().zip(&b[start..end]).zip(&run.base[start..end]);
                    let sum: f64 = own.map(|((a, b), base)| (a - base) * (b - base)).sum();
                    self.products[pair] += sum;
                    pair += 1;
                }
            }
        }
    }

    fn surveyed(&mut self, _: usize) -> Result<()> {
        if !sums::all_finite(&self.products) {
            return Err(Error::numeric("its values are not finite, or too large to take an angle")
                .advice("exclude it, or keep it from one model"));
        }
        self.t = self.products.chunks(self.n_pairs()).map(|row| self.t(row)).collect();
        Ok(())
    }

    fn combine(&mut self, run: &Run<'_>, out: &mut [f64]) {
        let n = self.n_models as f64;
        for (row, start, end) in rows(self.row_len, run) {
            let t = self.t[row];
            for j in start..end {
                let mean = run.models.iter().map(|own| own[j]).sum::<f64>() / n;
                out[j] = run.base[j] + t * (mean - run.base[j]);
            }
        }
    }
}

//! One weight's equation in f64, solved by elimination: no code of the product's solver.

use gramerge::checkpoint::Model;
use gramerge::format::{GramLayout, Normalization};
use gramerge::plan::PlannedTensor;
use gramerge::tensor::Orientation;
use gramerge::tensor::dtype::decode;
use pollster::block_on;

use crate::common::Memory;
use crate::merges::Done;
use crate::oracle::{SANE, shares, stored, turned};

/// Beyond this condition the textbook formula is no judge.
const MAX_CONDITION: f64 = 1e6;

/// The numbers of one weight's equation.
pub(crate) struct Layer {
    n: usize,
    pub(crate) weights: Vec<Vec<f64>>, // [models][out, in]
    grams: Vec<Vec<f64>>,              // [models][in, in], shrunk and weighted
    pub(crate) condition: f64,
}

impl Layer {
    /// `None` where the textbook formula would not do, or the meaning is not the oracle's to say.
    pub(crate) fn read(
        done: &Done,
        tensor: &PlannedTensor,
        group: usize,
        orientation: Orientation,
    ) -> Option<Self> {
        let merge = &done.merge;
        let (models, options) = (&merge.models().list, merge.options());
        let group = &merge.plan().groups[group];
        let n = group.n_in as usize;
        let alpha = merge.plan().rules[group.rule].values.get("alpha");
        let shares = shares(options, models.len())?;
        let (mut weights, mut grams) = (Vec::new(), Vec::new());
        for ((model, key), share) in models.iter().zip(&group.gram_names).zip(shares) {
            weights.push(turned(stored(model, &tensor.name)?, n, orientation));
            let mut gram = gram(model, key, n)?;
            for (index, value) in gram.iter_mut().enumerate() {
                *value *= if index % (n + 1) == 0 { share } else { share * alpha };
            }
            grams.push(gram);
        }
        let mut layer = Self { n, weights, grams, condition: 1.0 };
        if layer.is_graded() {
            return None;
        }
        layer.condition = layer.condition()?;
        (layer.condition < MAX_CONDITION).then_some(layer)
    }

    /// Whether products with the sum lose what counts: beside a large element of a column its diagonal
    /// vanishes.
    fn is_graded(&self) -> bool {
        const MAX_RATIO: f64 = 1e6;
        let n = self.n;
        let at = |index: usize| self.grams.iter().map(|gram| gram[index].abs()).sum::<f64>();
        (0..n * n).any(|index| at(index) > MAX_RATIO * at(index % n * (n + 1)))
    }

    /// Σ G̃_i with a unit diagonal, and what it was scaled by.
    fn scaled_sum(&self) -> Option<(Vec<f64>, Vec<f64>)> {
        let n = self.n;
        let at = |index: usize| self.grams.iter().map(|gram| gram[index]).sum::<f64>();
        let mut sum: Vec<f64> = (0..n * n).map(at).collect();
        let diagonal: Vec<f64> = (0..n).map(|i| sum[i * n + i]).collect();
        if !diagonal.iter().all(|value| SANE.contains(value)) {
            return None;
        }
        let scale: Vec<f64> = diagonal.iter().map(|value| value.sqrt().recip()).collect();
        for (index, value) in sum.iter_mut().enumerate() {
            *value *= scale[index / n] * scale[index % n];
        }
        Some((sum, scale))
    }

    /// ‖T‖ ‖T⁻¹‖ in the largest row sum.
    fn condition(&self) -> Option<f64> {
        let (sum, _) = self.scaled_sum()?;
        let n = self.n;
        let unit: Vec<f64> =
            (0..n * n).map(|index| if index % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
        let inverse = solve(n, &sum, unit)?;
        let norm = |values: &[f64]| {
            let rows = values.chunks(n).map(|row| row.iter().map(|x| x.abs()).sum::<f64>());
            rows.fold(0.0, gramerge::tensor::larger)
        };
        Some(norm(&sum) * norm(&inverse)).filter(|condition| condition.is_finite())
    }

    /// A + Σ (W_i − A) G̃_i (Σ G̃_i)⁻¹, where all numbers are of sane size.
    pub(crate) fn solved(&self) -> Option<Vec<f64>> {
        let n = self.n;
        let is_sane = |value: &f64| *value == 0.0 || SANE.contains(&value.abs());
        if !self.weights.iter().chain(&self.grams).flatten().all(is_sane) {
            return None;
        }
        let (sum, scale) = self.scaled_sum()?;
        let anchor = &self.weights[0];
        let mut right = vec![0.0; anchor.len()];
        for (weight, gram) in self.weights.iter().zip(&self.grams) {
            for (index, value) in right.iter_mut().enumerate() {
                let (row, col) = (index / n, index % n);
                let terms =
                    (0..n).map(|k| (weight[row * n + k] - anchor[row * n + k]) * gram[k * n + col]);
                *value += terms.sum::<f64>() * scale[col];
            }
        }
        let solved = solve(n, &sum, right)?;
        let at = |(index, x): (usize, &f64)| anchor[index] + x * scale[index % n];
        Some(solved.iter().enumerate().map(at).collect())
    }
}

/// A Gram matrix per row, both halves; `None` where sums have no row count.
fn gram(model: &Model<Memory>, key: &str, n: usize) -> Option<Vec<f64>> {
    let file = model.gram()?;
    let entry = file.entries.values().find(|entry| entry.key == key)?;
    let (source, info) = model.gram_tensor(entry).ok()?;
    let scale = match file.normalization {
        Normalization::Mean => 1.0,
        Normalization::Sum => entry.rows.filter(|rows| *rows > 0.0)?.recip(),
    };
    let values = decode(info.dtype, &block_on(source.read(info)).ok()?);
    let at = |i: usize, j: usize| match entry.layout {
        GramLayout::Full => (values[i * n + j] + values[j * n + i]) / 2.0,
        GramLayout::Packed => values[i.min(j) * (2 * n - i.min(j) + 1) / 2 + i.abs_diff(j)],
    };
    Some((0..n * n).map(|index| scale * at(index / n, index % n)).collect())
}

/// X with X S = B by elimination with pivots, for symmetric `s: [n, n]` and `b: [m, n]`.
fn solve(n: usize, s: &[f64], mut b: Vec<f64>) -> Option<Vec<f64>> {
    let mut s = s.to_vec();
    for k in 0..n {
        let pivot = (k..n).max_by(|i, j| s[i * n + k].abs().total_cmp(&s[j * n + k].abs()))?;
        if s[pivot * n + k] == 0.0 {
            return None;
        }
        (0..n).for_each(|j| s.swap(k * n + j, pivot * n + j));
        b.chunks_mut(n).for_each(|row| row.swap(k, pivot));
        for i in k + 1..n {
            let factor = s[i * n + k] / s[k * n + k];
            (k..n).for_each(|j| s[i * n + j] -= factor * s[k * n + j]);
            b.chunks_mut(n).for_each(|row| row[i] -= factor * row[k]);
        }
    }
    for row in b.chunks_mut(n) {
        for k in (0..n).rev() {
            let done: f64 = (k + 1..n).map(|j| s[k * n + j] * row[j]).sum();
            row[k] = (row[k] - done) / s[k * n + k];
        }
    }
    Some(b)
}

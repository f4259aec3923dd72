//! The equations of a group, put together anew from the files' bytes: W* is where R(W*) = 0.
//!
//! Made without the solver's products and without its anchor, R(W) = Σ (W_i − W) G̃_i, so that what
//! these lose shows. Every row counts in units of its own, a power of two near its models' largest
//! element; features are scaled as hats in [`super::super::scaling`] are, but for one common factor.
//! So no square is too small or too large, whatever the weights and the Gram matrices.
//! Models without a coefficient are not read.

use std::ops::Range;

use super::units::exponent;
use crate::Result;
use crate::backend::Backend;
use crate::methods::regmean::estimate::norm;
use crate::methods::regmean::factor::Factorised;
use crate::methods::regmean::layer::{LayerGroup, Weight};
use crate::methods::regmean::scaling::Scaling;
use crate::order::sort_by;
use crate::tensor::dtype::decode;
use crate::tensor::extremes::larger;
use crate::tensor::powers::times_power;

/// A group and its scales.
pub(super) struct System<'a> {
    pub(super) group: &'a LayerGroup,
    pub(super) scaling: Scaling,
    /// What makes hats of row units: s / s_j with the smallest live s, 1 for dead features. `[n]`
    pub(super) hat: Vec<f64>,
    /// Row r is in units of `2^exponents[r]`. `[m]`
    pub(super) exponents: Vec<i32>,
    /// Models with a coefficient, the one of the largest first; never empty.
    counted: Vec<usize>,
}

impl<'a> System<'a> {
    pub(super) fn of(group: &'a LayerGroup) -> Self {
        let scaling = Scaling::of(group);
        let live = scaling.gram.iter().zip(&scaling.dead).filter(|(_, dead)| !**dead);
        let least = live.map(|(s, _)| *s).fold(f64::INFINITY, f64::min);
        let hat = scaling.gram.iter().zip(&scaling.dead);
        let hat = hat.map(|(s, dead)| if *dead { 1.0 } else { least / s }).collect();
        let shares = &group.shares;
        let mut counted: Vec<usize> = (0..shares.len()).filter(|i| shares[*i] > 0.0).collect();
        sort_by(&mut counted, |a, b| shares[*b].total_cmp(&shares[*a]));
        if counted.is_empty() {
            counted.push(0);
        }
        let mut system = Self { group, scaling, hat, exponents: Vec::new(), counted };
        system.exponents =
            group.rows().map(|(_, weight, row)| system.largest(weight, row)).collect();
        system
    }

    /// The exponent of a row's largest element of any model.
    fn largest(&self, weight: &Weight, row: usize) -> i32 {
        let mut own = vec![0.0; self.group.n()];
        let mut largest = None;
        for model in &self.counted {
            weight.read_stored(*model, row, 0..own.len(), &mut own);
            largest = largest.max(own.iter().filter_map(|value| exponent(*value)).max());
        }
        largest.unwrap_or(0)
    }

    /// Some columns of a model's row, in the row's units.
    fn read(
        &self,
        model: usize,
        row: (usize, &Weight, usize),
        cols: Range<usize>,
        out: &mut [f64],
    ) {
        let (index, weight, row) = row;
        weight.read_stored(model, row, cols, out);
        out.iter_mut().for_each(|value| *value = times_power(*value, -self.exponents[index]));
    }

    /// A row of the counted model at that place, in the row's units.
    pub(super) fn read_counted(&self, place: usize, row: (usize, &Weight, usize), out: &mut [f64]) {
        self.read(self.counted[place], row, 0..self.group.n(), out);
    }

    /// The largest element of Ĝ_i of every counted model, at most about 1, and its coefficient.
    pub(super) fn gram_sizes(&self) -> Vec<(f64, f64)> {
        let size = |model: &usize| {
            let gram = &self.group.grams[*model];
            let share = self.group.shares[*model];
            let factor = gram.scale() * share;
            let diagonal = gram.diagonal().iter().zip(&self.scaling.gram);
            // In this order: s² alone may leave f64's range.
            let largest = diagonal.map(|(g, s)| g * s * factor * s).fold(0.0, larger);
            (largest, share)
        };
        self.counted.iter().map(size).collect()
    }

    /// ‖1 / hat‖ of the live features.
    pub(super) fn spread(&self) -> f64 {
        let live = self.hat.iter().zip(&self.scaling.dead).filter(|(_, dead)| !**dead);
        norm(&live.map(|(hat, _)| 1.0 / hat).collect::<Vec<f64>>())
    }

    /// Puts the solution where it needs no solving: in rows that all counted models share, it is
    /// theirs. `at, mean: [m, n]`
    pub(super) fn settle(&self, at: &mut [f64], mean: &[f64]) {
        let n = self.group.n();
        let mut own = vec![0.0; n];
        let lines = at.chunks_mut(n.max(1)).zip(mean.chunks(n.max(1)));
        for (row, (at, mean)) in self.group.rows().zip(lines) {
            let is_shared = (0..self.counted.len()).all(|place| {
                self.read_counted(place, row, &mut own);
                own == mean
            });
            if is_shared {
                at.copy_from_slice(mean);
            }
        }
    }

    /// The weighted mean, in row units. `[m, n]`
    pub(super) fn mean(&self) -> Vec<f64> {
        let n = self.group.n();
        let mut means = vec![0.0; self.group.n_rows() * n];
        let mut own = vec![0.0; n];
        for (row, mean) in self.group.rows().zip(means.chunks_mut(n.max(1))) {
            self.read(self.counted[0], row, 0..n, mean);
            let first = mean.to_vec();
            for model in &self.counted[1..] {
                self.read(*model, row, 0..n, &mut own);
                let share = self.group.shares[*model];
                let terms = mean.iter_mut().zip(own.iter().zip(&first));
                terms.for_each(|(sum, (w, a))| *sum += share * (w - a));
            }
        }
        means
    }

    /// R̂(W) in hats of row units; for dead features W̄ − W. `at, mean: [m, n]`
    pub(super) async fn residual<D: Backend<Scalar = f64>>(
        &self,
        double: &D,
        at: &[f64],
        mean: &[f64],
    ) -> Result<Vec<f64>> {
        let (m, n) = (self.group.n_rows(), self.group.n());
        let mut sum = double.zeros(m, n).await?; // [m, n]
        for model in &self.counted {
            for start in (0..n).step_by(D::PANEL.min(n).max(1)) {
                let cols = start..n.min(start.saturating_add(D::PANEL));
                let left = self.apart(*model, at, cols.clone());
                let left = double.upload(m, cols.len(), left).await?;
                let right = self.gram_rows(*model, cols.clone());
                let right = double.upload(cols.len(), n, right).await?;
                double.multiply_add(&mut sum, &left, &right).await?;
            }
        }
        let mut residual = double.download(sum).await?;
        for j in (0..n).filter(|j| self.scaling.dead[*j]) {
            for place in (j..m * n).step_by(n) {
                residual[place] = mean[place] - at[place];
            }
        }
        Ok(residual)
    }

    /// (Ŵ_i − Ŵ)[.., cols]
    fn apart(&self, model: usize, at: &[f64], cols: Range<usize>) -> Vec<f64> {
        let (n, width) = (self.group.n(), cols.len());
        let mut left = vec![0.0; self.group.n_rows() * width]; // [m, cols]
        let rows = self.group.rows().zip(at.chunks(n.max(1)));
        for ((row, at), line) in rows.zip(left.chunks_mut(width.max(1))) {
            self.read(model, row, cols.clone(), line);
            let places = line.iter_mut().zip(&at[cols.clone()]).zip(&self.hat[cols.clone()]);
            places.for_each(|((value, at), hat)| *value = (*value - at) * hat);
        }
        left
    }

    /// Ĝ_i[rows, ..], from the stored elements.
    fn gram_rows(&self, model: usize, rows: Range<usize>) -> Vec<f64> {
        let (gram, share) = (&self.group.grams[model], self.group.shares[model]);
        let (n, scale) = (self.group.n(), &self.scaling.gram);
        let factor = share * self.group.alpha * gram.scale();
        let mut values = decode(gram.dtype(), &gram.stored_rows(rows.clone()));
        for (row, line) in rows.zip(values.chunks_mut(n.max(1))) {
            // Scaled before all else: elements may lie at either end of f64's range.
            let own = scale[row];
            line.iter_mut().zip(scale).for_each(|(g, s)| *g = *g * own * s * factor);
            line[row] = gram.diagonal()[row] * own * gram.scale() * share * own;
        }
        values
    }

    /// at ← at + R̂ T⁻¹, in row units.
    pub(super) async fn step<D: Backend<Scalar = f64>>(
        &self,
        double: &D,
        factorised: &Factorised<D>,
        residual: Vec<f64>,
        at: &mut [f64],
    ) -> Result<Vec<f64>> {
        let (m, n) = (self.group.n_rows(), self.group.n());
        let mut step = double.upload(m, n, residual).await?;
        double.solve(&factorised.factor, &mut step).await?;
        let mut step = double.download(step).await?;
        for (at, step) in at.chunks_mut(n.max(1)).zip(step.chunks_mut(n.max(1))) {
            step.iter_mut().zip(&self.hat).for_each(|(value, hat)| *value /= hat);
            at.iter_mut().zip(step).for_each(|(at, step)| *at += *step);
        }
        Ok(step)
    }
}

//! Which distances from the solution the accuracy contract allows.
//!
//! - The tensor as a whole: 1e-6 of its norm, beyond the rounding of the output dtype.
//! - Every row, in f32 and f64: rows are solved each on its own, and their errors grow with how far
//!   apart the models are in them (in hats, where all rows meet the same T). A row may have
//!   [`UNEVEN`] times its share of the tensor's error by that measure, but no more than rounding in
//!   f32 makes of it. Where the models agree, nothing.
//! - Every element, in 16 bits: one unit in the last place of the rounded solution, or 1e-6 of its
//!   row's rms.
//! - Features that no Gram saw: the weighted mean, element by element.

use super::sizes::{RowSize, TensorSize};
use super::system::System;
use super::units::unit_exponent;
use super::{Checked, Element, read_row};
use crate::methods::regmean::estimate::{norm, ratio};
use crate::methods::regmean::layer::Weight;
use crate::methods::regmean::solve::CONTRACT;
use crate::tensor::dtype::{Dtype, Real, decode, encode};
use crate::tensor::extremes::larger;
use crate::tensor::powers::times_power;
use crate::tensor::stored::Stored;

/// The largest of many rows' errors, relative to what is even, with probes that err by two.
const UNEVEN: f64 = 16.0;
/// Rounding of a solve in f64 is at most this · u · cond, relative to how far the models are apart.
const GROWTH: f64 = 2.0;
/// Rounding noise counts up to here.
const MAX_NOISE: f64 = 1e-6;
/// How unevenly rows approach the solution, which one does in the directions that it needs.
const UNEVEN_STEPS: f64 = 1e4;
/// The smallest f32 that every device keeps.
const LEAST_SINGLE: f64 = f32::MIN_POSITIVE as f64;
/// The smallest f64, in which sums of smaller products are rounded.
const LEAST_DOUBLE: f64 = 5e-324;

/// What is allowed beyond the contract.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Rounding of a solve in f64, relative to how far the models are apart.
    noise: f64,
    /// Rounding of a solve in f32, so too; without end where iterating may leave more.
    single: f64,
    /// What iterating may leave, relative to the tensor.
    left: f64,
    /// Size of scaled values that no f64 arithmetic tells from others.
    least: f64,
    /// Size of scaled values that the arithmetic at hand may have lost in a row.
    vanished: f64,
}

impl Allowance {
    /// For `n` inputs and a factor of that condition; `is_single` where f32 may have solved.
    pub(super) fn new(n: usize, condition: f64, left: f64, is_single: bool) -> Self {
        let noise = (GROWTH * f64::UNIT_ROUNDOFF * condition).min(MAX_NOISE);
        let rounded = GROWTH * f32::UNIT_ROUNDOFF * condition;
        let single = if left > 0.0 { f64::INFINITY } else { rounded };
        let least = LEAST_DOUBLE * ((n as f64).sqrt() * condition);
        let vanished = if is_single { LEAST_SINGLE * condition } else { least };
        Self { noise, single, left, least, vanished }
    }
}

/// Compares each weight with the solution. `at: [m, n]`, in row units.
pub(super) fn compare(
    system: &System<'_>,
    at: &[f64],
    merged: &[Stored],
    allowance: Allowance,
) -> Vec<Checked> {
    let (n, grams) = (system.group.n(), system.gram_sizes());
    let spread = system.spread();
    let rows = system.group.rows().zip(at.chunks(n.max(1)));
    let sizes: Vec<RowSize> = rows.map(|(row, at)| RowSize::of(system, row, at, &grams)).collect();
    let mut first = 0;
    let one = |(weight, merged): (&Weight, &Stored)| {
        let rows = first..first + weight.n_out();
        first = rows.end;
        let (own, at) = (&sizes[rows.clone()], &at[rows.start * n..rows.end * n]);
        let all = TensorSize::of(own);
        Compared { system, weight, merged, allowance, all, spread }.all_rows(own, at)
    };
    system.group.weights.iter().zip(merged).map(one).collect()
}

/// One weight beside its solution.
struct Compared<'a> {
    system: &'a System<'a>,
    weight: &'a Weight,
    merged: &'a Stored,
    allowance: Allowance,
    all: TensorSize,
    /// Norm in row units that an error of 1 in hats has at most, were it as large in every feature.
    spread: f64,
}

/// How many times over a bound is reached, and which column is the worst.
#[derive(Debug, Clone, Copy)]
struct Reached {
    times: f64,
    col: usize,
}

impl Reached {
    fn new(size: f64, bound: f64, col: usize) -> Self {
        // A bound without end allows nothing: it would call everything right.
        let times = if size > 0.0 && !bound.is_finite() { f64::NAN } else { ratio(size, bound) };
        Self { times: if times.is_nan() { f64::INFINITY } else { times }, col }
    }

    fn or(self, other: Self) -> Self {
        if other.times > self.times { other } else { self }
    }
}

impl Compared<'_> {
    /// `at: [out, n]`
    fn all_rows(&self, sizes: &[RowSize], at: &[f64]) -> Checked {
        let n = self.system.group.n();
        let (mut worst, mut wrong) = (0.0, None);
        let mut beyond = Vec::with_capacity(sizes.len());
        let (mut found, mut excess) = (vec![0.0; n], vec![0.0; n]);
        for (row, (size, at)) in sizes.iter().zip(at.chunks(n.max(1))).enumerate() {
            read_row(self.merged, self.weight.orientation, row, &mut found);
            for ((excess, found), due) in excess.iter_mut().zip(&found).zip(at) {
                *excess = self.excess(*found, *due, size.exponent);
            }
            beyond.push(self.all.of_row(norm(&excess), size));
            let Reached { times, col } = self.row(size, &excess);
            if times > worst {
                let due = times_power(at[col], size.exponent);
                (worst, wrong) = (times, Some(Element { row, col, found: found[col], due }));
            }
        }
        let least = self.allowance.least * self.scale() * (sizes.len() as f64).sqrt();
        let bound = self.allowance.noise * self.all.apart + self.all.of_value(least);
        let relative = ratio(bound, self.all.whole);
        // Where the solution is 0 nothing is allowed: no error is small beside it.
        let more = if relative.is_finite() { relative } else { 0.0 };
        self.judge(norm(&beyond), CONTRACT + more, worst, wrong)
    }

    /// What 1 in hats is in the weight's units, at most.
    fn scale(&self) -> f64 {
        self.system.scaling.scale.iter().copied().fold(0.0, larger) / self.weight.magnify
    }

    fn judge(&self, beyond: f64, bound: f64, worst: f64, wrong: Option<Element>) -> Checked {
        let whole = ratio(beyond, self.all.whole);
        // A row's excess is told in units of the bound, so that one figure says it all.
        let error = if worst > 1.0 { whole.max(bound * worst) } else { whole };
        let is_within = error <= bound;
        Checked { error, bound, residual: 0.0, wrong: wrong.filter(|_| !is_within) }
    }

    /// |found − due| beyond the rounding of the output dtype, in row units.
    fn excess(&self, found: f64, due: f64, exponent: i32) -> f64 {
        let dtype = self.weight.dtype_out;
        let due_value = times_power(due, exponent);
        if found.is_infinite() {
            let is_overflow = is_beyond(dtype, due_value, found);
            return if is_overflow { 0.0 } else { f64::INFINITY };
        }
        let own = times_power(found, -exponent);
        let largest = if found.abs() >= due_value.abs() { found } else { due_value };
        let unit = times_power(1.0, unit_exponent(dtype, largest) - exponent);
        let excess = (own - due).abs() - rounding_units(dtype) * unit;
        if excess.is_nan() { f64::INFINITY } else { excess.max(0.0) }
    }

    /// What is furthest out of its bound in a row.
    fn row(&self, size: &RowSize, excess: &[f64]) -> Reached {
        let dead = &self.system.scaling.dead;
        let of_dead = CONTRACT + self.vanished(1.0 / self.weight.magnify, size);
        let mut reached = Reached { times: 0.0, col: 0 };
        let columns = excess.iter().enumerate();
        for (col, excess) in columns.clone().filter(|(col, _)| dead[*col]) {
            reached = reached.or(Reached::new(*excess, of_dead, col));
        }
        let live = columns.filter(|(col, _)| !dead[*col]).map(|(col, excess)| (col, *excess));
        match is_short(self.weight.dtype_out) {
            true => self.elements(size, live, excess.len()).or(reached),
            false => self.whole_row(size, live).or(reached),
        }
    }

    /// 16 bits: every element.
    fn elements(
        &self,
        size: &RowSize,
        live: impl Iterator<Item = (usize, f64)>,
        n: usize,
    ) -> Reached {
        let noise = self.allowance.noise * size.apart_hat;
        let fixed = CONTRACT * size.whole / (n as f64).sqrt() + self.left(size);
        let one = |(col, excess): (usize, f64)| {
            let vanished =
                self.vanished(self.system.scaling.scale[col] / self.weight.magnify, size);
            Reached::new(excess, fixed + noise / self.system.hat[col] + vanished, col)
        };
        live.map(one).fold(Reached { times: 0.0, col: 0 }, Reached::or)
    }

    /// The row's norm.
    fn whole_row(&self, size: &RowSize, live: impl Iterator<Item = (usize, f64)>) -> Reached {
        let single = self.allowance.single * self.spread * size.apart_hat;
        let uneven = CONTRACT * UNEVEN * self.even(size);
        let bound = CONTRACT * size.whole
            + if single < uneven { single } else { uneven }
            + self.allowance.noise * size.apart
            + self.left(size)
            + self.vanished(self.scale(), size);
        let (mut values, mut worst) = (Vec::new(), (0, 0.0));
        for (col, excess) in live {
            values.push(excess);
            worst = if excess > worst.1 { (col, excess) } else { worst };
        }
        Reached::new(norm(&values), bound, worst.0)
    }

    /// The row's share of the tensor's norm, by how far the models are apart in it. In row units:
    /// both sizes of the row are.
    fn even(&self, size: &RowSize) -> f64 {
        self.all.whole * ratio(size.apart_hat, self.all.apart_hat)
    }

    /// What iterating may have left of the row, in row units.
    fn left(&self, size: &RowSize) -> f64 {
        let whole = self.all.in_row(self.all.whole, size);
        let own = UNEVEN_STEPS * self.even(size);
        self.allowance.left * if own < whole { own } else { whole }
    }

    /// What may have vanished in the arithmetic, in row units.
    fn vanished(&self, scale: f64, size: &RowSize) -> f64 {
        match self.allowance.vanished * scale {
            0.0 => 0.0,
            vanished => times_power(vanished, -size.exponent),
        }
    }
}

fn is_short(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F16 | Dtype::BF16)
}

/// Units in the last place that a good element may be off: half of one for its rounding, and in
/// 16 bits another.
fn rounding_units(dtype: Dtype) -> f64 {
    if is_short(dtype) { 1.5 } else { 0.5 }
}

/// Whether a value, or one a little larger, is that infinity in the dtype.
fn is_beyond(dtype: Dtype, value: f64, infinity: f64) -> bool {
    let slack = if is_short(dtype) { 2f64.powi(-7) } else { 10.0 * CONTRACT };
    let mut bytes = vec![0; dtype.size_bytes()];
    encode(dtype, std::iter::once(value * (1.0 + slack)), &mut bytes);
    decode(dtype, &bytes)[0] == infinity
}

//! One block of elements: quickly in f64, and with care where that does not suffice.

use crate::tensor::dtype::Dtype;
use crate::tensor::extremes::larger;
use crate::tensor::pair::Pair;
use crate::tensor::powers::{largest_exponent, power_of_two, scale_by, times_power};

/// A mean that is smaller than its terms by this has lost digits that count.
const CANCELLED: f64 = 1.0 / 16.0;
/// Elements that are added up on their own, as in `sums`.
const LANES: usize = 8;

/// The models that take part in a mean, and their coefficients, by a power of two near 1.
#[derive(Debug)]
pub(super) struct Parts {
    models: Vec<(usize, f64)>,
    /// Σ c_i, or what a sum is divided by for the power of two.
    total: Pair,
    /// Whether the answer lies in the inputs' range.
    is_mean: bool,
    /// Middles between two numbers of the output that rounding in f64 may mistake, where it may.
    middles: Option<Middles>,
}

impl Parts {
    /// Sorts out the coefficients. A sum may have any of them, a mean none below 0.
    pub(super) fn of(
        coefficients: &[f64],
        dtypes: &[Dtype],
        dtype_out: Dtype,
        is_sum: bool,
    ) -> Self {
        let exponent = largest_exponent(coefficients);
        let counted = coefficients.iter().enumerate().filter(|(_, c)| **c > 0.0 || is_sum);
        let models: Vec<(usize, f64)> = counted
            .filter(|(_, c)| **c != 0.0)
            .map(|(model, c)| (model, times_power(*c, -exponent)))
            .collect();
        let mut total = Pair::default();
        match is_sum {
            true => total.add(Pair { high: power_of_two(-exponent), low: 0.0 }),
            false => models.iter().for_each(|(_, c)| total.add(Pair { high: *c, low: 0.0 })),
        }
        let is_exact = models.iter().all(|(model, c)| {
            // Such products with elements of 24 digits are exact.
            c.to_bits().trailing_zeros() >= 33 && dtypes[*model] != Dtype::F64
        });
        let middles = if is_exact { None } else { Middles::of(dtype_out) };
        Self { models, total, is_mean: !is_sum, middles }
    }

    /// Each part's value of an element. `values: [models][len]`
    fn inputs(&self, values: &[Vec<f64>], j: usize) -> impl Iterator<Item = f64> {
        self.models.iter().map(move |(model, _)| values[*model][j])
    }

    /// Whether f64 does not suffice for an element whose largest input is of that size.
    fn needs_care(&self, mean: f64, size: f64) -> bool {
        // Not `<`: a NaN needs it, too.
        let is_clear = mean.abs() >= CANCELLED * size && mean.abs() < f64::INFINITY;
        !is_clear || self.middles.is_some_and(|middles| middles.is_near(mean))
    }
}

/// Where a 16- or 32-bit type rounds up or down.
#[derive(Debug, Clone, Copy)]
struct Middles {
    /// Digits of an f64 that are rounded away.
    n_digits: u32,
    /// The smallest number with all digits.
    least: f64,
}

impl Middles {
    /// Rounding errors of a mean, in units of f64, and some.
    const SLACK: u64 = 1 << 8;

    fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F16 => Some(Self { n_digits: 42, least: 2f64.powi(-14) }),
            Dtype::BF16 => Some(Self { n_digits: 45, least: 2f64.powi(-126) }),
            Dtype::F32 => Some(Self { n_digits: 29, least: 2f64.powi(-126) }),
            _ => None,
        }
    }

    fn is_near(self, value: f64) -> bool {
        let (middle, rest) =
            (1 << (self.n_digits - 1), value.to_bits() & ((1 << self.n_digits) - 1));
        rest.abs_diff(middle) <= Self::SLACK || (value != 0.0 && value.abs() < self.least)
    }
}

/// W̄ of a block. `values: [models][len]`
pub(super) fn mean(values: &[Vec<f64>], parts: &Parts, dtype: Dtype, merged: &mut [f64]) {
    let mut n_careful = 0.0;
    let (lanes, rest) = merged.as_chunks_mut::<LANES>();
    let n_in_lanes = lanes.len() * LANES;
    for (index, out) in lanes.iter_mut().enumerate() {
        let own = |model: usize| values[model].as_chunks::<LANES>().0[index];
        n_careful += quick_mean(parts, own, out);
    }
    for (j, out) in rest.iter_mut().enumerate() {
        let mut one = [0.0];
        n_careful += quick_mean(parts, |model| [values[model][n_in_lanes + j]], &mut one);
        *out = one[0];
    }
    if n_careful == 0.0 {
        return;
    }
    for (j, value) in merged.iter_mut().enumerate() {
        let size = parts.inputs(values, j).fold(0.0, |a: f64, w| larger(a, w.abs()));
        if parts.needs_care(*value, size) {
            *value = careful_mean(*value, parts, values, dtype, j);
        }
    }
}

/// W̄ of some elements in f64; how many of them f64 does not suffice for.
fn quick_mean<const N: usize>(
    parts: &Parts,
    own: impl Fn(usize) -> [f64; N],
    out: &mut [f64; N],
) -> f64 {
    // From −0, which added to −0 stays it.
    let (mut sum, mut low, mut high) = ([-0.0; N], [f64::INFINITY; N], [f64::NEG_INFINITY; N]);
    for (model, coefficient) in &parts.models {
        for (j, w) in own(*model).iter().enumerate() {
            sum[j] += coefficient * w;
            low[j] = if *w < low[j] { *w } else { low[j] };
            high[j] = if *w > high[j] { *w } else { high[j] };
        }
    }
    let mut careful = [0.0; N];
    for (j, out) in out.iter_mut().enumerate() {
        let value = sum[j] / parts.total.high;
        *out = if parts.is_mean { within(value, low[j], high[j]) } else { value };
        let size = if -low[j] > high[j] { -low[j] } else { high[j] };
        careful[j] = if parts.needs_care(*out, size) { 1.0 } else { 0.0 };
    }
    careful.iter().sum()
}

/// A mean, as its inputs' range allows: what rounding alone has put outside is not.
fn within(mean: f64, low: f64, high: f64) -> f64 {
    let mean = if mean < low { low } else { mean };
    if mean > high { high } else { mean }
}

/// W̄ of one element where terms cancel or overflow, or inputs are not finite. Equal infinities stay; all
/// else that is not finite has no mean.
fn careful_mean(mean: f64, parts: &Parts, values: &[Vec<f64>], dtype: Dtype, j: usize) -> f64 {
    let mut inputs: Vec<f64> = parts.inputs(values, j).collect();
    if !inputs.iter().all(|w| w.is_finite()) {
        let first = inputs[0];
        return if inputs.iter().all(|w| *w == first) { first } else { f64::NAN };
    }
    let exponent = largest_exponent(&inputs);
    scale_by(-exponent, &mut inputs);
    let mut sum = Pair::default();
    for (w, (_, coefficient)) in inputs.iter().zip(&parts.models) {
        sum.add(Pair { high: *w, low: 0.0 }.times(*coefficient));
    }
    let mean_of_usual = sum.over(parts.total);
    let rounded = match dtype {
        Dtype::F64 => mean_of_usual.high,
        // A second rounding, to fewer digits, must know on which side of a middle this is.
        _ => mean_of_usual.to_odd(),
    };
    // −0 stays what it was.
    if rounded == 0.0 && mean == 0.0 { mean } else { times_power(rounded, exponent) }
}

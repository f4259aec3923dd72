//! The error of a solution of a nearly singular group, from a residual in twice f64's digits.
//!
//! Where T is singular but for a direction with λ ≪ 1, the residual shows an error e there as e λ, which
//! drowns in what f64 rounds. Here nothing of it is rounded that counts: differences, sums and products
//! are pairs of f64, Gram matrices are read without their factors, and powers of two are exact.

use super::rows::solve_rows;
use super::signs::Signs;
use super::{norm, ratio, unscale};
use crate::Result;
use crate::backend::Backend;
use crate::methods::regmean::factor::Factorised;
use crate::methods::regmean::layer::{LayerGroup, Weight};
use crate::methods::regmean::scaled_gram::ScaledGram;
use crate::methods::regmean::scaling::Scaling;
use crate::tensor::pair::{Pair, two_sum};
use crate::tensor::sums;

/// Sign vectors per weight: only whether an error is there is asked.
const PROBES: usize = 4;
/// Corrections in turn: a direction that the floor outweighs takes many, of which the first ones tell how
/// many more there would be.
const STEPS: usize = 3;
const MAX_RATE: f64 = 1.0 - 1e-4;

/// ‖X − X*‖_F / ‖A + X‖_F of each weight, estimated, for X̂ `[m, n]` and a factor of T with a floor far
/// below that which X̂ was solved with.
///
/// # Errors
/// As the backend's.
pub(in crate::methods::regmean) async fn judge_doubled<D: Backend<Scalar = f64>>(
    double: &D,
    group: &LayerGroup,
    scaling: &Scaling,
    factorised: &Factorised<D>,
    x: &[f64],
) -> Result<Vec<f64>> {
    let n = group.n();
    let n_rows = group.weights.len() * PROBES;
    let mut left = vec![Pair::default(); group.grams.len() * n_rows * n]; // [models, n_rows, n]
    let mut sizes = Vec::new();
    let (mut signs, mut rest) = (Signs::new(3), x);
    for (index, weight) in group.weights.iter().enumerate() {
        let (own, behind) = rest.split_at(weight.n_out() * n);
        let sums = left.chunks_mut((n_rows * n).max(1));
        let mut sums: Vec<&mut [Pair]> =
            sums.map(|of_model| &mut of_model[index * PROBES * n..][..PROBES * n]).collect();
        sizes.push(combine(weight, scaling, own, &mut signs, &mut sums));
        rest = behind;
    }
    let mut steps = Vec::new();
    for _ in 0..STEPS {
        let residual = residual(group, scaling, &left, n_rows);
        let mut correction = solve_rows(double, factorised, n, &residual).await?;
        for left in left.chunks_mut((n_rows * n).max(1)) {
            let part = |value: f64| Pair { high: -value, low: 0.0 };
            left.iter_mut().zip(&correction).for_each(|(left, c)| left.add(part(*c)));
        }
        unscale(scaling, &mut correction);
        let rows = correction.chunks((PROBES * n).max(1));
        steps.push(rows.map(|rows| norm(rows) / (PROBES as f64).sqrt()).collect::<Vec<f64>>());
    }
    let total = |(index, size): (usize, &f64)| {
        let step = |k: usize| steps[k].get(index).copied().unwrap_or(0.0);
        ratio(series([step(0), step(1), step(2)]), *size)
    };
    Ok(sizes.iter().enumerate().map(total).collect())
}

/// The sum of steps that go on as a geometric series does.
fn series([first, second, third]: [f64; STEPS]) -> f64 {
    let rate = ratio(third, second);
    let rate = if rate <= MAX_RATE { rate } else { MAX_RATE };
    first + second + third / (1.0 - rate)
}

/// sums_i ← Y (Ŵ_i − Ŵ) of one weight, and ‖W‖. `x: [out, n]`, `sums: [models][PROBES, n]`
fn combine(
    weight: &Weight,
    scaling: &Scaling,
    x: &[f64],
    signs: &mut Signs,
    sums: &mut [&mut [Pair]],
) -> f64 {
    let n = scaling.scale.len();
    let (mut merged, mut own) = (vec![0.0; n], vec![0.0; n]);
    let mut squares = 0.0;
    for (row, x) in x.chunks(n.max(1)).enumerate() {
        weight.read(0, row, 0..n, &mut merged);
        for ((w, x), s) in merged.iter_mut().zip(x).zip(&scaling.scale) {
            *w += x * s;
        }
        squares += sums::squares(&merged);
        let flips: [f64; PROBES] = std::array::from_fn(|_| signs.next());
        for (model, sums) in sums.iter_mut().enumerate() {
            weight.read(model, row, 0..n, &mut own);
            for (sums, flip) in sums.chunks_mut(n).zip(flips) {
                for (j, sum) in sums.iter_mut().enumerate() {
                    let (high, low) = two_sum(own[j], -merged[j]);
                    let factor = flip * scaling.inverse[j];
                    sum.add(Pair { high: high * factor, low: low * factor });
                }
            }
        }
    }
    squares.sqrt()
}

/// Σ_i P_i Ĝ_i, rounded once. `left: [models, n_rows, n]` to `[n_rows, n]`
fn residual(group: &LayerGroup, scaling: &Scaling, left: &[Pair], n_rows: usize) -> Vec<f64> {
    let n = group.n();
    let mut total = vec![Pair::default(); n_rows * n];
    for (term, left) in ScaledGram::all(group, scaling).zip(left.chunks((n_rows * n).max(1))) {
        let [on_diagonal, beside] = term.factors();
        let mut product = vec![Pair::default(); n_rows * n];
        term.for_exact(&mut |row, first, elements| {
            for (p, (product, total)) in
                left.chunks(n).zip(product.chunks_mut(n).zip(total.chunks_mut(n)))
            {
                for (col, element) in (first..).zip(elements) {
                    match col == row {
                        true => total[col].add(p[row].times(*element).times(on_diagonal)),
                        false => product[col].add(p[row].times(*element)),
                    }
                }
            }
        });
        total.iter_mut().zip(&product).for_each(|(sum, product)| sum.add(product.times(beside)));
    }
    total.iter().map(|pair| pair.high + pair.low).collect()
}

//! The oracle at every scale: RegMean's textbook formula in so many digits that nothing is lost.

use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;

/// Bits of every number: conditions of 1e16 and scales 1e±300 apart leave more than a hundred.
const BITS: usize = 400;

/// A number of `BITS` binary digits and any exponent.
pub type Exact = FBig<HalfEven, 2>;

/// The number that an f64 is.
///
/// # Panics
/// If it is not finite.
pub fn exact(value: f64) -> Exact {
    let number = Exact::try_from(value).unwrap_or_else(|_| panic!("{value} is no number"));
    number.with_precision(BITS).value()
}

/// (Σ W_i G̃_i)(Σ G̃_i)⁻¹ with G̃_i = c_i (α G_i + (1 − α) diag G_i).
///
/// `grams: [models][n, n]`, `weights: [models][m, n]`; `[m, n]`
pub fn regmean(
    n: usize,
    alpha: f64,
    shares: &[f64],
    grams: &[Vec<f64>],
    weights: &[Vec<f64>],
) -> Vec<Exact> {
    let m = weights[0].len() / n;
    let (mut sum, mut right) = (vec![exact(0.0); n * n], vec![exact(0.0); m * n]);
    for ((share, gram), weight) in shares.iter().zip(grams).zip(weights) {
        if *share == 0.0 {
            continue;
        }
        let beside = exact(*share) * exact(alpha);
        let gram: Vec<Exact> = gram
            .iter()
            .enumerate()
            .map(|(place, value)| match place % (n + 1) {
                0 => exact(*value) * exact(*share),
                _ => exact(*value) * &beside,
            })
            .collect();
        sum.iter_mut().zip(&gram).for_each(|(sum, value)| *sum += value);
        for (line, weight) in right.chunks_mut(n).zip(weight.chunks(n)) {
            for (w, gram) in weight.iter().zip(gram.chunks(n)).filter(|(w, _)| **w != 0.0) {
                let w = exact(*w);
                line.iter_mut().zip(gram).for_each(|(sum, g)| *sum += &w * g);
            }
        }
    }
    solve(n, sum, right)
}

/// X with X S = B for a positive definite S, by elimination. `s: [n, n]`, `x: [m, n]`
fn solve(n: usize, mut s: Vec<Exact>, mut x: Vec<Exact>) -> Vec<Exact> {
    for p in 0..n {
        let pivot = s[p * n + p].clone();
        let row: Vec<Exact> = s[p * n..(p + 1) * n].to_vec();
        for j in p + 1..n {
            let factor = &row[j] / &pivot;
            for i in j..n {
                let part = &factor * &row[i];
                s[j * n + i] -= part;
            }
            for line in x.chunks_mut(n) {
                let part = &line[p] * &factor;
                line[j] -= part;
            }
        }
    }
    for line in x.chunks_mut(n) {
        for j in (0..n).rev() {
            for k in j + 1..n {
                let part = &line[k] * &s[j * n + k];
                line[j] -= part;
            }
            line[j] = &line[j] / &s[j * n + j];
        }
    }
    x
}

/// ‖found − wanted‖ / ‖wanted‖ (Frobenius), at any scale.
pub fn distance(found: &[Exact], wanted: &[Exact]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = Exact>| {
        values.fold(exact(0.0), |sum, value| sum + &value * &value)
    };
    let apart = squares(&mut found.iter().zip(wanted).map(|(a, b)| a - b));
    let size = squares(&mut wanted.iter().cloned());
    if apart == exact(0.0) {
        return 0.0;
    }
    (apart / size).to_f64().value().sqrt()
}

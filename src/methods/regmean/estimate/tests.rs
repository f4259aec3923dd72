//! Combinations and their products against dense loops, around every block's edges.

use pollster::block_on;

use super::rows::refuse_short;
use super::signs::Signs;
use super::*;
use crate::backend::cpu::{Cpu, Portable};
use crate::gram::Gram;
use crate::methods::regmean::Weight;
use crate::tensor::Orientation;
use crate::tensor::dtype::{Dtype, encode};
use crate::tensor::stored::Stored;

const SIZES: [usize; 10] = [1, 3, 5, 63, 65, 255, 256, 257, 259, 515];
const ALPHA: f64 = 0.9;
const SHARES: [f64; 3] = [0.5, 0.3, 0.2];
/// Outputs of the two weights: blocks of four rows, and some.
const OUTS: [usize; 2] = [6, 9];

/// Values of no pattern that a block could share with another.
fn value(seed: usize, i: usize, j: usize) -> f64 {
    let mixed = (seed * 7919 + i * 104_729 + j * 1_299_709) % 10_007;
    mixed as f64 / 5_003.5 - 1.0
}

/// Element (i, j) of model `model`'s Gram matrix.
fn gram(n: usize, model: usize, i: usize, j: usize) -> f64 {
    if i == j { n as f64 } else { value(model, i.min(j), i.max(j)) }
}

fn stored(rows: usize, cols: usize, element: impl Fn(usize, usize) -> f64) -> Stored {
    let mut bytes = vec![0; rows * cols * 8];
    encode(
        Dtype::F64,
        (0..rows * cols).map(|place| element(place / cols, place % cols)),
        &mut bytes,
    );
    Stored { bytes, dtype: Dtype::F64, rows, cols }
}

fn weight(n: usize, index: usize) -> Weight {
    let of_model = |model| stored(OUTS[index], n, |i, j| value(10 + 3 * index + model, i, j));
    Weight {
        name: "weight".into(),
        orientation: Orientation::OutIn,
        stored: (0..SHARES.len()).map(of_model).collect(),
        dtype_out: Dtype::F64,
        magnify: 1.0,
    }
}

fn group(n: usize) -> LayerGroup {
    let of_model = |model| Gram::full(stored(n, n, |i, j| gram(n, model, i, j)), 1.0).unwrap();
    let grams = (0..SHARES.len()).map(of_model).collect();
    let weights = (0..OUTS.len()).map(|index| weight(n, index)).collect();
    LayerGroup::new(ALPHA, &SHARES, grams, weights).unwrap()
}

fn x(group: &LayerGroup) -> Vec<f64> {
    let n = group.n();
    (0..group.n_rows() * n).map(|place| value(99, place / n, place % n)).collect()
}

/// Y (Ŵ_i − Ŵ), element by element. `[models, weights · PROBES, n]`
fn combined_densely(group: &LayerGroup, scaling: &Scaling, x: &[f64]) -> Vec<f64> {
    let (n, n_rows) = (group.n(), OUTS.len() * PROBES);
    let mut sums = vec![0.0; SHARES.len() * n_rows * n];
    let mut signs = Signs::new(2);
    for (row, (index, own)) in
        OUTS.iter().enumerate().flat_map(|(w, n_out)| (0..*n_out).map(move |r| (w, r))).enumerate()
    {
        for probe in 0..PROBES {
            let sign = signs.next();
            for (model, j) in (0..SHARES.len()).flat_map(|model| (0..n).map(move |j| (model, j))) {
                let at = |model| value(10 + 3 * index + model, own, j);
                let merged = at(0) + x[row * n + j] * scaling.scale[j];
                let difference = (at(model) - merged) * scaling.inverse[j];
                sums[(model * n_rows + index * PROBES + probe) * n + j] += sign * difference;
            }
        }
    }
    sums
}

/// Σ_i P_i Ĝ_i, element by element. `p: [models, m, n]`
fn weighed_densely(n: usize, scaling: &Scaling, p: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; p.len() / SHARES.len()];
    for (model, p) in p.chunks(sums.len()).enumerate() {
        for (p, sums) in p.chunks(n).zip(sums.chunks_mut(n)) {
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let alpha = if i == j { 1.0 } else { ALPHA };
                let scale = SHARES[model] * alpha * scaling.gram[i] * scaling.gram[j];
                sums[j] += p[i] * scale * gram(n, model, i, j);
            }
        }
    }
    sums
}

/// The largest difference.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn combinations_are_those_of_dense_loops() {
    for n in SIZES {
        let group = group(n);
        let (scaling, x) = (Scaling::of(&group), x(&group));
        let found = Probes::new(&group, &scaling, Some(&x)).left;
        let mut expected = combined_densely(&group, &scaling, &x);
        assert!(apart(&found, &expected) < 1e-9, "n = {n}");
        *expected.last_mut().unwrap() += 1e-6;
        assert!(apart(&found, &expected) > 1e-7, "a planted error went unseen");
    }
}

#[test]
fn products_are_those_of_dense_loops() {
    for n in SIZES {
        let group = group(n);
        let scaling = Scaling::of(&group);
        let p: Vec<f64> = (0..3 * 5 * n).map(|place| value(5, place / n, place % n)).collect();
        let found = weigh(&group, &scaling, &p);
        let mut expected = weighed_densely(n, &scaling, &p);
        assert!(apart(&found, &expected) < 1e-9, "n = {n}");
        *expected.last_mut().unwrap() += 1e-6;
        assert!(apart(&found, &expected) > 1e-7, "a planted error went unseen");
    }
}

#[test]
fn what_is_not_a_number_anywhere_is_never_judged_good() {
    for n in [1, 5, 259] {
        let group = group(n);
        let scaling = Scaling::of(&group);
        let n_elements = group.n_rows() * n;
        for place in [0, n - 1, n_elements / 2, n_elements - 1] {
            let mut x = x(&group);
            x[place] = f64::NAN;
            let rows = weigh(&group, &scaling, &Probes::new(&group, &scaling, Some(&x)).left);
            let index = usize::from(place / n >= OUTS[0]);
            for row in rows[index * PROBES * n..(index + 1) * PROBES * n].chunks(n) {
                let mut answer = vec![0.0; n];
                refuse_short(n, 1.0, row, &mut answer);
                assert!(norm(&answer).is_nan(), "n = {n}, element {place}");
            }
        }
    }
}

/// A Gram matrix with one eigenvalue of 1e-9, of which f32's rounding makes a thousand times more.
fn nearly_singular(n: usize, seed: usize) -> LayerGroup {
    let u: Vec<f64> = (0..n).map(|i| value(seed, i, 7)).collect();
    let squares: f64 = u.iter().map(|x| x * x).sum();
    let element =
        |i: usize, j: usize| f64::from(u8::from(i == j)) - (1.0 - 1e-9) * u[i] * u[j] / squares;
    let weight = Weight {
        name: "weight".into(),
        orientation: Orientation::OutIn,
        stored: vec![stored(1, n, |_, _| 1.0)],
        dtype_out: Dtype::F64,
        magnify: 1.0,
    };
    let gram = Gram::full(stored(n, n, element), 1.0).unwrap();
    LayerGroup::new(1.0, &[1.0], vec![gram], vec![weight]).unwrap()
}

#[test]
fn a_factor_does_not_hide_that_its_matrix_is_singular() {
    let single = Cpu::<Portable<f32>>::default();
    let mut n_factors = 0;
    for (n, seed) in [40, 100, 160].into_iter().flat_map(|n| (0..12).map(move |seed| (n, seed))) {
        let group = nearly_singular(n, seed);
        let scaling = Scaling::of(&group);
        let factorised =
            block_on(super::super::factor::factorise(&single, &group, &scaling, 0.0)).unwrap();
        let Ok(factorised) = factorised else { continue };
        let found = block_on(condition(&single, &group, &scaling, &factorised, 0.0)).unwrap();
        assert!(found > 1e8, "{n} inputs: {found:e}");
        n_factors += 1;
    }
    assert!(n_factors > 3, "f32 refused nearly all");
}

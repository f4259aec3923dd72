//! Whole layers, larger than the golden ones, against the textbook formula in f64.
//!
//! Sizes are chosen so that f32 is really taken, both orders of products are, and both are cut into
//! more than one panel of 256 columns.

use std::cell::LazyCell;
use std::rc::Rc;

use gramerge::backend::Backend;
use gramerge::gram::Gram;
use gramerge::methods::regmean::{Alone, CONTRACT, Engines, LayerGroup, Weight, solve};
use gramerge::recipe::Precision;
use gramerge::report::SolvePath;
use gramerge::tensor::Orientation;
use gramerge::tensor::dtype::{Dtype, encode};
use gramerge::tensor::larger;
use gramerge::tensor::stored::Stored;

use crate::generate::Random;
use crate::{Cases, Verdict, naive};

/// (inputs, outputs of each weight, models, α, orientation).
pub(crate) type Shape = (usize, &'static [usize], usize, f64, Orientation);

const SHAPES: [Shape; 8] = [
    (65, &[7], 2, 0.9, Orientation::OutIn),
    (130, &[300], 2, 0.9, Orientation::OutIn),
    (131, &[17, 40, 5], 3, 0.5, Orientation::OutIn),
    (97, &[260], 3, 0.1, Orientation::InOut),
    (100, &[50], 2, 0.0, Orientation::OutIn),
    (80, &[33, 200], 2, 1.0, Orientation::OutIn),
    (259, &[5, 30], 3, 0.9, Orientation::OutIn),
    (259, &[270], 2, 0.9, Orientation::InOut),
];

/// Every layer at every precision.
pub fn cases<F, D>(engines: &Engines<F, D>) -> Cases<'_>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let mut cases = Cases::default();
    for shape in SHAPES {
        let (n, outs, k, alpha, _) = shape;
        let layer = Rc::new(LazyCell::new(move || Layer::new(shape)));
        for precision in [Precision::Fast, Precision::Auto, Precision::Exact] {
            let name = format!("layer {n}→{outs:?}, {k} models, α {alpha}, {precision:?}");
            let layer = layer.clone();
            cases.add(name, async move { check(engines, &layer, precision, 0.0).await });
        }
    }
    cases.add_planted("layer: a planted error is seen", async {
        check(engines, &Layer::new(SHAPES[0]), Precision::Exact, 1e-4).await
    });
    cases
}

/// A group, and the numbers that its bytes stand for.
pub(crate) struct Layer {
    pub(crate) group: LayerGroup,
    pub(crate) grams: Vec<Vec<f64>>, // [models][n, n], shrunk and weighted
    pub(crate) weights: Vec<Vec<f64>>, // [models][all outputs, n]
}

impl Layer {
    pub(crate) fn new(shape: Shape) -> Self {
        Self::with(shape, gram)
    }

    /// With Gram matrices of the caller's.
    pub(crate) fn with(
        (n, outs, k, alpha, orientation): Shape,
        gram: impl Fn(usize, &mut Random) -> Vec<f64>,
    ) -> Self {
        let mut random = Random::new(n as u64);
        let shares: Vec<f64> = (0..k).map(|i| (i + 1) as f64 / (k * (k + 1) / 2) as f64).collect();
        let grams: Vec<Vec<f64>> = (0..k).map(|_| rounded(gram(n, &mut random))).collect();
        let weights = weights(n, outs.iter().sum(), k, &mut random);
        let group = LayerGroup::new(
            alpha,
            &shares,
            grams.iter().map(|values| stored_gram(n, values)).collect(),
            stored_weights(n, outs, orientation, &weights),
        );
        let group = group.unwrap_or_else(|error| panic!("a group is refused: {error}"));
        let shrink = |(values, share): (Vec<f64>, f64)| shrunk(n, values, share, alpha);
        let grams = grams.into_iter().zip(shares).map(shrink).collect();
        Self { group, grams, weights }
    }

    /// The anchor A, which solutions are differences from. `[all outputs, n]`
    pub(crate) fn anchor(&self) -> &[f64] {
        &self.weights[self.group.models[0]]
    }

    /// (Σ W_i G̃_i)(Σ G̃_i)⁻¹.
    fn oracle(&self) -> Vec<f64> {
        let (m, n) = (self.group.n_rows(), self.group.n());
        let (mut right, mut sum) = (vec![0.0; m * n], vec![0.0; n * n]);
        for (weight, gram) in self.weights.iter().zip(&self.grams) {
            right = naive::multiply_add(m, n, n, weight, gram, &right);
            sum.iter_mut().zip(gram).for_each(|(sum, g)| *sum += g);
        }
        naive::solve(m, n, &sum, &right)
    }
}

fn rounded(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(|value| f64::from(value as f32)).collect()
}

/// XᵀX of correlated inputs with a mean. `[n, n]`
fn gram(n: usize, random: &mut Random) -> Vec<f64> {
    let rows = 3 * n;
    let x: Vec<f64> = random
        .matrix(rows, n)
        .chunks(n)
        .flat_map(|row| (0..n).map(|j| row[j] + 0.5 * row[j / 2] + 0.3).collect::<Vec<_>>())
        .collect();
    products(n, &x).into_iter().map(|value| value / rows as f64).collect()
}

/// XᵀX. `x: [rows, n]`
pub(crate) fn products(n: usize, x: &[f64]) -> Vec<f64> {
    let rows = x.len() / n;
    let transposed: Vec<f64> =
        (0..n * rows).map(|index| x[(index % rows) * n + index / rows]).collect();
    naive::multiply_add(n, n, rows, &transposed, x, &vec![0.0; n * n])
}

fn shrunk(n: usize, mut gram: Vec<f64>, share: f64, alpha: f64) -> Vec<f64> {
    for (index, value) in gram.iter_mut().enumerate() {
        *value *= if index % (n + 1) == 0 { share } else { share * alpha };
    }
    gram
}

/// A base and steps of 1 % from it, for each model.
fn weights(n: usize, m: usize, k: usize, random: &mut Random) -> Vec<Vec<f64>> {
    let base = random.matrix(m, n);
    let step = |random: &mut Random| base.iter().map(|w| w + 0.01 * random.uniform()).collect();
    (0..k).map(|_| rounded(step(random))).collect()
}

fn bytes(values: impl ExactSizeIterator<Item = f64>) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * 4];
    encode(Dtype::F32, values, &mut bytes);
    bytes
}

/// XᵀX is symmetric, and a rounded product may not be by a bit: the mean of both halves counts.
fn stored_gram(n: usize, values: &[f64]) -> Gram {
    let bytes = bytes(values.iter().copied());
    let stored = Stored { bytes, dtype: Dtype::F32, rows: n, cols: n };
    Gram::full(stored, 1.0).unwrap_or_else(|error| panic!("a Gram matrix is refused: {error}"))
}

fn stored_weights(
    n: usize,
    outs: &[usize],
    orientation: Orientation,
    models: &[Vec<f64>],
) -> Vec<Weight> {
    let mut first = 0;
    let weight = |out: &usize| {
        let rows = first * n..(first + out) * n;
        first += out;
        let stored = models.iter().map(|all| stored(n, *out, orientation, &all[rows.clone()]));
        let stored = stored.collect();
        Weight { name: "w".into(), orientation, stored, dtype_out: Dtype::F32, magnify: 1.0 }
    };
    outs.iter().map(weight).collect()
}

fn stored(n: usize, out: usize, orientation: Orientation, values: &[f64]) -> Stored {
    let dtype = Dtype::F32;
    match orientation {
        Orientation::OutIn => {
            Stored { bytes: bytes(values.iter().copied()), dtype, rows: out, cols: n }
        }
        Orientation::InOut => {
            let turned = (0..n * out).map(|index| values[(index % out) * n + index / out]);
            Stored { bytes: bytes(turned), dtype, rows: n, cols: out }
        }
    }
}

async fn check<F, D>(
    engines: &Engines<F, D>,
    layer: &Layer,
    precision: Precision,
    planted: f64,
) -> Verdict
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let (group, n) = (&layer.group, layer.group.n());
    let solution =
        solve(engines, group, precision, &Alone).await.map_err(|error| error.to_string())?;
    let oracle = layer.oracle();
    let mut line = vec![0.0; n];
    let (mut apart, mut size) = (0.0, 0.0);
    for row in 0..group.n_rows() {
        solution.difference_row(row, &mut line);
        for (j, x) in line.iter().enumerate() {
            let found = layer.anchor()[row * n + j] + x;
            let wanted = oracle[row * n + j] * (1.0 + planted);
            apart += (found - wanted).powi(2);
            size += wanted * wanted;
        }
    }
    let error = (apart / size).sqrt();
    let estimate = solution.reports.iter().map(|r| r.error_estimate).fold(0.0, larger);
    let path = solution.reports[0].path;
    let bound = match precision {
        // The estimate is of the right size, or the error is below the oracle's own.
        Precision::Fast => 4.0 * estimate + 1e-9,
        Precision::Auto => CONTRACT,
        Precision::Exact => 1e-9,
    };
    match (error <= bound, precision, path) {
        (true, Precision::Fast, SolvePath::F32) => Ok(()),
        (true, Precision::Exact, SolvePath::F64) => Ok(()),
        (true, Precision::Auto, _) => Ok(()),
        (true, ..) => Err(format!("{path:?} was taken")),
        _ => Err(format!("error {error:.1e}, bound {bound:.1e}, by {path:?}")),
    }
}

//! Layers at every scale that a file can hold, against [`crate::exact`]: wherever the true error is beyond
//! the contract, the report must say so; and where the numbers are benign but for their scale, the contract
//! must be met.

use gramerge::backend::Backend;
use gramerge::dtype::{Dtype, decode, encode};
use gramerge::merge::options::Precision;
use gramerge::merge::plan::Orientation;
use gramerge::merge::regmean::matrix::Stored;
use gramerge::merge::regmean::{Alone, CONTRACT, Engines, Gram, LayerGroup, Weight, solve};

use crate::Verdict;
use crate::exact::{Exact, distance, exact, regmean};
use crate::generate::{Random, positive_definite};
use crate::layers::products;

/// Inputs: few, which are solved in f64 at once, and so many that f32 is tried.
const SIZES: [usize; 2] = [5, 66];
/// Outputs.
const ROWS: usize = 3;
const PRECISIONS: [Precision; 3] = [Precision::Fast, Precision::Auto, Precision::Exact];

/// What distinguishes a layer from an ordinary one.
#[derive(Debug, Clone)]
struct Family {
    name: String,
    alpha: f64,
    coefficients: Vec<f64>,
    /// Factor of every weight, and of the second model's besides.
    weights: [f64; 2],
    /// Factor of every Gram matrix, and of the first model's besides.
    grams: [f64; 2],
    /// Feature j is 10 to the power of ±`graded` by its place.
    graded: f64,
    /// Condition of the sum, where it is not that of ordinary inputs; and how many small eigenvalues.
    condition: Option<(f64, usize)>,
    dtype: Dtype,
    /// Whether nothing but the scale is unusual: the contract must be met.
    is_benign: bool,
}

impl Family {
    fn new(name: String) -> Self {
        Self {
            name,
            alpha: 0.9,
            coefficients: vec![0.5, 0.5],
            weights: [1.0, 1.0],
            grams: [1.0, 1.0],
            graded: 0.0,
            condition: None,
            dtype: Dtype::F64,
            is_benign: true,
        }
    }
}

fn families() -> Vec<Family> {
    let mut families = Vec::new();
    for weights in [1e-300, 1e-170, 1e-30, 1.0, 1e30, 1e170, 1e300] {
        for grams in [1e-310, 1e-200, 1e-37, 1.0, 1e200, 1e305] {
            let name = format!("weights {weights:e}, Grams {grams:e}");
            // Subnormal Gram matrices are rounded coarsely, so they are others, but good ones.
            families.push(Family {
                weights: [weights, 1.0],
                grams: [grams, 1.0],
                ..Family::new(name)
            });
        }
    }
    for weights in [1e-42, 1e-37, 1e-25, 1e25, 1e37] {
        for grams in [1e-42, 1e-36, 1.0, 1e36] {
            let name = format!("F32, weights {weights:e}, Grams {grams:e}");
            let (weights, grams) = ([weights, 1.0], [grams, 1.0]);
            families.push(Family { weights, grams, dtype: Dtype::F32, ..Family::new(name) });
        }
    }
    for alpha in [0.0, 0.5, 1.0] {
        for graded in [3.0, 15.0] {
            let name = format!("features graded by 1e±{graded}, α {alpha}");
            families.push(Family { alpha, graded, ..Family::new(name) });
        }
    }
    for (second, first_gram) in
        [(1e15, 1.0), (1e-15, 1.0), (1e15, 1e30), (1e-15, 1e-30), (1e11, 1e-22)]
    {
        for coefficients in [[0.5, 0.5], [0.0, 1.0], [1.0, 0.0], [1e-12, 1.0], [1.0, 1e-12]] {
            let name = format!("model 2 × {second:e}, Gram 1 × {first_gram:e}, {coefficients:?}");
            families.push(Family {
                weights: [1.0, second],
                grams: [1.0, first_gram],
                coefficients: coefficients.to_vec(),
                ..Family::new(name)
            });
        }
    }
    for exponent in [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        for n_small in [1, 4] {
            for dtype in [Dtype::F64, Dtype::F32] {
                families.push(Family {
                    alpha: 1.0,
                    condition: Some((10f64.powi(exponent), n_small)),
                    dtype,
                    is_benign: false,
                    ..Family::new(format!("{n_small} eigenvalues of 1e-{exponent}, {dtype:?}"))
                });
            }
        }
    }
    families
}

/// Every family at every precision; and a report that says nothing, which must be seen.
pub async fn cases<F, D>(engines: &Engines<F, D>) -> Vec<(String, Verdict)>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let mut cases = Vec::new();
    for (index, family) in families().iter().enumerate() {
        for n in SIZES {
            let layer = match Layer::new(family, n, index as u64) {
                Ok(layer) => layer,
                Err(why) => {
                    cases.push((format!("scales: {}", family.name), Err(why)));
                    continue;
                }
            };
            for precision in PRECISIONS {
                let name = format!("scales: {}, {n} inputs, {precision:?}", family.name);
                let found = solved(engines, &layer, precision, 0.0).await;
                cases.push((name, found.and_then(|found| found.judge(family, precision))));
            }
        }
    }
    let usual = Family::new("usual".into());
    let planted = match Layer::new(&usual, 66, 0) {
        Err(why) => Err(why),
        Ok(layer) => match solved(engines, &layer, Precision::Auto, 1e-5).await {
            Ok(found) if found.judge(&usual, Precision::Auto).is_err() => Ok(()),
            _ => Err("it went unseen".into()),
        },
    };
    cases.push(("scales: a planted error is seen".into(), planted));
    cases
}

/// A group, and its answer.
struct Layer {
    group: LayerGroup,
    wanted: Vec<Exact>, // [ROWS, n]
}

impl Layer {
    fn new(family: &Family, n: usize, seed: u64) -> Result<Self, String> {
        let mut random = Random::new(1000 * seed + n as u64);
        let sum: f64 = family.coefficients.iter().sum();
        let shares: Vec<f64> = family.coefficients.iter().map(|c| c / sum).collect();
        let base = random.matrix(ROWS, n);
        let common = family.condition.map(|(condition, n_small)| {
            let n_small = n_small.min(n - 1);
            nearly_singular(n, condition, n_small, &mut random)
        });
        let (mut grams, mut weights) = (Vec::new(), Vec::new());
        for model in 0..shares.len() {
            let own = if model == 0 { family.grams[1] } else { 1.0 };
            let gram = match &common {
                Some(common) => common.iter().map(|g| g * (1.0 + model as f64)).collect(),
                None => ordinary(n, &mut random),
            };
            let feature = |j: usize| {
                let place = j as f64 / (n - 1) as f64;
                10f64.powf(family.graded * (place - 0.5))
            };
            let gram = (0..n * n).map(|place| {
                let (i, j) = (place / n, place % n);
                gram[i.min(j) * n + i.max(j)] * own * feature(i) * feature(j) * family.grams[0]
            });
            grams.push(rounded(family.dtype, gram));
            let own = if model == 1 { family.weights[1] } else { 1.0 };
            let weight =
                base.iter().map(|w| (w + 0.01 * random.uniform()) * own * family.weights[0]);
            weights.push(rounded(family.dtype, weight));
        }
        let group =
            group(family, n, &shares, &grams, &weights).map_err(|error| error.to_string())?;
        let wanted = regmean(n, family.alpha, &shares, &grams, &weights);
        Ok(Self { group, wanted })
    }
}

/// XᵀX / rows of correlated inputs. `[n, n]`
fn ordinary(n: usize, random: &mut Random) -> Vec<f64> {
    let rows = 2 * n;
    let x: Vec<f64> = random
        .matrix(rows, n)
        .chunks(n)
        .flat_map(|row| (0..n).map(|j| row[j] + 0.4 * row[j / 2]).collect::<Vec<_>>())
        .collect();
    products(n, &x).into_iter().map(|value| value / rows as f64).collect()
}

/// A well-conditioned matrix in which some directions count 1/condition. `[n, n]`
fn nearly_singular(n: usize, condition: f64, n_small: usize, random: &mut Random) -> Vec<f64> {
    let mut s = positive_definite(n, 10.0, random);
    // S ← H S H with H = I − (1 − √(1/condition)) u uᵀ shrinks one direction after the other.
    for _ in 0..n_small {
        let u = random.matrix(n, 1);
        let size = u.iter().map(|x| x * x).sum::<f64>().sqrt();
        let u: Vec<f64> = u.iter().map(|x| x / size).collect();
        let shrink = 1.0 - (1.0 / condition).sqrt();
        let su: Vec<f64> =
            s.chunks(n).map(|row| row.iter().zip(&u).map(|(s, u)| s * u).sum()).collect();
        let usu: f64 = su.iter().zip(&u).map(|(a, b)| a * b).sum();
        for i in 0..n {
            for j in 0..n {
                s[i * n + j] +=
                    shrink * shrink * usu * u[i] * u[j] - shrink * (su[i] * u[j] + u[i] * su[j]);
            }
        }
    }
    s
}

fn rounded(dtype: Dtype, values: impl ExactSizeIterator<Item = f64>) -> Vec<f64> {
    decode(dtype, &bytes(dtype, values))
}

fn bytes(dtype: Dtype, values: impl ExactSizeIterator<Item = f64>) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * dtype.size_bytes()];
    encode(dtype, values, &mut bytes);
    bytes
}

fn group(
    family: &Family,
    n: usize,
    shares: &[f64],
    grams: &[Vec<f64>],
    weights: &[Vec<f64>],
) -> gramerge::Result<LayerGroup> {
    let dtype = family.dtype;
    let stored = |values: &Vec<f64>, rows: usize| {
        let bytes = bytes(dtype, values.iter().copied());
        Stored { bytes, dtype, rows, cols: n }
    };
    let grams = grams
        .iter()
        .map(|gram| Gram::full(stored(gram, n), 1.0))
        .collect::<gramerge::Result<_>>()?;
    let weight = Weight {
        name: "w".into(),
        orientation: Orientation::OutIn,
        stored: weights.iter().map(|weight| stored(weight, ROWS)).collect(),
        dtype_out: dtype,
        magnify: 1.0,
    };
    LayerGroup::new(family.alpha, shares, grams, vec![weight])
}

/// What came of a layer.
struct Found {
    /// Relative error of A + X against the oracle.
    error: f64,
    estimate: f64,
    missed: Option<String>,
}

impl Found {
    fn judge(&self, family: &Family, precision: Precision) -> Verdict {
        let Self { error, estimate, missed } = self;
        // Not `>`: a NaN must fail.
        let good = *error <= CONTRACT;
        match missed {
            None if !good => Err(format!(
                "true error {error:.1e}, estimated {estimate:.1e}, and nothing is said"
            )),
            Some(why) if family.is_benign && precision != Precision::Fast => {
                Err(format!("true error {error:.1e}; missed: {why}"))
            }
            _ => Ok(()),
        }
    }
}

/// `planted` is added to the answer, as a share of it.
async fn solved<F, D>(
    engines: &Engines<F, D>,
    layer: &Layer,
    precision: Precision,
    planted: f64,
) -> Result<Found, String>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let group = &layer.group;
    let solved = solve(engines, group, precision, &Alone).await;
    let solution = match solved {
        Ok(solution) => solution,
        // A refusal is no wrong answer; a benign layer must not get one.
        Err(error) => {
            return Ok(Found { error: 0.0, estimate: 0.0, missed: Some(error.to_string()) });
        }
    };
    let (weight, n) = (&group.weights[0], group.n());
    let (mut line, mut anchor) = (vec![0.0; n], vec![0.0; n]);
    let mut found = Vec::new();
    for row in 0..weight.n_out() {
        solution.difference_row(row, &mut line);
        weight.read(0, row, 0..n, &mut anchor);
        for (x, a) in line.iter().zip(&anchor) {
            let value = (a + x) * (1.0 + planted);
            if !value.is_finite() {
                return Ok(Found { error: f64::NAN, estimate: f64::NAN, missed: None });
            }
            found.push(exact(value) / exact(weight.magnify));
        }
    }
    let report = &solution.reports[0];
    let (estimate, missed) = (report.error_estimate, report.missed.clone());
    Ok(Found { error: distance(&found, &layer.wanted), estimate, missed })
}

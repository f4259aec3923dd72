//! Layers at every scale that a file can hold, against [`crate::exact`]: wherever the true error is beyond
//! the contract, the report must say so; and where the numbers are benign but for their scale, the contract
//! must be met.

mod families;

use families::{Family, families};
use gramerge::backend::Backend;
use gramerge::gram::Gram;
use gramerge::methods::regmean::{Alone, CONTRACT, Engines, LayerGroup, Weight, solve};
use gramerge::recipe::Precision;
use gramerge::tensor::Orientation;
use gramerge::tensor::dtype::{Dtype, decode, encode};
use gramerge::tensor::stored::Stored;

use crate::exact::{Exact, distance, exact, regmean};
use crate::generate::{Random, positive_definite};
use crate::layers::products;
use crate::{Cases, Verdict};

/// Inputs: few, which are solved in f64 at once, and so many that f32 is tried.
const SIZES: [usize; 2] = [5, 66];
/// Outputs.
const ROWS: usize = 3;
const PRECISIONS: [Precision; 3] = [Precision::Fast, Precision::Auto, Precision::Exact];

/// Every family in every size; and a report that says nothing, which must be seen.
pub fn cases<F, D>(engines: &Engines<F, D>) -> Cases<'_>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let mut cases = Cases::default();
    for (seed, family) in families().into_iter().enumerate() {
        for n in SIZES {
            let (name, family) = (format!("scales: {}, {n} inputs", family.name), family.clone());
            cases.add(name, async move { check(engines, &family, n, seed as u64, 0.0).await });
        }
    }
    cases.add_planted("scales: a planted error is seen", async {
        check(engines, &Family::new("usual".into()), 66, 0, 1e-5).await
    });
    cases
}

/// Every precision. `planted` is added to the answer, as a share of it.
async fn check<F, D>(
    engines: &Engines<F, D>,
    family: &Family,
    n: usize,
    seed: u64,
    planted: f64,
) -> Verdict
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let layer = Layer::new(family, n, seed)?;
    for precision in PRECISIONS {
        let found = solved(engines, &layer, precision, planted).await?;
        found.judge(family, precision).map_err(|what| format!("{precision:?}: {what}"))?;
    }
    Ok(())
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
            let weight = base.iter().enumerate().map(|(place, w)| {
                let sign = if family.cancels && model == 1 && place < n { -1.0 } else { 1.0 };
                (sign * w + 0.01 * random.uniform()) * own * family.weights[0]
            });
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
        dtype_out: family.dtype_out.unwrap_or(dtype),
        magnify: 1.0,
    };
    LayerGroup::new(family.alpha, shares, grams, vec![weight])
}

/// What came of a layer.
struct Found {
    /// Relative error of A + X against the oracle; of 16-bit elements the worst, as a share of what each
    /// may be off, times the contract.
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
    let error = match weight.dtype_out {
        Dtype::F16 | Dtype::BF16 => worst_element(weight.dtype_out, n, &found, &layer.wanted),
        _ => distance(&found, &layer.wanted),
    };
    Ok(Found { error, estimate, missed })
}

/// The contract, times the largest share of what 16-bit elements may be off: a unit of the rounded
/// solution, or 1e-6 of the row's root mean square, whichever is more.
fn worst_element(dtype: Dtype, n: usize, found: &[Exact], wanted: &[Exact]) -> f64 {
    let mut worst = 0.0;
    let single = |value: &Exact| value.to_f64().value();
    for (found, wanted) in found.chunks(n).zip(wanted.chunks(n)) {
        let row: Vec<f64> = wanted.iter().map(single).collect();
        let rms = (row.iter().map(|w| w * w).sum::<f64>() / n as f64).sqrt();
        for (found, wanted) in found.iter().map(single).zip(&row) {
            let [a, b] = [found, *wanted].map(|value| rounded(dtype, std::iter::once(value))[0]);
            let is_within_a_unit = a == b || {
                let between = rounded(dtype, std::iter::once(0.5 * (a + b)))[0];
                between == a || between == b
            };
            let share =
                if is_within_a_unit { 0.0 } else { (found - wanted).abs() / (CONTRACT * rms) };
            worst = if share <= worst { worst } else { share };
        }
    }
    worst * CONTRACT
}

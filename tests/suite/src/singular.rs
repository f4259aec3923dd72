//! Layers whose Gram matrices have fewer rows than inputs, at α = 1: too large to be solved in f64 from
//! the start, so the first engine is asked, and must leave them to the processor's f64 in good order.

use gramerge::backend::Backend;
use gramerge::methods::regmean::{Alone, CONTRACT, Engines, Solution, solve};
use gramerge::recipe::Precision;
use gramerge::report::{SolvePath, SolveReport};
use gramerge::tensor::Orientation;

use crate::generate::Random;
use crate::layers::{Layer, Shape, products};
use crate::{Cases, Verdict, naive};

/// Inputs, and of how many rows each model's Gram matrix is made.
const SIZES: [(usize, usize); 3] = [(70, 1), (130, 40), (200, 99)];

/// Every size; and an error that must be seen.
pub fn cases<F, D>(engines: &Engines<F, D>) -> Cases<'_>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let mut cases = Cases::default();
    for (n, rows) in SIZES {
        let name = format!("singular layer of {n} inputs, {rows} rows each");
        cases.add(name, async move { check(engines, &layer(n, rows), 0.0).await });
    }
    cases.add_planted("singular layer: a planted error is seen", async {
        check(engines, &layer(70, 1), 1e-3).await
    });
    cases
}

/// XᵀX of small integers, which f32 holds exactly.
fn layer(n: usize, rows: usize) -> Layer {
    let shape: Shape = (n, &[33], 2, 1.0, Orientation::OutIn);
    Layer::with(shape, |n, random: &mut Random| {
        let x: Vec<f64> = (0..rows * n).map(|_| (3.0 * random.uniform()).round()).collect();
        products(n, &x)
    })
}

/// `planted` is added to an element of the answer.
async fn check<F, D>(engines: &Engines<F, D>, layer: &Layer, planted: f64) -> Verdict
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let solved = solve(engines, &layer.group, Precision::Auto, &Alone).await;
    let solution = solved.map_err(|error| error.to_string())?;
    let error = relative_residual(layer, &solution, planted);
    // Not `>`: a NaN must fail.
    let exact = error <= CONTRACT;
    if !exact {
        return Err(format!("relative residual {error:.1e}"));
    }
    told(&solution.reports[0], engines.double.name())
}

/// What the report must say: who solved it, how, and that nothing is amiss.
fn told(report: &SolveReport, kernels: &str) -> Verdict {
    let SolveReport { path, missed, fault, .. } = report;
    let good = *path == SolvePath::F64Iterated && report.kernels == kernels;
    match good && missed.is_none() && fault.is_none() {
        true => Ok(()),
        false => Err(format!("the report says {report:?}")),
    }
}

/// ‖Σ (W − W_i) G̃_i‖ / ‖Σ W_i G̃_i‖, which is zero for all that minimise the loss.
fn relative_residual(layer: &Layer, solution: &Solution, planted: f64) -> f64 {
    let (m, n) = (layer.group.n_rows(), layer.group.n());
    let mut merged = layer.anchor().to_vec();
    let mut line = vec![0.0; n];
    for (row, merged) in merged.chunks_mut(n).enumerate() {
        solution.difference_row(row, &mut line);
        merged.iter_mut().zip(&line).for_each(|(w, x)| *w += x);
    }
    merged[n / 2] += planted;
    let (mut apart, mut whole) = (vec![0.0; m * n], vec![0.0; m * n]);
    for (weight, gram) in layer.weights.iter().zip(&layer.grams) {
        let difference: Vec<f64> = merged.iter().zip(weight).map(|(w, own)| w - own).collect();
        apart = naive::multiply_add(m, n, n, &difference, gram, &apart);
        whole = naive::multiply_add(m, n, n, weight, gram, &whole);
    }
    let norm = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    norm(&apart) / norm(&whole)
}

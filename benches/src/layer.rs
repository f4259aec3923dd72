//! One layer, solved as the product solves it: accumulate, factorise, solve, check.

use gramerge::Result;
use gramerge::engine::CpuEngines;
use gramerge::gram::Gram;
use gramerge::methods::regmean::{Alone, LayerGroup, Solution, Weight, solve};
use gramerge::recipe::Precision;
use gramerge::report::SolvePath;
use gramerge::tensor::Orientation;
use gramerge::tensor::dtype::Dtype;
use gramerge::tensor::stored::Stored;
use pollster::block_on;

use crate::case::{Ready, Work};
use crate::data;

const ALPHA: f64 = 0.9;
/// Inputs and outputs of BERT-base's layers.
pub const SHAPES: [(usize, usize); 3] = [(768, 768), (768, 3072), (3072, 768)];
/// Every precision, by its name.
pub const PRECISIONS: [(&str, Precision); 3] =
    [("fast", Precision::Fast), ("auto", Precision::Auto), ("exact", Precision::Exact)];

/// The cases of this module.
pub fn names() -> Vec<String> {
    let named =
        |(n, out): (usize, usize)| PRECISIONS.map(|(name, _)| format!("layer-{n}-{out}-{name}"));
    SHAPES.into_iter().flat_map(named).collect()
}

/// Makes one of them ready.
pub fn prepare(name: &str) -> Option<Ready> {
    let (group, precision) = named(name)?;
    Some(Box::new(move || run(&group, precision)))
}

/// The inputs of one of them.
pub(crate) fn named(name: &str) -> Option<(LayerGroup, Precision)> {
    let words: Vec<&str> = name.split('-').collect();
    let ["layer", n, out, precision] = words[..] else { return None };
    let group = group(n.parse().ok()?, out.parse().ok()?).ok()?;
    Some((group, precision_named(precision)?))
}

/// The precision of that name.
pub fn precision_named(name: &str) -> Option<Precision> {
    PRECISIONS.iter().find(|(known, _)| *known == name).map(|(_, precision)| *precision)
}

/// Arithmetic that a layer of K models needs: the factor, K − 1 products and the solve.
pub fn flops(n: usize, out: usize, n_models: usize) -> f64 {
    let (n, out, n_models) = (n as f64, out as f64, n_models as f64);
    n.powi(3) / 3.0 + 2.0 * n * n * out * n_models
}

/// Its name in reports.
pub fn path_name(path: SolvePath) -> &'static str {
    match path {
        SolvePath::F32 => "f32",
        SolvePath::F64 => "f64",
        SolvePath::F64Iterated => "f64 iterated",
    }
}

/// One worker solves it.
pub(crate) fn run(group: &LayerGroup, precision: Precision) -> Result<Work> {
    let solution = block_on(solve(&CpuEngines::default(), group, precision, &Alone))?;
    Ok(work(group, &solution))
}

/// What a solve did.
pub(crate) fn work(group: &LayerGroup, solution: &Solution) -> Work {
    let report = &solution.reports[0];
    Work {
        path: Some(path_name(report.path).into()),
        error_estimate: Some(report.error_estimate),
        condition: Some(report.condition),
        ..Work::flops(flops(group.n(), group.n_rows(), group.grams.len()))
    }
}

/// A layer of two models.
pub(crate) fn group(n: usize, out: usize) -> Result<LayerGroup> {
    let gram = |model| Gram::full(stored(data::gram(1, model, n), n, n), 1.0);
    let stored = (0..2).map(|model| stored(data::weight(1, model, out, n), out, n)).collect();
    let weight = Weight {
        name: "weight".into(),
        orientation: Orientation::OutIn,
        stored,
        dtype_out: Dtype::F32,
        magnify: 1.0,
    };
    LayerGroup::new(ALPHA, &[0.5; 2], vec![gram(0)?, gram(1)?], vec![weight])
}

fn stored(values: Vec<f32>, rows: usize, cols: usize) -> Stored {
    Stored { bytes: to_bytes(&values), dtype: Dtype::F32, rows, cols }
}

/// Little-endian bytes.
pub(crate) fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

//! Whole merges of small files, with answers that a script computed in exact rational arithmetic.

use std::collections::BTreeMap;

use gramerge::backend::Backend;
use gramerge::checkpoint::{Model, Models};
use gramerge::format::{TensorFile, TensorInfo};
use gramerge::io::memory::Memory;
use gramerge::methods::regmean::{Alone, Engines};
use gramerge::recipe::Options;
use gramerge::run::Merge;
use gramerge::tensor::dtype::{Dtype, decode};
use gramerge::{Error, Result};
use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::cases::must_fail;
use crate::{Cases, Verdict};

static CASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../data/golden");

/// `case.json`.
#[derive(Debug, Deserialize)]
struct Case {
    method: String,
    alpha: f64,
    coefficients: Vec<f64>,
    models: Vec<String>,
    grams: Vec<String>,
    expected: String,
    tolerances: Tolerances,
    #[serde(default)]
    regressed: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Tolerances {
    relative: f64,
}

/// Every golden case, merged with these engines and compared.
pub fn cases<F, D>(engines: &Engines<F, D>) -> Cases<'_>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let mut cases = Cases::default();
    for dir in CASES.dirs() {
        cases.add(format!("golden {}", dir.path().display()), compare(engines, dir, false));
    }
    cases.add("golden: a planted error is seen", async {
        let dir = CASES.dirs().next().ok_or("there is no golden case")?;
        must_fail(compare(engines, dir, true).await)
    });
    cases
}

async fn compare<F, D>(engines: &Engines<F, D>, dir: &Dir<'_>, plant: bool) -> Verdict
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let text = |error: Error| error.to_string();
    let case: Case = serde_json::from_slice(&file(dir, "case.json").map_err(text)?.bytes)
        .map_err(|error| error.to_string())?;
    let merged = merged(engines, dir, &case).await.map_err(text)?;
    let expected = open(dir, &case.expected).await.map_err(text)?;
    let mut worst = Ok(());
    for (index, info) in expected.header.tensors.iter().enumerate() {
        let wanted = values(&expected, info).await.map_err(text)?;
        let found = merged.get(&info.name).ok_or(format!("`{}` is missing", info.name))?;
        let mut own = found.values.clone();
        if plant && index == 0 {
            own[0] += 1e-4 * (1.0 + own[0].abs());
        }
        worst = worst.and(check(&info.name, found.dtype, &own, &wanted, case.tolerances.relative));
    }
    worst
}

/// A merged tensor.
struct Found {
    dtype: Dtype,
    values: Vec<f64>,
}

async fn merged<F, D>(
    engines: &Engines<F, D>,
    dir: &Dir<'_>,
    case: &Case,
) -> Result<BTreeMap<String, Found>>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let mut models = Vec::new();
    for (index, name) in case.models.iter().enumerate() {
        let gram = match case.grams.get(index) {
            Some(gram) => Some(open(dir, gram).await?),
            None => None,
        };
        models.push(Model::new(name.clone(), vec![open(dir, name).await?], gram)?);
    }
    let options = Options { coefficients: case.coefficients.clone(), ..Options::of(&case.method) };
    let is_regmean = case.method == "regmean";
    let options = if is_regmean { options.with("alpha", case.alpha) } else { options };
    let merge = Merge::new(Models::new(models)?, options)?;
    check_plan(&merge, case)?;
    let mut bytes = Vec::new();
    merge.write_headers(&mut bytes).await?;
    for index in 0..merge.jobs().len() {
        merge.run_job(engines, index, &Alone, &mut bytes).await?;
    }
    let file = TensorFile::open(Memory { name: "merged".into(), bytes }).await?;
    let mut found = BTreeMap::new();
    for info in &file.header.tensors {
        let values = values(&file, info).await?;
        found.insert(info.name.clone(), Found { dtype: info.dtype, values });
    }
    Ok(found)
}

/// Averaging must not pass for RegMean where the answers happen to be close.
fn check_plan(merge: &Merge<Memory>, case: &Case) -> Result<()> {
    let n = merge.plan().counts().regress;
    if case.method == "regmean" && n != case.regressed.len() {
        let what = format!("{n} tensors are regressed, not {}", case.regressed.len());
        return Err(Error::input(what));
    }
    Ok(())
}

fn check(name: &str, dtype: Dtype, found: &[f64], wanted: &[f64], relative: f64) -> Verdict {
    if found.len() != wanted.len() {
        return Err(format!("`{name}` has another size"));
    }
    match dtype {
        Dtype::F16 => check_ulps(name, found, wanted, 11, -24),
        Dtype::BF16 => check_ulps(name, found, wanted, 8, -133),
        _ => check_norm(name, found, wanted, relative),
    }
}

/// ‖found − wanted‖ ≤ relative · ‖wanted‖.
fn check_norm(name: &str, found: &[f64], wanted: &[f64], relative: f64) -> Verdict {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let apart = norm(&mut found.iter().zip(wanted).map(|(a, b)| a - b));
    let size = norm(&mut wanted.iter().copied());
    match apart <= relative * size {
        true => Ok(()),
        false => Err(format!("`{name}` is off by {:.1e}", apart / size)),
    }
}

/// Every element within one unit in the last place. `digits` of significand, smallest unit 2^least.
fn check_ulps(name: &str, found: &[f64], wanted: &[f64], digits: i32, least: i32) -> Verdict {
    for (index, (a, b)) in found.iter().zip(wanted).enumerate() {
        let exponent = if *b == 0.0 { least } else { b.abs().log2().floor() as i32 };
        let unit = 2f64.powi((exponent + 1 - digits).max(least));
        // Half a unit of rounding on top of the one allowed.
        let apart = (a - b).abs();
        if apart.is_nan() || apart > 1.5 * unit {
            return Err(format!("`{name}`[{index}] is {a:e}, not {b:e}"));
        }
    }
    Ok(())
}

async fn values(file: &TensorFile<Memory>, info: &TensorInfo) -> Result<Vec<f64>> {
    let bytes = file.read(info).await?;
    if !matches!(info.dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16) {
        return Ok(bytes.into_iter().map(f64::from).collect());
    }
    Ok(decode(info.dtype, &bytes))
}

async fn open(dir: &Dir<'_>, name: &str) -> Result<TensorFile<Memory>> {
    TensorFile::open(file(dir, name)?).await
}

fn file(dir: &Dir<'_>, name: &str) -> Result<Memory> {
    let found = dir.get_file(dir.path().join(name));
    let found = found.ok_or_else(|| Error::io("there is no such golden file").file(name))?;
    Ok(Memory { name: name.into(), bytes: found.contents().to_vec() })
}

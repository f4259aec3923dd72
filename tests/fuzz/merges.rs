//! Whole merges in memory: planned, run, read again by the format's own crate, and verified.

use std::cell::RefCell;
use std::collections::BTreeMap;

use gramerge::checkpoint::{Model, Models};
use gramerge::engine::CpuEngines;
use gramerge::io::Sink;
use gramerge::methods::regmean::Alone;
use gramerge::recipe::Options;
use gramerge::recipe::{Keep, Precision};
use gramerge::report::Report;
use gramerge::run::{Merge, Run};
use gramerge::verify::verify;
use gramerge::{Error, Result};
use pollster::block_on;
use safetensors::SafeTensors;

use crate::case::Case;
use crate::common::Memory;
use crate::damage;
use crate::drafts;
use crate::grams::{open, sentence};
use crate::hunt::{Target, Verdict};
use crate::oracle;
use crate::planted::Fault;
use crate::random::Random;

pub(crate) const TARGET: Target = Target { name: "merges", make, check, n_runs: 2_000 };

fn make(random: &mut Random) -> Case {
    let mut models = drafts::models(random);
    for _ in 0..random.below(3) {
        drafts::damage(&mut models, random);
    }
    let options = options(models.len(), random);
    let mut files = drafts::files(&models);
    if random.once_in(8) {
        let index = random.below(files.len());
        damage::tensor_file(&mut files[index].bytes, random);
    }
    let settings = serde_json::to_string(&options).unwrap();
    Case::new("merges", vec![settings], files)
}

fn options(n_models: usize, random: &mut Random) -> Options {
    let alpha = *random.pick(&[0.9, 0.0, 0.1, 0.5, 1.0, 1e-300]);
    let mut options = Options {
        precision: *random.pick(&[
            Precision::Auto,
            Precision::Auto,
            Precision::Exact,
            Precision::Fast,
        ]),
        ..Options::default()
    };
    if random.once_in(6) {
        options.method = "average".into();
    } else {
        options = options.with("alpha", alpha);
    }
    if random.once_in(4) {
        let share = |_| *random.pick(&[1.0, 2.0, 0.5, 0.0, 1e-12, 1e12, 3.0, 1e308]);
        options.coefficients = (0..n_models).map(share).collect();
    }
    if random.once_in(8) {
        options.dtype = Some(*random.pick(&[
            gramerge::tensor::dtype::Dtype::F32,
            gramerge::tensor::dtype::Dtype::F16,
            gramerge::tensor::dtype::Dtype::BF16,
        ]));
    }
    if random.once_in(8) {
        options.exclude.push((*random.pick(&["weight", "layer.0", "^$", "("])).into());
    }
    if random.once_in(8) {
        let pattern = (*random.pick(&["bias", "ids", "."])).into();
        options.keep.push(Keep { pattern, model: random.below(n_models + 1) });
    }
    if random.once_in(8) {
        options.shard_size = Some((*random.pick(&["1", "100", "1KB", "0", "x"])).into());
    }
    options
}

/// The case's models, by the names of its files.
pub(crate) async fn opened(case: &Case) -> Result<Models<Memory>> {
    let mut models = Vec::new();
    for index in 0.. {
        let own = |file: &&crate::case::File| file.name.starts_with(&format!("m{index}-"));
        let mut shards = Vec::new();
        for file in case.files.iter().filter(own) {
            shards.push(open(&file.name, &file.bytes).await?);
        }
        if shards.is_empty() {
            break;
        }
        let name = format!("m{index}.gram.safetensors");
        let gram = match case.file(&name) {
            Some(bytes) => Some(open(&name, bytes).await?),
            None => None,
        };
        models.push(Model::new(format!("m{index}"), shards, gram)?);
    }
    Models::new(models)
}

fn check(case: &Case, fault: Option<Fault>) -> Verdict {
    let Some(Ok(options)) = case.arguments.first().map(|text| serde_json::from_str(text)) else {
        return Ok(());
    };
    match block_on(merged(case, options)) {
        Ok(mut done) => {
            if fault == Some(Fault::SilentNan) {
                done.report.tensors.iter_mut().for_each(|tensor| tensor.note = None);
            }
            judged(&done)
        }
        Err(error) => sentence(&error),
    }
}

/// A merge that ended well, as it says.
pub(crate) struct Done {
    pub(crate) merge: Merge<Memory>,
    pub(crate) report: Report,
    /// Every byte of all output files; `None` where nothing was written.
    bytes: Vec<Option<u8>>,
    n_twice: usize,
}

async fn merged(case: &Case, options: Options) -> Result<Done> {
    let merge = Merge::new(opened(case).await?, options)?;
    let bytes = vec![None; merge.layout().total_bytes() as usize];
    let output = RefCell::new(Once { bytes, n_twice: 0 });
    let mut sink = Shared(&output);
    merge.write_headers(&mut sink).await?;
    let mut outcomes = Vec::new();
    let engines = CpuEngines::default();
    for (index, job) in merge.jobs().iter().enumerate() {
        merge
            .plan()
            .tensors
            .get(job.tensor())
            .ok_or_else(|| Error::internal("a job of nothing"))?;
        let outcome = merge.run_job(&engines, index, &Alone, &mut sink).await?;
        outcomes.push(outcome.ok_or_else(|| Error::internal("a job was handed back"))?);
    }
    merge.check_inputs().await?;
    let run = Run { kernels: gramerge::engine::kernels(), elapsed_millis: 0.0, n_workers: 1 };
    let report = merge.report(&outcomes, run)?;
    let Once { bytes, n_twice } = output.into_inner();
    Ok(Done { merge, report, bytes, n_twice })
}

/// Notes which bytes are written, and which twice.
struct Once {
    bytes: Vec<Option<u8>>,
    n_twice: usize,
}

struct Shared<'a>(&'a RefCell<Once>);

impl Sink for Shared<'_> {
    async fn write_at(&mut self, offset_bytes: u64, bytes: &[u8]) -> Result<()> {
        let mut output = self.0.borrow_mut();
        for (index, byte) in bytes.iter().enumerate() {
            let place = offset_bytes as usize + index;
            if output.bytes[place].replace(*byte).is_some() {
                output.n_twice += 1;
            }
        }
        Ok(())
    }
}

fn judged(done: &Done) -> Verdict {
    let bytes: Option<Vec<u8>> = done.bytes.iter().copied().collect();
    let bytes = bytes.ok_or("part of the output was never written")?;
    if done.n_twice > 0 {
        return Err(format!("{} bytes of the output were written twice", done.n_twice));
    }
    let mut files = BTreeMap::new();
    for file in done.merge.layout().files() {
        let range = file.start_bytes as usize..;
        let own = &bytes[range][..file.layout.total_bytes() as usize];
        SafeTensors::deserialize(own)
            .map_err(|error| format!("the output is malformed: {error}"))?;
        files.insert(file.name.clone(), own.to_vec());
    }
    let values = oracle::values(&files)?;
    oracle::judge(done, &values)?;
    verified(done, &files, &values)
}

/// Asks `verify` about a good merge.
fn verified(
    done: &Done,
    files: &BTreeMap<String, Vec<u8>>,
    values: &BTreeMap<String, Vec<f64>>,
) -> Verdict {
    let run = async {
        let mut opened = Vec::new();
        for (name, bytes) in files {
            opened.push(open(name, bytes).await?);
        }
        let out = Model::new("merged", opened, None)?;
        verify(&done.merge, &out, &CpuEngines::default().double).await
    };
    let all = block_on(run).map_err(|error| format!("verify refuses the merge: {error}"))?;
    for (verified, tensor) in all.iter().zip(&done.report.tensors) {
        let is_finite = values.get(&tensor.name).is_none_or(|v| v.iter().all(|x| x.is_finite()));
        let has_missed = tensor.solve.as_ref().is_some_and(|solve| solve.missed.is_some());
        let is_fast = done.merge.options().precision == Precision::Fast;
        if is_finite && !has_missed && !is_fast && !verified.is_within() {
            return Err(format!(
                "verify calls a merge bad that the report calls good: {verified:?}"
            ));
        }
    }
    Ok(())
}

//! A merge of BERT-base's linear layers, from memory: twelve blocks of four 768→768, one 768→3072
//! and one 3072→768, each with its own Gram matrix.
//!
//! It is the product's own merge: planned from headers, cut into its jobs, the largest first; each
//! job reads its tensors from memory, checks, solves, rounds and hands its output to a sink that
//! drops it. Workers that share no memory hold every `of`-th block and run the jobs of those.

use std::collections::BTreeMap;

use gramerge::checkpoint::{Model, Models};
use gramerge::format::TensorFile;
use gramerge::methods::regmean::Alone;
use gramerge::recipe::{Options, Precision};
use gramerge::run::Merge;
use gramerge::tensor::larger;
use gramerge::{Error, Result};
use pollster::block_on;
use serde::{Deserialize, Serialize};

use crate::data;
pub use crate::held::Held;
use crate::layer::{flops, path_name, to_bytes};
use crate::memory::{Discard, MemoryFile};
use gramerge::engine::CpuEngines;

const N_BLOCKS: usize = 12;
/// Name, inputs and outputs of a block's layers.
const LAYERS: [(&str, usize, usize); 6] = [
    ("attention.self.query", 768, 768),
    ("attention.self.key", 768, 768),
    ("attention.self.value", 768, 768),
    ("attention.output.dense", 768, 768),
    ("intermediate.dense", 768, 3072),
    ("output.dense", 3072, 768),
];
const N_LAYERS: usize = N_BLOCKS * LAYERS.len();

/// One input tensor: a layer's weight or Gram matrix in one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tensor {
    model: usize,
    layer: usize,
    is_gram: bool,
}

impl Tensor {
    /// All tensors of `n_models` models in every `of`-th block from `share` on.
    pub fn share(n_models: usize, share: usize, of: usize) -> Vec<Self> {
        let mine = |layer: &usize| block(*layer) % of == share;
        let pair = |model, layer| [true, false].map(|is_gram| Self { model, layer, is_gram });
        (0..n_models)
            .flat_map(|model| (0..N_LAYERS).filter(mine).flat_map(move |layer| pair(model, layer)))
            .collect()
    }

    /// Makes its bytes.
    pub fn make(self) -> Vec<u8> {
        let (layer, model) = (self.layer as u64, self.model as u64);
        let (_, n, out) = shape(self.layer);
        match self.is_gram {
            true => to_bytes(&data::gram(layer, model, n)),
            false => to_bytes(&data::weight(layer, model, out, n)),
        }
    }
}

fn block(layer: usize) -> usize {
    layer / LAYERS.len()
}

fn shape(layer: usize) -> (&'static str, usize, usize) {
    LAYERS[layer % LAYERS.len()]
}

fn name(layer: usize) -> String {
    format!("encoder.layer.{}.{}.weight", block(layer), shape(layer).0)
}

/// What a run of jobs found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Layers by shape and arithmetic, such as `768→768 f32`.
    pub paths: BTreeMap<String, usize>,
    /// Largest estimated relative error.
    pub worst_error: f64,
    /// Largest estimated condition.
    pub worst_condition: f64,
    /// Bytes of output.
    pub written_bytes: u64,
}

impl Found {
    /// Takes what another worker found.
    pub fn add(&mut self, other: &Self) {
        for (path, count) in &other.paths {
            *self.paths.entry(path.clone()).or_default() += count;
        }
        self.worst_error = larger(self.worst_error, other.worst_error);
        self.worst_condition = larger(self.worst_condition, other.worst_condition);
        self.written_bytes += other.written_bytes;
    }
}

/// A merge that is ready to run.
#[derive(Debug)]
pub struct Bert {
    merge: Merge<MemoryFile>,
}

impl Bert {
    /// Plans the merge of the first `n_models` models, of which this worker holds these tensors.
    ///
    /// # Errors
    /// As the product's.
    pub fn new(
        held: &BTreeMap<Tensor, Held>,
        n_models: usize,
        precision: Precision,
    ) -> Result<Self> {
        let models: Result<_> = (0..n_models).map(|model| open(held, model)).collect();
        let options = Options { precision, ..Options::default() };
        Ok(Self { merge: Merge::new(Models::new(models?)?, options)? })
    }

    /// The jobs of a share, the most expensive first.
    pub fn jobs(&self, share: usize, of: usize) -> Vec<usize> {
        let jobs = self.merge.jobs().iter().enumerate();
        let mine = jobs.filter(|(_, job)| {
            let tensor = job.tensor();
            let name = &self.merge.plan().tensors[tensor].name;
            (0..N_LAYERS).any(|layer| block(layer) % of == share && self::name(layer) == *name)
        });
        mine.map(|(index, _)| index).collect()
    }

    /// Runs one job.
    ///
    /// # Errors
    /// As the product's.
    pub fn run(&self, job: usize) -> Result<Found> {
        let mut sink = Discard::default();
        let outcome = block_on(self.merge.run_job(&CpuEngines::default(), job, &Alone, &mut sink))?;
        let outcome = outcome.unwrap_or_default();
        let mut found = Found { written_bytes: sink.written_bytes, ..Found::default() };
        for part in &outcome.parts {
            let solve = part.solve.as_ref().ok_or_else(|| Error::input("it was not solved"))?;
            let shape = &self.merge.plan().tensors[part.tensor].shape;
            let path = format!("{}→{} {}", shape[1], shape[0], path_name(solve.path));
            *found.paths.entry(path).or_default() += 1;
            found.worst_error = larger(found.worst_error, solve.error_estimate);
            found.worst_condition = larger(found.worst_condition, solve.condition);
        }
        Ok(found)
    }
}

/// Arithmetic of the whole merge.
pub fn total_flops(n_models: usize) -> f64 {
    (0..N_LAYERS).map(|layer| flops(shape(layer).1, shape(layer).2, n_models)).sum()
}

/// Bytes of the largest layer group: its Gram matrices and weights in every model.
pub fn largest_group_bytes(n_models: usize) -> u64 {
    let bytes = |(_, n, out): (&str, usize, usize)| 4 * n_models * n * (n + out);
    LAYERS.into_iter().map(bytes).max().unwrap_or(0) as u64
}

fn open(held: &BTreeMap<Tensor, Held>, model: usize) -> Result<Model<MemoryFile>> {
    let get = |layer, is_gram| held.get(&Tensor { model, layer, is_gram }).cloned();
    let shapes = |is_gram: bool| -> Vec<(String, Vec<u64>)> {
        let sizes = |layer| (shape(layer).1 as u64, shape(layer).2 as u64);
        let shape = |layer| match sizes(layer) {
            (n, _) if is_gram => vec![n, n],
            (n, out) => vec![out, n],
        };
        (0..N_LAYERS).map(|layer| (name(layer), shape(layer))).collect()
    };
    let name = format!("model {}", model + 1);
    let none = BTreeMap::new();
    let weights = MemoryFile::new(&name, &shapes(false), &none, |layer| get(layer, false))?;
    let metadata = [("gram_format", "1"), ("normalization", "mean")];
    let metadata = metadata.map(|(key, value)| (key.to_string(), value.to_string())).into();
    let grams = MemoryFile::new(&name, &shapes(true), &metadata, |layer| get(layer, true))?;
    let weights = block_on(TensorFile::open(weights))?;
    Model::new(name, vec![weights], Some(block_on(TensorFile::open(grams))?))
}

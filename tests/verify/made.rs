//! Small merges of models that are made by a setting and a fixed seed.

use std::collections::BTreeMap;

use gramerge::Result;
use gramerge::checkpoint::{Model, Models};
use gramerge::engine::CpuEngines;
use gramerge::format::{Layout, TensorFile};
use gramerge::methods::regmean::Alone;
use gramerge::recipe::{Keep, Options};
use gramerge::run::Merge;
use gramerge::tensor::dtype::{Dtype, decode, encode};
use gramerge::verify::{Verified, verify};

use crate::common::Memory;

/// What a merge is made of.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) dtype: Dtype,
    pub(crate) dtype_out: Option<Dtype>,
    /// Size of the weights.
    pub(crate) scale: f64,
    /// Every row is this times the one above it.
    pub(crate) row_step: f64,
    /// The last row of a solved weight is this times the others.
    pub(crate) last_row: f64,
    /// All models have the same weights.
    pub(crate) same: bool,
    /// Models that count are all zero.
    pub(crate) zero: bool,
    /// Models are each other's negatives by turns: their mean is 0.
    pub(crate) cancels: bool,
    pub(crate) alpha: f64,
    pub(crate) n_models: usize,
    pub(crate) coefficients: Vec<f64>,
    pub(crate) n_in: usize,
    /// Rows that every Gram matrix is made of.
    pub(crate) n_seen: usize,
    /// Inputs that are always 0.
    pub(crate) n_dead: usize,
    /// No tensor is solved.
    pub(crate) average: bool,
    /// The output dtype does not hold the values.
    pub(crate) overflows: bool,
    /// The output has one tensor more than the merge makes.
    pub(crate) extra: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            dtype: Dtype::F32,
            dtype_out: None,
            scale: 1.0,
            row_step: 1.0,
            last_row: 1.0,
            same: false,
            zero: false,
            cancels: false,
            alpha: 0.9,
            n_models: 2,
            coefficients: Vec::new(),
            n_in: 6,
            n_seen: 30,
            n_dead: 0,
            average: false,
            overflows: false,
            extra: false,
        }
    }
}

/// A tensor of the output.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    /// Its first byte in the file.
    pub(crate) start: usize,
    /// Number of elements.
    pub(crate) n: usize,
    pub(crate) cols: usize,
    /// Stored `[in, out]`.
    pub(crate) is_turned: bool,
    pub(crate) is_solved: bool,
}

type Raw = (&'static str, Dtype, Vec<u64>, Vec<u8>);

/// A merge, and its output.
pub(crate) struct Made {
    merge: Merge<Memory>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) const N_OUT: usize = 5;
const DENSE: &str = "dense.weight";
const TURNED: &str = "turned.weight";

/// SplitMix64.
struct Random(u64);

impl Random {
    /// Uniform in [0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Made {
    pub(crate) fn new(setting: &Setting) -> Self {
        let merge = merge(setting);
        let mut bytes = pollster::block_on(async {
            let mut bytes = Vec::new();
            merge.write_headers(&mut bytes).await.unwrap();
            for job in 0..merge.jobs().len() {
                let engines = CpuEngines::default();
                merge.run_job(&engines, job, &Alone, &mut bytes).await.unwrap();
            }
            bytes
        });
        if setting.extra {
            bytes =
                changed(&bytes, |tensors| tensors.push(("extra", Dtype::F32, vec![1], vec![0; 4])));
        }
        let made = Self { merge, bytes };
        assert_eq!(made.holds_infinity(), setting.overflows, "{setting:?}");
        made
    }

    fn holds_infinity(&self) -> bool {
        let holds = |tensor: &Tensor| {
            let end = tensor.start + tensor.n * tensor.dtype.size_bytes();
            let values = decode(tensor.dtype, &self.bytes[tensor.start..end]);
            values.iter().any(|value| value.is_infinite())
        };
        self.tensors().iter().filter(|tensor| tensor.is_solved).any(holds)
    }

    /// The tensors of the output that are out of bound.
    pub(crate) fn bad(&self, bytes: &[u8]) -> Vec<Verified> {
        let verified = self.verified(bytes).unwrap();
        assert!(verified.len() >= self.merge.plan().tensors.len());
        verified.into_iter().filter(|verified| !verified.is_within()).collect()
    }

    fn verified(&self, bytes: &[u8]) -> Result<Vec<Verified>> {
        let out = Model::new("out", vec![open(bytes.to_vec())], None)?;
        pollster::block_on(verify(&self.merge, &out, &CpuEngines::default().double))
    }

    /// Verifies the output without one of its tensors.
    pub(crate) fn without(&self, name: &str) -> Result<Vec<Verified>> {
        self.verified(&changed(&self.bytes, |tensors| tensors.retain(|tensor| tensor.0 != name)))
    }

    pub(crate) fn tensors(&self) -> Vec<Tensor> {
        let file = open(self.bytes.clone());
        let tensor = |info: &gramerge::format::TensorInfo| Tensor {
            name: info.name.clone(),
            dtype: info.dtype,
            start: (file.header.data_start_bytes + info.begin_bytes) as usize,
            n: info.shape.iter().product::<u64>() as usize,
            cols: *info.shape.last().unwrap() as usize,
            is_turned: info.name == TURNED,
            is_solved: info.name.ends_with("weight"),
        };
        file.header.tensors.iter().map(tensor).collect()
    }
}

fn merge(setting: &Setting) -> Merge<Memory> {
    let models = (0..setting.n_models).map(|model| {
        let grams = open(file(&grams(setting, model), &[("gram_format", "1")]));
        let own = open(file(&weights(setting, model), &[]));
        Model::new(format!("model {model}"), vec![own], Some(grams)).unwrap()
    });
    let options = Options {
        coefficients: setting.coefficients.clone(),
        keep: vec![Keep { pattern: "kept".into(), model: 1 }],
        dtype: setting.dtype_out,
        ..Options::of(if setting.average { "average" } else { "regmean" })
    };
    let options = if setting.average { options } else { options.with("alpha", setting.alpha) };
    let merge = Merge::new(Models::new(models.collect()).unwrap(), options).unwrap();
    let counts = merge.plan().counts();
    let n_solved = if setting.average { 0 } else { 2 };
    assert_eq!((counts.regress, counts.keep, counts.copy), (n_solved, 1, 1));
    merge
}

/// Values of one sign per place, so that no mean is near 0.
fn values(
    setting: &Setting,
    model: usize,
    seed: u64,
    n: usize,
    row: impl Fn(usize) -> usize,
) -> Vec<f64> {
    let other = if setting.same || setting.cancels { 0 } else { model as u64 };
    let (mut common, mut own) = (Random(seed), Random(seed * 1000 + other + 1));
    let turned = if setting.cancels && model % 2 == 1 { -1.0 } else { 1.0 };
    let value = |place: usize| {
        let last = if row(place) == N_OUT - 1 { setting.last_row } else { 1.0 };
        let size = setting.row_step.powi(row(place) as i32) * setting.scale * last * turned;
        let sign = if common.next() < 0.5 { -1.0 } else { 1.0 };
        let share = setting.coefficients.get(model).copied().unwrap_or(1.0);
        // What does not count may be anything.
        let strange = match share {
            0.0 => 100.0,
            _ if setting.zero => 0.0,
            _ => 1.0,
        };
        sign * size * strange * (0.5 + 0.3 * common.next() + 0.2 * own.next())
    };
    (0..n).map(value).collect()
}

fn weights(setting: &Setting, model: usize) -> Vec<Raw> {
    let (n_in, dtype) = (setting.n_in, setting.dtype);
    let dense = values(setting, model, 1, N_OUT * n_in, |place| place / n_in);
    let turned = values(setting, model, 2, N_OUT * n_in, |place| place % N_OUT);
    // Several pieces of a vector, and a part of a block of additions.
    let mean = values(setting, model, 3, 1030, |place| place % 3);
    let kept = values(setting, model, 4, 9, |_| 0);
    let shape = |rows: usize, cols: usize| vec![rows as u64, cols as u64];
    let raw = |name, shape, values: Vec<f64>| (name, dtype, shape, encoded(dtype, &values));
    vec![
        raw(DENSE, shape(N_OUT, n_in), dense),
        raw(TURNED, shape(n_in, N_OUT), turned),
        raw("mean", vec![1030], mean),
        raw("kept", vec![9], kept),
        ("places", Dtype::I32, vec![3], vec![7; 12]),
    ]
}

/// XᵀX per row, of inputs that share a direction and are of very different size.
fn grams(setting: &Setting, model: usize) -> Vec<Raw> {
    let n = setting.n_in;
    let gram = |seed: u64| {
        let mut random = Random(seed * 77 + model as u64);
        let mut gram = vec![0.0; n * n];
        for _ in 0..setting.n_seen {
            let common = random.next();
            let live = |j: usize| if j < setting.n_dead { 0.0 } else { 4f64.powi(j as i32 % 4) };
            let x: Vec<f64> = (0..n).map(|j| live(j) * (common + random.next() - 0.5)).collect();
            for (line, a) in gram.chunks_mut(n).zip(&x) {
                line.iter_mut().zip(&x).for_each(|(g, b)| *g += a * b / setting.n_seen as f64);
            }
        }
        encoded(Dtype::F64, &gram)
    };
    let shape = || vec![n as u64, n as u64];
    vec![(DENSE, Dtype::F64, shape(), gram(1)), (TURNED, Dtype::F64, shape(), gram(2))]
}

fn encoded(dtype: Dtype, values: &[f64]) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * dtype.size_bytes()];
    encode(dtype, values.iter().copied(), &mut bytes);
    bytes
}

fn file(tensors: &[Raw], metadata: &[(&str, &str)]) -> Vec<u8> {
    let metadata: BTreeMap<String, String> = crate::common::metadata(metadata);
    let described =
        tensors.iter().map(|(name, dtype, shape, _)| ((*name).into(), *dtype, shape.clone()));
    let layout = Layout::new(described, &metadata).unwrap();
    let mut file = layout.header_bytes().to_vec();
    file.resize(layout.total_bytes() as usize, 0);
    for (name, _, _, bytes) in tensors {
        let start = layout.offset_bytes(name).unwrap() as usize;
        file[start..start + bytes.len()].copy_from_slice(bytes);
    }
    file
}

/// A file with other tensors.
fn changed(bytes: &[u8], change: impl FnOnce(&mut Vec<Raw>)) -> Vec<u8> {
    let old = open(bytes.to_vec());
    let raw = |info: &gramerge::format::TensorInfo| {
        let bytes = pollster::block_on(old.read(info)).unwrap();
        let name: &'static str = Box::leak(info.name.clone().into_boxed_str());
        (name, info.dtype, info.shape.clone(), bytes)
    };
    let mut tensors: Vec<Raw> = old.header.tensors.iter().map(raw).collect();
    change(&mut tensors);
    file(&tensors, &[])
}

fn open(bytes: Vec<u8>) -> TensorFile<Memory> {
    pollster::block_on(TensorFile::open(Memory::new("file", bytes))).unwrap()
}

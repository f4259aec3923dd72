//! Small merges before they are written: models with their Gram files, and damage to what they hold.

use std::collections::BTreeMap;

use gramerge::format::Layout;
use gramerge::tensor::dtype::{Dtype, encode};

use crate::case::File;
use crate::random::Random;

/// A tensor with its values; integers are whole numbers.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<u64>,
    pub(crate) values: Vec<f64>,
}

/// A checkpoint, in one file or several, and its Gram file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) shards: Vec<Vec<Tensor>>,
    pub(crate) grams: Vec<Tensor>,
    pub(crate) metadata: BTreeMap<String, String>,
}

const FLOATS: [Dtype; 4] = [Dtype::F32, Dtype::F64, Dtype::F16, Dtype::BF16];
/// Values that arithmetic finds hard.
const HARD: [f64; 14] = [
    0.0,
    -0.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    5e-324,
    1e-308,
    1e-40,
    6e-8,
    65504.0,
    3.4e38,
    1e200,
    -1e300,
    1e20,
];
const NAMES: [&str; 6] =
    ["fc.weight", "model.fc.weight", "fc", "head.weight", "enc.0.q.weight", "é\u{202e}.weight"];

/// Valid models of the same tensors.
pub(crate) fn models(random: &mut Random) -> Vec<Model> {
    let n_models = 2 + usize::from(random.once_in(4));
    let layers: Vec<Layer> = (0..1 + random.below(3)).map(|i| Layer::new(i, random)).collect();
    let n_shards = if random.once_in(6) { 2 } else { 1 };
    let style = random.below(8);
    (0..n_models).map(|_| model(&layers, n_shards, style, random)).collect()
}

/// Properties that a layer has in every model.
struct Layer {
    name: String,
    n_in: usize,
    n_out: usize,
    dtype: Dtype,
    gram_dtype: Dtype,
    is_packed: bool,
    has_bias: bool,
}

impl Layer {
    fn new(index: usize, random: &mut Random) -> Self {
        let size = |random: &mut Random| match random.below(40) {
            0 => 65 + random.below(8),
            n => 1 + n % 6,
        };
        Self {
            name: format!("layer.{index}"),
            n_in: size(random),
            n_out: size(random),
            dtype: *random.pick(&FLOATS),
            gram_dtype: *random.pick(&FLOATS[..2]),
            is_packed: random.once_in(3),
            has_bias: random.once_in(2),
        }
    }
}

fn model(layers: &[Layer], n_shards: usize, style: usize, random: &mut Random) -> Model {
    let mut model = Model { shards: vec![Vec::new(); n_shards], ..Model::default() };
    let mut rows = serde_json::Map::new();
    for layer in layers {
        let Layer { n_in, n_out, .. } = *layer;
        let name = format!("{}.weight", layer.name);
        let weight = tensor(&name, layer.dtype, &[n_out, n_in], random);
        let shard = random.below(n_shards);
        model.shards[shard].push(weight);
        if layer.has_bias {
            let bias = tensor(&format!("{}.bias", layer.name), layer.dtype, &[n_out], random);
            model.shards[shard].push(bias);
        }
        let n_rows = 4 * n_in + random.below(4);
        let x: Vec<f64> = (0..n_rows * n_in).map(|_| random.uniform() + 0.2).collect();
        // Sums where the style says so, else means.
        let scale = if style < 2 { 1.0 } else { 1.0 / n_rows as f64 };
        model.grams.push(gram(name.clone(), layer, &x, scale));
        rows.insert(name, n_rows.into());
    }
    let ids = Tensor { values: vec![0.0, 1.0, 2.0], ..tensor("ids", Dtype::I64, &[3], random) };
    model.shards[0].push(ids);
    let normalization = if style < 2 { "sum" } else { "mean" };
    model.metadata.insert("gram_format".into(), "1".into());
    model.metadata.insert("normalization".into(), normalization.into());
    if style != 1 {
        model.metadata.insert("rows".into(), serde_json::Value::from(rows).to_string());
    }
    model
}

fn tensor(name: &str, dtype: Dtype, shape: &[usize], random: &mut Random) -> Tensor {
    let values = (0..shape.iter().product()).map(|_| random.uniform()).collect();
    let shape = shape.iter().map(|n| *n as u64).collect();
    Tensor { name: name.into(), dtype, shape, values }
}

/// XᵀX. `x: [rows, n]`
fn gram(name: String, layer: &Layer, x: &[f64], scale: f64) -> Tensor {
    let n = layer.n_in;
    let product = |i: usize, j: usize| scale * x.chunks(n).map(|row| row[i] * row[j]).sum::<f64>();
    let columns = |i: usize| if layer.is_packed { i..n } else { 0..n };
    let values: Vec<f64> = (0..n)
        .flat_map(|i| columns(i).map(move |j| (i.min(j), i.max(j))))
        .map(|(i, j)| product(i, j))
        .collect();
    let shape = if layer.is_packed { vec![values.len() as u64] } else { vec![n as u64; 2] };
    Tensor { name, dtype: layer.gram_dtype, shape, values }
}

/// Changes what the models hold, so that the files stay whole.
pub(crate) fn damage(models: &mut [Model], random: &mut Random) {
    if random.once_in(5) {
        return shape_of_all(models, random);
    }
    let index = random.below(models.len());
    let n_models = models.len();
    let model = &mut models[index];
    let tensors = match random.below(2) {
        0 => &mut model.grams,
        _ => &mut model.shards[0],
    };
    if tensors.is_empty() {
        return;
    }
    let place = random.below(tensors.len());
    let tensor = &mut tensors[place];
    match random.below(10) {
        0..3 => hard_values(tensor, random),
        3 => tensor.values.iter_mut().for_each(|value| *value *= hard_scale(random)),
        4 => {
            tensor.dtype = *random.pick(&[
                Dtype::F32,
                Dtype::F64,
                Dtype::F16,
                Dtype::BF16,
                Dtype::I32,
                Dtype::U8,
            ])
        }
        5 => tensor.name = (*random.pick(&NAMES)).into(),
        6 => drop(tensors.remove(place)),
        7 => resize(tensor, random),
        8 if n_models > 1 => {
            let twin = tensor.clone();
            model.shards.push(vec![twin]);
        }
        _ => metadata(model, random),
    }
}

fn hard_values(tensor: &mut Tensor, random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        if !tensor.values.is_empty() {
            let place = random.below(tensor.values.len());
            tensor.values[place] = *random.pick(&HARD);
        }
    }
}

fn hard_scale(random: &mut Random) -> f64 {
    *random.pick(&[0.0, -1.0, 1e-300, 1e-160, 1e-40, 1e-8, 1e8, 1e30, 1e160])
}

fn resize(tensor: &mut Tensor, random: &mut Random) {
    if tensor.shape.is_empty() || random.once_in(4) {
        tensor.shape = vec![random.below(3) as u64; random.below(4)];
    } else {
        let side = random.below(tensor.shape.len());
        tensor.shape[side] = random.below(8) as u64;
    }
    let len = tensor.shape.iter().product::<u64>() as usize;
    tensor.values.resize(len, 0.5);
}

/// Changes every model alike, so that they still agree.
fn shape_of_all(models: &mut [Model], random: &mut Random) {
    let before = random.clone();
    for model in models {
        let Some(tensor) = model.shards[0].first_mut() else { return };
        *random = before.clone();
        match random.below(3) {
            0 => resize(tensor, random),
            1 => tensor.shape.reverse(),
            _ => tensor.dtype = *random.pick(&FLOATS),
        }
    }
}

fn metadata(model: &mut Model, random: &mut Random) {
    let name = |random: &mut Random| *random.pick(&NAMES);
    let (key, value) = match random.below(5) {
        0 => ("normalization", ["mean", "sum", "both", ""][random.below(4)].to_owned()),
        1 => ("gram_format", ["1", "2", "", "1.0"][random.below(4)].to_owned()),
        2 => (
            "rows",
            format!(r#"{{"{}":{}}}"#, name(random), ["0", "-1", "1e300", "3"][random.below(4)]),
        ),
        3 => ("aliases", format!(r#"{{"{}":"{}"}}"#, name(random), name(random))),
        _ => ("aliases", r#"{"layer.1.weight":"layer.0.weight"}"#.to_owned()),
    };
    model.metadata.insert(key.into(), value);
}

/// The models' files, by names that say whose they are: `m0-0`, `m0.gram`, `m1-0`, …
pub(crate) fn files(models: &[Model]) -> Vec<File> {
    let mut files = Vec::new();
    let nothing = BTreeMap::new();
    for (index, model) in models.iter().enumerate() {
        for (shard, tensors) in model.shards.iter().enumerate() {
            let bytes = written(tensors, &nothing);
            files.push(File { name: format!("m{index}-{shard}.safetensors"), bytes });
        }
        if !model.grams.is_empty() {
            let bytes = written(&model.grams, &model.metadata);
            files.push(File { name: format!("m{index}.gram.safetensors"), bytes });
        }
    }
    files
}

/// A whole file; empty where two tensors have one name.
fn written(tensors: &[Tensor], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let described = tensors.iter().map(|t| (t.name.clone(), t.dtype, t.shape.clone()));
    let Ok(layout) = Layout::new(described, metadata) else { return Vec::new() };
    let mut bytes = layout.header_bytes().to_vec();
    bytes.resize(layout.total_bytes() as usize, 0);
    for Tensor { name, dtype, values, .. } in tensors {
        let start = layout.offset_bytes(name).unwrap_or_default() as usize;
        let out = &mut bytes[start..start + values.len() * dtype.size_bytes()];
        match dtype {
            Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16 => {
                encode(*dtype, values.iter().copied(), out);
            }
            _ => out
                .chunks_mut(dtype.size_bytes())
                .zip(values)
                .for_each(|(out, value)| out[0] = *value as u8),
        }
    }
    bytes
}

//! Counts right answers on the held-out images.

use super::{Accuracy, Evaluation, Example};
use crate::checkpoint::{Model, Models};
use crate::format::TensorFile;
use crate::io::Source;
use crate::tensor::dtype::decode;
use crate::{Error, Result};

const N_CLASSES: usize = 10;
const MAX_EXAMPLES: usize = 24;

/// One fully connected layer: y = W x + b.
#[derive(Debug, Clone)]
struct Layer {
    weight: Vec<f64>, // [out, in]
    bias: Vec<f64>,   // [out]
}

/// Layers `fc1`, `fc2`, …, with ReLU between them.
#[derive(Debug, Clone)]
struct Mlp {
    layers: Vec<Layer>,
}

/// The held-out images.
struct Heldout {
    pixels: Vec<u8>, // [images, inputs]
    labels: Vec<u8>, // [images]
    n_inputs: usize,
    scale: f64,
}

/// Runs each model, their plain average and the merged model.
///
/// # Errors
/// `Input` if the files are not the sample's.
pub async fn evaluate<S: Source, M: Source>(
    heldout: &TensorFile<S>,
    models: &Models<S>,
    shares: &[f64],
    merged: &Model<M>,
) -> Result<Evaluation> {
    let heldout = Heldout::read(heldout).await?;
    let mut contestants = Vec::new();
    for model in &models.list {
        contestants.push((model.name.clone(), Mlp::read(model).await?));
    }
    let parents: Vec<&Mlp> = contestants.iter().map(|(_, mlp)| mlp).collect();
    let average = Mlp::average(&parents, shares);
    contestants.push(("plain average".into(), average));
    contestants.push(("merged".into(), Mlp::read(merged).await?));
    let answers: Vec<Vec<u8>> = contestants.iter().map(|(_, mlp)| heldout.answers(mlp)).collect();
    let rows = contestants.into_iter().zip(&answers);
    Ok(Evaluation {
        rows: rows.map(|((name, _), answers)| heldout.accuracy(name, answers)).collect(),
        n_images: heldout.labels.len(),
        n_images_per_class: heldout.count(|_| true),
        examples: heldout.examples(&answers),
    })
}

impl Mlp {
    async fn read<S: Source>(model: &Model<S>) -> Result<Self> {
        let mut layers = Vec::new();
        while model.get(&format!("fc{}.weight", layers.len() + 1)).is_some() {
            let number = layers.len() + 1;
            let weight = floats(model, &format!("fc{number}.weight")).await?;
            let bias = floats(model, &format!("fc{number}.bias")).await?;
            layers.push(Layer { weight, bias });
        }
        match layers.is_empty() {
            true => {
                Err(Error::input("it has no layer `fc1`, so it is not the sample's classifier"))
            }
            false => Ok(Self { layers }),
        }
    }

    fn average(parents: &[&Self], shares: &[f64]) -> Self {
        let mean = |of: &dyn Fn(&Self) -> &[f64]| -> Vec<f64> {
            let n = of(parents[0]).len();
            let at = |j: usize| parents.iter().zip(shares).map(|(p, c)| c * of(p)[j]).sum();
            (0..n).map(at).collect()
        };
        let layer = |index: usize| Layer {
            weight: mean(&|mlp| &mlp.layers[index].weight),
            bias: mean(&|mlp| &mlp.layers[index].bias),
        };
        Self { layers: (0..parents[0].layers.len()).map(layer).collect() }
    }

    /// The class with the largest output.
    fn answer(&self, input: Vec<f64>) -> u8 {
        let mut x = input;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                x.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            x = layer.apply(&x);
        }
        let largest = |best: usize, index: usize| if x[index] > x[best] { index } else { best };
        (0..x.len()).fold(0, largest) as u8
    }
}

impl Layer {
    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let dot = |row: &[f64]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        self.weight.chunks(x.len().max(1)).zip(&self.bias).map(|(row, b)| dot(row) + b).collect()
    }
}

impl Heldout {
    async fn read<S: Source>(file: &TensorFile<S>) -> Result<Self> {
        let wrong = || Error::input("it is not the sample's held-out set").file(file.source.name());
        let images = file.header.get("images").ok_or_else(wrong)?;
        let labels = file.header.get("labels").ok_or_else(wrong)?;
        let scale = file.header.metadata.get("input_scale").and_then(|text| text.parse().ok());
        let (pixels, labels) = (file.read(images).await?, file.read(labels).await?);
        if labels.is_empty() || pixels.len() % labels.len() != 0 {
            return Err(wrong());
        }
        let n_inputs = pixels.len() / labels.len();
        Ok(Self { pixels, labels, n_inputs, scale: scale.unwrap_or(1.0) })
    }

    fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.n_inputs..(index + 1) * self.n_inputs]
    }

    fn answers(&self, mlp: &Mlp) -> Vec<u8> {
        let input = |index| self.image(index).iter().map(|p| f64::from(*p) * self.scale).collect();
        (0..self.labels.len()).map(|index| mlp.answer(input(index))).collect()
    }

    /// Images per digit for which `take(index)` holds.
    fn count(&self, take: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut counts = vec![0; N_CLASSES];
        for (index, label) in self.labels.iter().enumerate() {
            if let Some(count) = counts.get_mut(usize::from(*label)) {
                *count += usize::from(take(index));
            }
        }
        counts
    }

    fn accuracy(&self, name: String, answers: &[u8]) -> Accuracy {
        let n_correct_per_class = self.count(|index| answers[index] == self.labels[index]);
        Accuracy { name, n_correct: n_correct_per_class.iter().sum(), n_correct_per_class }
    }

    /// Images on which not all agree.
    fn examples(&self, answers: &[Vec<u8>]) -> Vec<Example> {
        let at = |index: usize| answers.iter().map(|row| row[index]).collect::<Vec<u8>>();
        (0..self.labels.len())
            .filter(|index| at(*index).windows(2).any(|pair| pair[0] != pair[1]))
            .take(MAX_EXAMPLES)
            .map(|index| Example {
                pixels: self.image(index).to_vec(),
                label: self.labels[index],
                answers: at(index),
            })
            .collect()
    }
}

async fn floats<S: Source>(model: &Model<S>, name: &str) -> Result<Vec<f64>> {
    let (file, info) = model.require(name)?;
    Ok(decode(info.dtype, &file.read(info).await?))
}

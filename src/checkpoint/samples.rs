//! A few elements of every weight: which model a Gram file was made of, which files are alike, and
//! which models come from one another.
//!
//! Sampling is asynchronous and reads; judging is not and does not, so that plans stay pure. What
//! was not sampled is not known, never guessed. A file that cannot be read is no matter of this
//! module: the merge says so.

use super::files::{Model, Models};
use crate::Result;
use crate::format::{Fingerprint, GramFile, GramMatch, TensorFile, TensorInfo};
use crate::io::Source;
use crate::tensor::dtype::{DtypeClass, decode};

impl<S: Source> Models<S> {
    /// Reads what [`Model::fits`], [`Model::is_like`] and [`Model::has_gram_of`] ask for: little, and
    /// once of each file that one [`super::Library`] opened.
    pub async fn sample(&self) {
        for gram in self.list.iter().filter_map(Model::gram) {
            for model in &self.list {
                model.sample(gram).await;
            }
        }
        for (index, model) in self.list.iter().enumerate() {
            for other in &self.list[..index] {
                compare(pairs(model, other)).await;
                compare(gram_pairs(model, other)).await;
            }
        }
        for name in shared_floats(&self.list) {
            for (file, tensor) in self.list.iter().filter_map(|model| model.get(name)) {
                if file.read_middle(tensor).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Tensors of floats that all models have in one shape; of many a part, evenly chosen, since every
/// model is compared with every other.
pub(crate) fn shared_floats<S: Source>(models: &[Model<S>]) -> Vec<&str> {
    const MAX_COMPARED: usize = 8192;
    let Some(first) = models.first() else { return Vec::new() };
    let is_shared = |name: &&str| {
        let found = models.iter().map(|model| Some(model.get(name)?.1));
        let shape = first.get(name).map(|(_, tensor)| &tensor.shape);
        let is_alike = |found: Option<&TensorInfo>| {
            found.is_some_and(|tensor| {
                tensor.dtype.class() == DtypeClass::Float && Some(&tensor.shape) == shape
            })
        };
        found.into_iter().all(is_alike)
    };
    let shared: Vec<&str> = first.names().filter(is_shared).collect();
    let n_pairs = models.len() * (models.len() - 1) / 2;
    let n_taken = (MAX_COMPARED / n_pairs.max(1)).clamp(16, 512);
    // Layers repeat, by twos and threes more often than not: other steps meet all of their parts.
    let step = match shared.len().div_ceil(n_taken) {
        0 | 1 => 1,
        step => ((step | 1)..).step_by(2).find(|step| step % 3 != 0).unwrap_or(step),
    };
    shared.into_iter().step_by(step).collect()
}

impl<S: Source> Model<S> {
    /// Reads what [`Self::fits`] asks for.
    pub async fn sample(&self, gram: &GramFile) {
        if gram.fingerprint.is_none() {
            return;
        }
        for (file, tensor) in self.fingerprinted(gram) {
            if file.read_head(tensor).await.is_err() {
                return;
            }
        }
    }

    /// Whether a Gram file was made of this model. `None` if it does not say, or the model was not
    /// sampled.
    pub fn fits(&self, gram: &GramFile) -> Option<bool> {
        let expected = gram.fingerprint.as_ref()?;
        let mut fingerprint = Fingerprint::default();
        let weights = self.fingerprinted(gram);
        for (file, tensor) in &weights {
            fingerprint.add(tensor.dtype, &file.head(tensor)?)?;
        }
        (!weights.is_empty()).then(|| fingerprint.finish() == *expected)
    }

    /// The weights that have a matrix of their own in a Gram file, by name.
    fn fingerprinted(&self, gram: &GramFile) -> Vec<(&TensorFile<S>, &TensorInfo)> {
        let matches = gram.matches(self.names());
        let own = matches.iter().filter(|(_, found)| matches!(found, GramMatch::Own(_)));
        own.filter_map(|(name, _)| self.get(name)).collect()
    }

    /// Values from the middle of a tensor, if it was sampled.
    pub fn middle(&self, name: &str) -> Option<Vec<f64>> {
        let (file, tensor) = self.get(name)?;
        (tensor.dtype.class() == DtypeClass::Float).then_some(())?;
        Some(decode(tensor.dtype, &file.middle(tensor)?))
    }

    /// Whether another model has the same tensors, as far as both were sampled.
    pub fn is_like(&self, other: &Self) -> bool {
        alike(pairs(self, other))
    }

    /// Whether another model's Gram file has the same matrices, as far as both were sampled.
    pub fn has_gram_of(&self, other: &Self) -> bool {
        alike(gram_pairs(self, other))
    }
}

/// A tensor and where it is.
type Place<'a, S> = (&'a TensorFile<S>, &'a TensorInfo);

/// Each tensor of one model beside the other's; `None` if not all are of the same kind.
fn pairs<'a, S: Source>(one: &'a Model<S>, other: &'a Model<S>) -> Option<Vec<[Place<'a, S>; 2]>> {
    let is_same = one.names().eq(other.names());
    let pair = |name| is_alike([one.get(name)?, other.get(name)?]);
    is_same.then(|| one.names().map(pair).collect()).flatten()
}

fn gram_pairs<'a, S: Source>(
    one: &'a Model<S>,
    other: &'a Model<S>,
) -> Option<Vec<[Place<'a, S>; 2]>> {
    let (one, other) = (one.gram_file()?, other.gram_file()?);
    let (tensors, others) = (one.header.tensors_by_name(), other.header.tensors_by_name());
    let n_same = one.header.tensors.len() == other.header.tensors.len();
    let pair = |(a, b): (&'a TensorInfo, &'a TensorInfo)| {
        (a.name == b.name).then_some(())?;
        is_alike([(one, a), (other, b)])
    };
    n_same.then(|| tensors.zip(others).map(pair).collect()).flatten()
}

fn is_alike<S>(pair: [Place<'_, S>; 2]) -> Option<[Place<'_, S>; 2]> {
    let [(_, a), (_, b)] = pair;
    (a.dtype == b.dtype && a.shape == b.shape).then_some(pair)
}

/// Reads both sides up to the first difference.
async fn compare<S: Source>(pairs: Option<Vec<[Place<'_, S>; 2]>>) {
    for pair in pairs.into_iter().flatten() {
        if !matches!(read(pair).await, Ok(true)) {
            return;
        }
    }
}

async fn read<S: Source>([(file, a), (other, b)]: [Place<'_, S>; 2]) -> Result<bool> {
    Ok(file.read_head(a).await? == other.read_head(b).await?)
}

fn alike<S: Source>(pairs: Option<Vec<[Place<'_, S>; 2]>>) -> bool {
    let is_same = |[(file, a), (other, b)]: &[Place<'_, S>; 2]| matches!((file.head(a), other.head(b)), (Some(a), Some(b)) if a == b);
    pairs.is_some_and(|pairs| !pairs.is_empty() && pairs.iter().all(is_same))
}

//! Whether a safetensors file is a Gram file, told from its header and name.
//!
//! The metadata settles it. Without, shapes alone do not: a network of square layers looks like a
//! file of square Gram matrices, and a bias of length 6 like a packed triangle of 3×3. Taking a
//! checkpoint for a Gram file would drop a model from the merge, so an unmarked file counts as one
//! only if its name says so, or if every tensor is a square matrix and some have the companion
//! `.mean` that no layer has.

use super::names::has_gram_name;
use super::{GramLayout, MEAN_SUFFIX, gram_shape, is_mean, meta};
use crate::format::header::{Header, TensorInfo};
use crate::tensor::dtype::DtypeClass;

/// Whether the header is a Gram file's; `path` is the file's name or path.
pub fn is_gram_header(header: &Header, path: &str) -> bool {
    if header.metadata.contains_key(meta::FORMAT_KEY) {
        return true;
    }
    let grams = || header.tensors.iter().filter(|tensor| !is_mean(tensor));
    if !grams().all(can_be_gram) || grams().next().is_none() {
        return false;
    }
    let is_full =
        |tensor: &TensorInfo| matches!(gram_shape(&tensor.shape), Some((GramLayout::Full, _)));
    has_gram_name(path) || (grams().all(is_full) && has_means(header))
}

fn can_be_gram(tensor: &TensorInfo) -> bool {
    let is_float = tensor.dtype.class() == DtypeClass::Float;
    is_float && !tensor.name.ends_with(".bias") && gram_shape(&tensor.shape).is_some()
}

/// Whether there are means, each beside a square matrix of its own length.
fn has_means(header: &Header) -> bool {
    let mut means = header.tensors.iter().filter(|tensor| is_mean(tensor)).peekable();
    means.peek().is_some() && means.all(|mean| has_matrix(header, mean))
}

fn has_matrix(header: &Header, mean: &TensorInfo) -> bool {
    let base = mean.name.strip_suffix(MEAN_SUFFIX).and_then(|base| header.get(base));
    base.is_some_and(|matrix| matrix.shape.first() == mean.shape.first())
}

//! Gram files: which weights have a Gram matrix, in which layout, under which name.
//!
//! Must not know: checkpoints, the Gram matrices' values, how they are used.
//! Invariants: no two matrices or aliases differ in `.weight` alone; every alias leads to a matrix
//! that is there; sizes are those of a square matrix or of its upper triangle; row counts are
//! positive, and none is given twice.
//! Source: `gram_format` 1, described in the README.

use std::collections::BTreeMap;

use super::header::{Header, TensorInfo};
use crate::tensor::dtype::{Dtype, DtypeClass};
use crate::{Error, Result, printable};

mod aliases;
mod detect;
mod matches;
mod meta;
mod names;
mod rows;

pub use detect::is_gram_header;
pub use matches::{GramMatch, GramMatches};
use names::{Closest, Names};
pub use names::{canonical_weight_name, has_gram_name};

/// Suffix of the tensor that holds the mean input of a layer.
const MEAN_SUFFIX: &str = ".mean";

/// How a Gram matrix is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GramLayout {
    /// `[n, n]`.
    Full,
    /// `[n·(n+1)/2]`: the upper triangle, row by row.
    Packed,
}

/// What the stored sums were divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Normalization {
    /// The number of rows.
    #[default]
    Mean,
    /// Nothing.
    Sum,
}

/// One Gram matrix of a Gram file.
#[derive(Debug, Clone, PartialEq)]
pub struct GramEntry {
    /// Its tensor's name in the file.
    pub key: String,
    /// How it is stored.
    pub layout: GramLayout,
    /// Its dimension: the layer's number of inputs.
    pub n: u64,
    /// Its element type, always a float.
    pub dtype: Dtype,
    /// How many input rows were summed, if the file says so.
    pub rows: Option<f64>,
    /// The tensor with the mean input, `[n]`, if there is one.
    pub mean_key: Option<String>,
}

/// A Gram file as its header describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct GramFile {
    /// The Gram matrices by their tensors' names.
    pub entries: BTreeMap<String, GramEntry>,
    /// Further weights that share one: weight name to a key of `entries`.
    pub aliases: BTreeMap<String, String>,
    /// What the sums were divided by.
    pub normalization: Normalization,
    /// Free-text provenance; hostile text.
    pub source: Option<String>,
    /// The model that it was made of, as [`super::Fingerprint`] gives it.
    pub fingerprint: Option<String>,
    /// Plain sentences about what is odd but harmless.
    pub warnings: Vec<String>,
}

impl GramFile {
    /// Understands a whole Gram file from its header.
    ///
    /// # Errors
    /// `Input`, naming the tensor where one is at fault; the caller adds the file.
    pub fn new(header: &Header) -> Result<Self> {
        let meta = meta::Meta::parse(&header.metadata)?;
        let (means, grams): (Vec<_>, Vec<_>) = header.tensors_by_name().partition(|t| is_mean(t));
        let mut names = Names::default();
        for tensor in &grams {
            add_name(&mut names, tensor)?;
        }
        let mut entries = BTreeMap::new();
        for tensor in &grams {
            let entry = new_entry(tensor).map_err(|error| error.tensor(&tensor.name))?;
            entries.insert(tensor.name.clone(), entry);
        }
        for tensor in means {
            add_mean(&mut entries, &names, tensor).map_err(|error| error.tensor(&tensor.name))?;
        }
        let aliases = aliases::resolve(&meta.aliases, &names)?;
        let mut warnings = rows::add(&mut entries, &names, &aliases, &meta.rows)?;
        warnings.extend(meta.warnings);
        let meta::Meta { normalization, source, fingerprint, .. } = meta;
        Ok(Self { entries, aliases, normalization, source, fingerprint, warnings })
    }
}

/// The layout and dimension of a tensor that can be a Gram matrix by its shape.
fn gram_shape(shape: &[u64]) -> Option<(GramLayout, u64)> {
    match *shape {
        [n, columns] if n == columns && n > 0 => Some((GramLayout::Full, n)),
        [len] if len > 0 => Some((GramLayout::Packed, triangular_root(len)?)),
        _ => None,
    }
}

/// The n with n·(n+1)/2 = `len`.
fn triangular_root(len: u64) -> Option<u64> {
    let n = (len.checked_mul(8)?.checked_add(1)?.isqrt() - 1) / 2;
    (n * (n + 1) / 2 == len).then_some(n)
}

fn is_mean(tensor: &TensorInfo) -> bool {
    tensor.name.ends_with(MEAN_SUFFIX) && tensor.shape.len() == 1
}

fn add_name<'a>(names: &mut Names<'a>, tensor: &'a TensorInfo) -> Result<()> {
    match names.insert(&tensor.name) {
        None => Ok(()),
        Some(twin) => {
            let twin = printable(twin);
            let what = format!("it means the same weight as `{twin}`, so one is too many");
            Err(Error::input(what).tensor(&tensor.name).advice("remove one of the two"))
        }
    }
}

fn new_entry(tensor: &TensorInfo) -> Result<GramEntry> {
    check_float(tensor)?;
    let Some((layout, n)) = gram_shape(&tensor.shape) else {
        let what = format!("{:?} is the shape of no Gram matrix", tensor.shape);
        return Err(Error::input(what).advice(
            "Gram matrices are square, [n, n], or packed upper triangles, [n·(n+1)/2]; \
             if this is a checkpoint, do not hand it in as a Gram file",
        ));
    };
    let (key, dtype) = (tensor.name.clone(), tensor.dtype);
    Ok(GramEntry { key, layout, n, dtype, rows: None, mean_key: None })
}

fn check_float(tensor: &TensorInfo) -> Result<()> {
    if tensor.dtype.class() == DtypeClass::Float {
        return Ok(());
    }
    let what = format!("its dtype {} is none that Gram files may have", tensor.dtype.name());
    Err(Error::input(what).advice("store it as F32, F64, F16 or BF16"))
}

fn add_mean(
    entries: &mut BTreeMap<String, GramEntry>,
    names: &Names<'_>,
    tensor: &TensorInfo,
) -> Result<()> {
    check_float(tensor)?;
    let base = tensor.name.strip_suffix(MEAN_SUFFIX).unwrap_or(&tensor.name);
    let entry = match names.closest(base) {
        Closest::One(key) => entries.get_mut(key),
        Closest::Several(one, other) => return Err(unclear("it", [one, other])),
        Closest::None => None,
    };
    let Some(entry) = entry else {
        let what =
            format!("it is the mean input of `{}`, which has no Gram matrix", printable(base));
        return Err(Error::input(what).advice("add the matrix or remove the mean"));
    };
    if tensor.shape != [entry.n] {
        let what =
            format!("its shape is {:?} but its Gram matrix needs [{}]", tensor.shape, entry.n);
        return Err(Error::input(what));
    }
    match entry.mean_key.replace(tensor.name.clone()) {
        None => Ok(()),
        Some(twin) => {
            let what = format!("it means the same layer as `{}`", printable(&twin));
            Err(Error::input(what).advice("remove one of the two"))
        }
    }
}

/// The error for a name that is as close to one Gram matrix as to another.
fn unclear(what: &str, grams: [&str; 2]) -> Error {
    let [one, other] = grams.map(printable);
    Error::input(format!("{what} could mean the Gram matrix `{one}` or `{other}`"))
        .advice("write the name in full")
}

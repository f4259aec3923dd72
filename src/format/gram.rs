//! Gram files: which weights have a Gram matrix, in which layout, under which name.
//!
//! Must not know: checkpoints, the Gram matrices' values, how they are used.
//! Invariants: every weight name leads to at most one Gram matrix; every alias leads to one that
//! is there; sizes are those of a square matrix or of its upper triangle.
//! Source: `gram_format` 1, described in the README.

use std::collections::BTreeMap;

use super::header::{Header, TensorInfo};
use crate::dtype::{Dtype, DtypeClass};
use crate::{Error, Result, printable};

mod detect;
mod meta;
mod names;

pub use detect::is_gram_header;
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
    /// The Gram matrices by [`canonical_weight_name`].
    pub entries: BTreeMap<String, GramEntry>,
    /// Further weights that share one: canonical name to a key of `entries`.
    pub aliases: BTreeMap<String, String>,
    /// What the sums were divided by.
    pub normalization: Normalization,
    /// Free-text provenance; hostile text.
    pub source: Option<String>,
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
        let mut entries = BTreeMap::new();
        for tensor in grams {
            add_entry(&mut entries, tensor)?;
        }
        for tensor in means {
            add_mean(&mut entries, tensor)?;
        }
        let aliases = meta::resolve_aliases(&meta.aliases, &entries)?;
        let warnings = add_rows(&mut entries, &aliases, meta.rows);
        let (normalization, source) = (meta.normalization, meta.source);
        Ok(Self { entries, aliases, normalization, source, warnings })
    }

    /// The Gram matrix of a weight: by its name, with or without `.weight` and the usual
    /// prefixes, or by an alias.
    pub fn find(&self, weight_name: &str) -> Option<&GramEntry> {
        let name = canonical_weight_name(weight_name);
        self.entries.get(name).or_else(|| self.entries.get(self.aliases.get(name)?))
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

fn add_entry(entries: &mut BTreeMap<String, GramEntry>, tensor: &TensorInfo) -> Result<()> {
    let entry = new_entry(tensor).map_err(|error| error.tensor(&tensor.name))?;
    match entries.insert(canonical_weight_name(&tensor.name).to_owned(), entry) {
        None => Ok(()),
        Some(twin) => {
            let twin = printable(&twin.key);
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

fn add_mean(entries: &mut BTreeMap<String, GramEntry>, tensor: &TensorInfo) -> Result<()> {
    attach_mean(entries, tensor).map_err(|error| error.tensor(&tensor.name))
}

fn attach_mean(entries: &mut BTreeMap<String, GramEntry>, tensor: &TensorInfo) -> Result<()> {
    check_float(tensor)?;
    let base = tensor.name.strip_suffix(MEAN_SUFFIX).unwrap_or(&tensor.name);
    let Some(entry) = entries.get_mut(canonical_weight_name(base)) else {
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

/// Row counts of weights that have no Gram matrix are harmless, but hint at a wrong name.
fn add_rows(
    entries: &mut BTreeMap<String, GramEntry>,
    aliases: &BTreeMap<String, String>,
    rows: BTreeMap<String, f64>,
) -> Vec<String> {
    let mut strangers = Vec::new();
    for (name, count) in rows {
        let canonical = canonical_weight_name(&name);
        match entries.get_mut(canonical) {
            Some(entry) => entry.rows = Some(count),
            None if aliases.contains_key(canonical) => {}
            None => strangers.push(name),
        }
    }
    let Some(first) = strangers.first().map(|name| printable(name)) else {
        return Vec::new();
    };
    let n = strangers.len();
    vec![format!("Row counts are given for {n} weights without a Gram matrix, such as `{first}`.")]
}

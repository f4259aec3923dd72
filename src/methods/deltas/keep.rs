//! What is kept of one model's differences from the base.

use super::cut::Cut;
use super::random::Mask;
use crate::methods::spec::Values;
use crate::tensor::sums;

/// How a method thins out differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sparsify {
    /// Not at all.
    No,
    /// The largest magnitudes stay: k = max(1, ⌊density n⌋).
    Largest,
    /// As `Largest` behind the ⌊γ n⌋ largest ones, which go as well: k = ⌊density n⌋.
    Middle,
    /// Each element stays with the probability `density`.
    Random,
}

impl Sparsify {
    /// The choice for one model's tensor of `n` elements.
    pub(super) fn keep(self, values: &Values, tensor: &str, model: usize, n: u64) -> Keep {
        let density = values.of_model("density", model);
        if self == Self::No || density >= 1.0 {
            return Keep::All;
        }
        let k = (density * n as f64) as u64;
        match self {
            Self::No => Keep::All,
            Self::Largest if density > 0.0 => Keep::ranks(0, k.max(1)),
            Self::Largest => Keep::ranks(0, 0),
            Self::Middle => {
                let top = (values.of_model("gamma", model) * n as f64) as u64;
                // Where both do not fit, density wins.
                Keep::ranks(top.min(n - k), k)
            }
            Self::Random => {
                let seed = values.get("seed") as u64;
                Keep::Random(Mask::new(seed, tensor, model, density))
            }
        }
    }
}

/// Which elements of one tensor stay.
#[derive(Debug)]
pub(super) enum Keep {
    /// All of them.
    All,
    /// Those between two ranks; the largest magnitude is first, and of equal ones the lower index.
    Ranks { from: Cut, to: Cut },
    /// Those that a seeded throw allows.
    Random(Mask),
}

impl Keep {
    fn ranks(from: u64, len: u64) -> Self {
        Self::Ranks { from: Cut::new(from), to: Cut::new(from + len) }
    }

    fn n_surveys(&self) -> usize {
        match self {
            Self::All | Self::Random(_) => 0,
            Self::Ranks { .. } => Cut::N_SURVEYS,
        }
    }

    /// Sets what does not stay to 0. Runs come in order; `keys` are those of `deltas`.
    fn thin(&mut self, first: u64, keys: &mut Vec<u32>, deltas: &mut [f64]) {
        match self {
            Self::All => {}
            Self::Random(mask) => {
                for (delta, index) in deltas.iter_mut().zip(first..) {
                    *delta = if mask.keeps(index) { *delta } else { 0.0 };
                }
            }
            Self::Ranks { from, to } => {
                fill_keys(keys, deltas);
                thin_ranks(from, to, keys, deltas);
            }
        }
    }
}

fn fill_keys(keys: &mut Vec<u32>, deltas: &[f64]) {
    keys.clear();
    keys.extend(deltas.iter().map(|delta| Cut::key(*delta)));
}

/// Keeps what lies between two ranks: at once where keys alone decide, in order where they are equal.
fn thin_ranks(from: &mut Cut, to: &mut Cut, keys: &[u32], deltas: &mut [f64]) {
    let (upper, lower) = (from.at(), to.at());
    let mut n_equal = 0;
    for (delta, key) in deltas.iter_mut().zip(keys) {
        n_equal += u32::from(*key == upper) + u32::from(*key == lower);
        // What is equal is decided below.
        let stays = *key <= upper && *key >= lower;
        *delta = if stays { *delta } else { 0.0 };
    }
    if n_equal == 0 {
        return;
    }
    for (delta, key) in deltas.iter_mut().zip(keys) {
        if *key == upper || *key == lower {
            let (is_above, is_inside) = (from.is_before(*key), to.is_before(*key));
            *delta = if !is_above && is_inside { *delta } else { 0.0 };
        }
    }
}

/// One model's part in the sum.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) weight: f64,
    keep: Keep,
    rescale: Option<Rescale>,
    /// Keys of one run.
    keys: Vec<u32>,
    /// Differences of one run.
    deltas: Vec<f64>,
}

/// r = Σ |δ| / Σ |kept δ|.
#[derive(Debug, Default)]
struct Rescale {
    all: f64,
    kept: f64,
}

impl Rescale {
    /// Sums below this say nothing.
    const SMALLEST: f64 = 1e-7;

    fn factor(&self) -> f64 {
        let is_usable = self.all >= Self::SMALLEST && self.kept >= Self::SMALLEST;
        if is_usable { self.all / self.kept } else { 1.0 }
    }
}

impl Part {
    pub(super) fn new(weight: f64, keep: Keep, is_rescaled: bool) -> Self {
        let is_thinned = !matches!(keep, Keep::All);
        let rescale = (is_rescaled && is_thinned).then(Rescale::default);
        Self { weight, keep, rescale, keys: Vec::new(), deltas: Vec::new() }
    }

    pub(super) fn n_surveys(&self) -> usize {
        self.keep.n_surveys() + usize::from(self.rescale.is_some())
    }

    pub(super) fn survey(&mut self, pass: usize, first: u64, own: &[f64], base: &[f64]) {
        let Self { keep, rescale, keys, deltas, .. } = self;
        let is_for_rescale = pass >= keep.n_surveys();
        if is_for_rescale && rescale.is_none() {
            return;
        }
        deltas.clear();
        deltas.extend(own.iter().zip(base).map(|(w, b)| w - b));
        match (keep, rescale) {
            (Keep::Ranks { from, to }, _) if !is_for_rescale => {
                fill_keys(keys, deltas);
                from.survey(pass, keys);
                to.survey(pass, keys);
            }
            (keep, Some(rescale)) => {
                rescale.all += sums::absolute(deltas);
                keep.thin(first, keys, deltas);
                rescale.kept += sums::absolute(deltas);
            }
            (_, None) => {}
        }
    }

    pub(super) fn surveyed(&mut self, pass: usize) {
        if let Keep::Ranks { from, to } = &mut self.keep {
            from.surveyed(pass);
            to.surveyed(pass);
        }
    }

    /// w r δ of a run, 0 where δ is dropped.
    pub(super) fn weigh(&mut self, first: u64, own: &[f64], base: &[f64], out: &mut [f64]) {
        let factor = self.weight * self.rescale.as_ref().map_or(1.0, Rescale::factor);
        for ((out, w), b) in out.iter_mut().zip(own).zip(base) {
            *out = w - b;
        }
        self.keep.thin(first, &mut self.keys, out);
        out.iter_mut().for_each(|delta| *delta *= factor);
    }
}

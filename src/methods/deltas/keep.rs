//! What is kept of one model's differences from the base.

use super::cut::Cut;
use super::random::Mask;
use crate::methods::spec::Values;

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

    /// Whether the element stays. Elements come in order.
    fn keeps(&mut self, index: u64, delta: f64) -> bool {
        match self {
            Self::All => true,
            Self::Random(mask) => mask.keeps(index),
            Self::Ranks { from, to } => {
                let key = Cut::key(delta);
                // Both are asked, since both count what they see.
                let (is_above, is_inside) = (from.is_before(key), to.is_before(key));
                !is_above && is_inside
            }
        }
    }
}

/// One model's part in the sum.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) weight: f64,
    keep: Keep,
    rescale: Option<Rescale>,
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
        Self { weight, keep, rescale: (is_rescaled && is_thinned).then(Rescale::default) }
    }

    pub(super) fn n_surveys(&self) -> usize {
        self.keep.n_surveys() + usize::from(self.rescale.is_some())
    }

    pub(super) fn survey(&mut self, pass: usize, first: u64, own: &[f64], base: &[f64]) {
        let deltas = own.iter().zip(base).map(|(w, b)| w - b);
        if pass < self.keep.n_surveys() {
            if let Keep::Ranks { from, to } = &mut self.keep {
                for delta in deltas {
                    let key = Cut::key(delta);
                    from.survey(pass, key);
                    to.survey(pass, key);
                }
            }
            return;
        }
        let Some(rescale) = &mut self.rescale else { return };
        for (delta, index) in deltas.zip(first..) {
            rescale.all += delta.abs();
            if self.keep.keeps(index, delta) {
                rescale.kept += delta.abs();
            }
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
        let deltas = own.iter().zip(base).map(|(w, b)| w - b);
        if let Keep::All = self.keep {
            out.iter_mut().zip(deltas).for_each(|(out, delta)| *out = factor * delta);
            return;
        }
        for ((out, delta), index) in out.iter_mut().zip(deltas).zip(first..) {
            *out = if self.keep.keeps(index, delta) { factor * delta } else { 0.0 };
        }
    }
}

//! Seeded matrices that look like a transformer's, cheap to make.
//!
//! A Gram matrix is D (Q Λ Qᵀ + ρ μ μᵀ) D: a spectrum Λ that falls like 1/k, a mean offset μ, and
//! a scale D per feature with a few outliers. The figures are those of MiniLM's Gram matrices.
//! Q is a Hadamard matrix (times a small reflection where n is no power of two) with random signs.
//! Row i times row j of a Hadamard matrix is its row i ⊕ j, so Q Λ Qᵀ is a table lookup.

/// Share of the diagonal that is mean offset.
const OFFSET: f64 = 0.12;
/// λ_k ∝ (1 − k/n) / (k + FLAT).
const FLAT: f64 = 5.0;
/// Features with a scale far above the others.
const N_OUTLIERS: usize = 6;
const OUTLIER: f64 = 12.0;
/// ‖W_i − W_1‖ / ‖W_1‖.
const APART: f64 = 0.01;

/// A reproducible stream of numbers (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The same seed, the same numbers.
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0xd134_2543_de82_ef95) }
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [−1, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn sign(&mut self) -> f64 {
        if self.bits() & 1 == 0 { 1.0 } else { -1.0 }
    }

    fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }
}

/// `[rows, cols]`, uniform.
pub fn matrix(rows: usize, cols: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..rows * cols).map(|_| random.uniform() as f32).collect()
}

/// A weight `[rows, cols]` of one layer, as model `model` has it.
pub fn weight(layer: u64, model: u64, rows: usize, cols: usize) -> Vec<f32> {
    let mut base = Random::new(layer);
    let mut own = Random::new(layer + ((model + 1) << 32));
    let scale = (3.0 / cols as f64).sqrt();
    // Two models are √2 as far apart as each is from the base.
    let step = APART / 2f64.sqrt();
    (0..rows * cols).map(|_| (scale * (base.uniform() + step * own.uniform())) as f32).collect()
}

/// A Gram matrix `[n, n]` of one layer's inputs, as model `model` sees them.
pub fn gram(layer: u64, model: u64, n: usize) -> Vec<f32> {
    let (scale, offset) = features(layer, model, n);
    let mut random = Random::new(layer + ((model + 101) << 32));
    let signs: Vec<f64> = (0..n).map(|_| random.sign()).collect();
    let spectrum = Spectrum::new(n);
    let mut gram = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let value = signs[i] * signs[j] * spectrum.at(i, j) + offset[i] * offset[j];
            let value = (scale[i] * scale[j] * value) as f32;
            gram[i * n + j] = value;
            gram[j * n + i] = value;
        }
    }
    gram
}

/// D and √ρ μ: the layer's, varied a little by the model.
fn features(layer: u64, model: u64, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut shared = Random::new(layer + (1 << 60));
    let mut own = Random::new(layer + ((model + 201) << 32));
    let scale = |own: &mut Random, shared: &mut Random| {
        (0.8 * shared.uniform() + 0.1 * own.uniform()).exp()
    };
    let mut scales: Vec<f64> = (0..n).map(|_| scale(&mut own, &mut shared)).collect();
    for _ in 0..N_OUTLIERS {
        scales[shared.below(n)] *= OUTLIER;
    }
    let offset = |_| shared.sign() * (OFFSET * (1.0 + 0.5 * shared.uniform())).sqrt();
    let offsets = (0..n).map(offset).collect();
    (scales, offsets)
}

/// Q Λ Qᵀ without the signs, by lookup. n = m · 2^k; Q = R ⊗ H with R = I − (2/m) 1 1ᵀ.
struct Spectrum {
    width: usize,
    m: usize,
    tables: Vec<f64>, // [m, m, 2^k]
}

impl Spectrum {
    fn new(n: usize) -> Self {
        let width = 1 << n.trailing_zeros();
        let m = n / width;
        let transformed: Vec<Vec<f64>> = (0..m).map(|c| transformed(n, m, c)).collect();
        let reflection = |a: usize, c: usize| f64::from(a == c) - 2.0 / m as f64;
        let mut tables = Vec::with_capacity(m * m * width);
        for pair in 0..m * m {
            let (a, b) = (pair / m, pair % m);
            tables.extend((0..width).map(|x| -> f64 {
                (0..m).map(|c| reflection(a, c) * reflection(b, c) * transformed[c][x]).sum()
            }));
        }
        Self { width, m, tables }
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        let (a, b) = (i / self.width, j / self.width);
        self.tables[(a * self.m + b) * self.width + ((i % self.width) ^ (j % self.width))]
    }
}

/// The Hadamard transform of every m-th eigenvalue from the c-th on, over its length.
fn transformed(n: usize, m: usize, c: usize) -> Vec<f64> {
    let eigenvalue = |k: usize| (1.0 - k as f64 / n as f64) / (k as f64 + FLAT);
    let total: f64 = (0..n).map(eigenvalue).sum();
    let width = n / m;
    let scale = (1.0 - OFFSET) * n as f64 / total / width as f64;
    let mut values: Vec<f64> = (0..width).map(|k| scale * eigenvalue(k * m + c)).collect();
    let mut half = 1;
    while half < width {
        for pair in values.chunks_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    values
}

//! Seeded matrices.

/// A reproducible stream of numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The same seed, the same numbers.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Uniform in [−1, 1).
    pub fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// `[rows, cols]`
    pub fn matrix(&mut self, rows: usize, cols: usize) -> Vec<f64> {
        (0..rows * cols).map(|_| self.uniform()).collect()
    }
}

/// A symmetric positive definite `[n, n]` matrix with the given condition number: Q diag(λ) Qᵀ,
/// λ falling geometrically from 1, Q a product of reflections.
pub fn positive_definite(n: usize, condition: f64, random: &mut Random) -> Vec<f64> {
    let mut s = vec![0.0; n * n];
    for i in 0..n {
        let share = if n > 1 { i as f64 / (n - 1) as f64 } else { 0.0 };
        s[i * n + i] = condition.powf(-share);
    }
    for _ in 0..3 {
        reflect(n, &mut s, random);
    }
    s
}

/// S ← H S H with H = I − 2 v vᵀ / vᵀv.
fn reflect(n: usize, s: &mut [f64], random: &mut Random) {
    let v = random.matrix(n, 1);
    let scale = 2.0 / v.iter().map(|x| x * x).sum::<f64>();
    let w: Vec<f64> = s
        .chunks(n)
        .map(|row| row.iter().zip(&v).map(|(s, v)| s * v).sum::<f64>() * scale)
        .collect();
    let kappa = 0.5 * scale * w.iter().zip(&v).map(|(w, v)| w * v).sum::<f64>();
    for i in 0..n {
        for j in 0..n {
            s[i * n + j] += 2.0 * kappa * v[i] * v[j] - w[i] * v[j] - v[i] * w[j];
        }
    }
}

/// Sizes around the tiles (4, 8, 64, 128), the smallest blocks (32, 128), the panel (256), and
/// primes.
pub const SIZES: [usize; 22] =
    [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 131];

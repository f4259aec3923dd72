//! Throws that depend on nothing but the seed, the tensor's name, the model and the element's index: the
//! same in any order of jobs and on every machine.

use sha2::{Digest, Sha256};

/// Which elements stay, each with the same probability.
#[derive(Debug)]
pub(super) struct Mask {
    start: u64,
    /// Throws below this stay.
    limit: u64,
}

impl Mask {
    /// `density` is the probability to stay, below 1.
    pub(super) fn new(seed: u64, tensor: &str, model: usize, density: f64) -> Self {
        let digest = Sha256::new()
            .chain_update(seed.to_le_bytes())
            .chain_update((model as u64).to_le_bytes())
            .chain_update(tensor.as_bytes())
            .finalize();
        let mut start = [0; 8];
        start.copy_from_slice(&digest[..8]);
        Self { start: u64::from_le_bytes(start), limit: (density * 2f64.powi(64)) as u64 }
    }

    /// The element's own throw: SplitMix64 (Steele, Lea and Flood 2014) from a start of its own.
    pub(super) fn keeps(&self, index: u64) -> bool {
        let mut z = self.start.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) < self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u64 = 100_000;

    fn mask(seed: u64, tensor: &str, model: usize, density: f64) -> Vec<bool> {
        let mask = Mask::new(seed, tensor, model, density);
        (0..N).map(|index| mask.keeps(index)).collect()
    }

    fn n_kept(mask: &[bool]) -> f64 {
        mask.iter().filter(|kept| **kept).count() as f64
    }

    #[test]
    fn as_many_stay_as_are_wanted() {
        for density in [0.0, 0.1, 0.5, 0.9] {
            let deviation = (N as f64 * density * (1.0 - density)).sqrt();
            for seed in 0..20 {
                let n = n_kept(&mask(seed, "w", 0, density));
                let apart = (n - N as f64 * density).abs();
                assert!(apart <= 5.0 * deviation, "{density} {seed}: {n}");
            }
        }
    }

    #[test]
    fn throws_are_independent() {
        let one = mask(1, "w", 0, 0.5);
        for other in [mask(2, "w", 0, 0.5), mask(1, "v", 0, 0.5), mask(1, "w", 1, 0.5)] {
            let both: Vec<bool> = one.iter().zip(&other).map(|(a, b)| a & b).collect();
            assert!((n_kept(&both) - N as f64 / 4.0).abs() < 1000.0);
        }
        let neighbours: Vec<bool> = one.windows(2).map(|pair| pair[0] & pair[1]).collect();
        assert!((n_kept(&neighbours) - N as f64 / 4.0).abs() < 1000.0);
    }
}

//! The scaling of one group, by which the sum of its Gram matrices has a diagonal near 1.
//!
//! Hats are scaled variables. With s_j a power of two near 1/√S_jj, Ĝ = diag(s) G̃ diag(s) and
//! X̂ = X diag(1/s), so that X̂ T = R̂. Powers of two round nothing, and nothing overflows in f32 at any
//! scale of the inputs. A feature that no model has ever seen (S_jj = 0) gets s_j = 1 and a unit
//! diagonal.

use super::layer::LayerGroup;

/// The scaling of one group.
#[derive(Debug, Clone)]
pub struct Scaling {
    /// s_j. `[n]`
    pub scale: Vec<f64>,
    /// 1/s_j, exactly. `[n]`
    pub inverse: Vec<f64>,
    /// Features that no Gram saw.
    pub dead: Vec<bool>,
}

impl Scaling {
    /// s_j ≈ 1/√S_jj, rounded to a power of two.
    pub fn of(group: &LayerGroup) -> Self {
        let diagonal = |j: usize| -> f64 {
            group.shares.iter().zip(&group.grams).map(|(c, gram)| c * gram.diagonal()[j]).sum()
        };
        let diagonal: Vec<f64> = (0..group.n()).map(diagonal).collect();
        let dead: Vec<bool> = diagonal.iter().map(|d| *d <= 0.0).collect();
        let scale: Vec<f64> = diagonal.iter().map(|d| power_of_two(*d)).collect();
        let inverse = scale.iter().map(|s| 1.0 / s).collect();
        Self { scale, inverse, dead }
    }

    /// How many features no Gram saw.
    pub fn n_dead(&self) -> usize {
        self.dead.iter().filter(|dead| **dead).count()
    }
}

fn power_of_two(diagonal: f64) -> f64 {
    if diagonal > 0.0 { (-0.5 * diagonal.log2()).round().exp2() } else { 1.0 }
}

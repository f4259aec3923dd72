//! The scaling of one group, by which the sum of its Gram matrices has a diagonal near 1.
//!
//! Hats are scaled variables. With s_j a power of two near 1/√S_jj, Ĝ = diag(s) G̃ diag(s) and
//! X̂ = γ X diag(1/s), so that X̂ T = R̂ for any γ, which is the power of two that brings γ/s_j near 1.
//! Powers of two round nothing, and nothing overflows at any scale of the inputs. A feature that no
//! model has ever seen (S_jj = 0) is in no Ĝ, and has a unit diagonal in T.

use super::layer::LayerGroup;
use crate::tensor::powers::power_of_two;

/// Between scales that are further apart than 2^60, values of X̂ may vanish in f32.
const MAX_SPREAD_F32: i32 = 60;
/// The Grams' own scales must be such powers of two for a device that scales in f32.
const MAX_EXPONENT_F32: i32 = 100;

/// The scaling of one group.
#[derive(Debug, Clone)]
pub struct Scaling {
    /// s_j; 0 for features that no Gram saw. `[n]`
    pub gram: Vec<f64>,
    /// s_j / γ: X = X̂ diag(scale). `[n]`
    pub scale: Vec<f64>,
    /// γ / s_j, exactly. `[n]`
    pub inverse: Vec<f64>,
    /// Features that no Gram saw.
    pub dead: Vec<bool>,
    /// Smallest and largest log₂ s_j.
    exponents: (i32, i32),
}

impl Scaling {
    /// s_j ≈ 1/√S_jj, rounded to a power of two.
    pub fn of(group: &LayerGroup) -> Self {
        let exponents: Vec<Option<i32>> = (0..group.n()).map(|j| exponent(group, j)).collect();
        let live = exponents.iter().flatten();
        let least = live.clone().copied().min().unwrap_or(0);
        let most = live.copied().max().unwrap_or(0);
        let middle = least + (most - least) / 2;
        let power = |e: &Option<i32>, of: &dyn Fn(i32) -> i32, dead: f64| -> f64 {
            e.map_or(dead, |e| power_of_two(of(e)))
        };
        Self {
            gram: exponents.iter().map(|e| power(e, &|e| e, 0.0)).collect(),
            scale: exponents.iter().map(|e| power(e, &|e| e - middle, 1.0)).collect(),
            inverse: exponents.iter().map(|e| power(e, &|e| middle - e, 1.0)).collect(),
            dead: exponents.iter().map(Option::is_none).collect(),
            exponents: (least, most),
        }
    }

    /// How many features no Gram saw.
    pub fn n_dead(&self) -> usize {
        self.dead.iter().filter(|dead| **dead).count()
    }

    /// Whether f32 holds X̂ of usual weights.
    pub(super) fn suits_single(&self) -> bool {
        self.exponents.1 - self.exponents.0 <= MAX_SPREAD_F32
    }

    /// Whether f32 holds the scales themselves.
    pub(super) fn is_narrow(&self) -> bool {
        self.exponents.0 >= -MAX_EXPONENT_F32 && self.exponents.1 <= MAX_EXPONENT_F32
    }
}

/// log₂ s_j, or `None` where S_jj = 0. In logarithms, since c_i G_jj itself may vanish or overflow.
fn exponent(group: &LayerGroup, j: usize) -> Option<i32> {
    let seen = group.shares.iter().zip(&group.grams).filter(|(_, gram)| gram.diagonal()[j] > 0.0);
    let log2 = |(share, gram): (&f64, &crate::gram::Gram)| {
        share.log2() + gram.scale().log2() + gram.diagonal()[j].log2()
    };
    let largest = seen.clone().map(log2).reduce(f64::max)?;
    let sum: f64 = seen.map(|term| (log2(term) - largest).exp2()).sum();
    Some((-0.5 * (largest + sum.log2())).round() as i32)
}

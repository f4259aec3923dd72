//! S = L Lᵀ within a tile.
//!
//! Right-looking, by blocks of 64. A block on the diagonal is factorised and
//! inverted in workgroup memory; the panel below it is a product with that inverse; the rest is
//! updated by a symmetric product. L⁻¹ then grows from the inverted blocks, which double in size:
//!
//! ```text
//! ⎡ L₁₁     ⎤⁻¹   ⎡ M₁₁              ⎤
//! ⎣ L₂₁ L₂₂ ⎦   = ⎣ −M₂₂ L₂₁ M₁₁ M₂₂ ⎦
//! ```
//!
//! so that every solve is two products.
//! Sources: MAGMA's `trsm` for the inverted blocks; Du Croz and Higham 1992 on the stability of
//! inverting a triangle by blocks.

use super::device::{Device, Variant};
use super::dispatch::{Dispatch, Product, Recorder};
use super::matrix::Tile;
use super::params::{Params, Part, Triangle};
use super::shaders::{BLOCK, Kernel};
use crate::Result;

/// Which pivots of the whole matrix a tile holds, and where failures are noted.
#[derive(Clone, Copy)]
pub(super) struct Pivots<'a> {
    pub(super) failure: &'a wgpu::Buffer,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// L⁻¹ of one tile; overwrites the tile with L, without its blocks on the diagonal.
pub(super) async fn factorise_tile(device: &Device, s: &Tile, pivots: Pivots<'_>) -> Result<Tile> {
    let n = s.rows;
    let inverse = Tile::new(device, n, n).await?;
    device.clear(&inverse.buffer);
    let mut recorder = Recorder::new(device);
    for start in (0..n).step_by(BLOCK) {
        recorder.add(factor_block(s, &inverse, start, pivots)).await?;
        let below = n - start - BLOCK;
        // L₂₁ ← S₂₁ L₁₁⁻ᵀ
        let panel = Part::at(n, start + BLOCK, start);
        let product = Product {
            a: panel,
            b: Part::at(n, start, start),
            c: panel,
            ..Product::whole([below, BLOCK, BLOCK], true)
        };
        let buffers = [&*inverse.buffer, &*s.buffer];
        recorder.multiply(Kernel::MultiplyWithin, &buffers, product).await?;
        // S₂₂ ← S₂₂ − L₂₁ L₂₁ᵀ
        let update = Product {
            alpha: -1.0,
            beta: 1.0,
            a: panel,
            b: panel,
            c: Part::at(n, start + BLOCK, start + BLOCK),
            lower: true,
            ..Product::whole([below, below, BLOCK], true)
        };
        recorder.multiply(Kernel::Update, &[&*s.buffer], update).await?;
    }
    recorder.submit().await?;
    invert(device, s, &inverse).await?;
    Ok(inverse)
}

fn factor_block<'a>(
    s: &'a Tile,
    inverse: &'a Tile,
    start: usize,
    pivots: Pivots<'a>,
) -> Dispatch<'a> {
    let [place, stride, _] = Part::at(s.cols, start, start).vecs();
    let params = Params {
        a_first: place,
        a_stride: stride,
        c_first: place,
        c_stride: stride,
        first: (pivots.start + start) as u32,
        n: pivots.end as u32,
        ..Params::default()
    };
    Dispatch {
        variant: Variant::plain(Kernel::FactorBlock),
        buffers: vec![&*s.buffer, &*inverse.buffer, pivots.failure],
        params: bytemuck::cast(params),
        groups: [1, 1, 1],
        flops: (BLOCK * BLOCK * BLOCK) as f64,
    }
}

/// Completes L⁻¹ from its blocks on the diagonal.
async fn invert(device: &Device, l: &Tile, inverse: &Tile) -> Result<()> {
    let n = l.rows;
    let between = Tile::new(device, (n / 2).max(BLOCK), (n / 2).max(BLOCK)).await?;
    let mut recorder = Recorder::new(device);
    let mut side = BLOCK;
    while side < n {
        let whole = n / (2 * side);
        let rest = (n - whole * 2 * side).saturating_sub(side);
        for pairs in [
            Pairs { first: 0, count: whole, side, lower_side: side },
            Pairs { first: whole, count: usize::from(rest > 0), side, lower_side: rest },
        ] {
            let (before, after) = pairs.products(n);
            let buffers = [&*l.buffer, &*inverse.buffer, &*between.buffer];
            recorder.multiply(Kernel::Multiply, &buffers, before).await?;
            let buffers = [&*between.buffer, &*inverse.buffer];
            recorder.multiply(Kernel::MultiplyWithin, &buffers, after).await?;
        }
        side *= 2;
    }
    recorder.submit().await
}

/// Neighbouring inverted blocks M₁₁ `[side, side]` and M₂₂ `[lower_side, lower_side]`.
#[derive(Clone, Copy)]
struct Pairs {
    first: usize,
    count: usize,
    side: usize,
    lower_side: usize,
}

impl Pairs {
    /// T ← L₂₁ M₁₁, and M₂₁ ← −M₂₂ T. `T: [lower_side, side]` for each pair.
    fn products(self, n: usize) -> (Product, Product) {
        let Self { first, count, side, lower_side } = self;
        let (top, left) = (first * 2 * side + side, first * 2 * side);
        let step = 2 * side * (n + 1);
        let between = Part::whole(side).every(side * side);
        let before = Product {
            a: Part::at(n, top, left).every(step),
            b: Part::at(n, left, left).every(step),
            c: between,
            triangle: Triangle::B,
            batch: count,
            ..Product::whole([lower_side, side, side], false)
        };
        let after = Product {
            alpha: -1.0,
            a: Part::at(n, top, top).every(step),
            b: between,
            c: Part::at(n, top, left).every(step),
            triangle: Triangle::A,
            batch: count,
            ..Product::whole([lower_side, side, lower_side], false)
        };
        (before, after)
    }
}

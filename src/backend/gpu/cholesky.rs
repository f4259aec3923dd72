//! S = L Lᵀ, and X S⁻¹.
//!
//! Within a tile: right-looking, by blocks of 64. A block on the diagonal is factorised and
//! inverted in workgroup memory; the panel below it is a product with that inverse; the rest is
//! updated by a symmetric product. L⁻¹ then grows from the inverted blocks, which double in size:
//!
//! ```text
//! ⎡ L₁₁     ⎤⁻¹   ⎡ M₁₁              ⎤
//! ⎣ L₂₁ L₂₂ ⎦   = ⎣ −M₂₂ L₂₁ M₁₁ M₂₂ ⎦
//! ```
//!
//! so that every solve is two products. Between tiles the same, one tile for a block.
//! Sources: MAGMA's `trsm` for the inverted blocks; Du Croz and Higham 1992 on the stability of
//! inverting a triangle by blocks.

use super::device::{Device, Variant};
use super::dispatch::{Dispatch, Product, Recorder};
use super::matrix::{Matrix, Tile, places, spans};
use super::params::{Params, Part, Triangle};
use super::shaders::{BLOCK, Kernel};
use crate::Result;
use crate::backend::NotPositive;

/// A Cholesky factor on the device.
#[derive(Debug)]
pub struct Factor {
    n: usize,
    /// L⁻¹ of the tiles on the diagonal.
    inverses: Vec<Tile>,
    /// L below the diagonal: `below[i][j]`, j < i.
    below: Vec<Vec<Tile>>,
}

impl Factor {
    fn tile(&self, i: usize, j: usize) -> Option<&Tile> {
        if i == j { self.inverses.get(i) } else { self.below[i].get(j) }
    }

    /// L below the diagonal tiles, and L⁻¹ in them. `[n, n]`
    pub(super) async fn export(&self, device: &Device) -> Result<Vec<f32>> {
        let n = self.n;
        let mut values = vec![0.0; n * n];
        for (i, band) in places(n, n, device.settings.max_side).enumerate() {
            for (j, place) in band.take(i + 1).enumerate() {
                if let Some(tile) = self.tile(i, j) {
                    tile.download(device, place, &mut values).await?;
                }
            }
        }
        Ok(values)
    }

    /// What [`Self::export`] gave. `values: [n, n]`
    pub(super) async fn import(device: &Device, n: usize, values: &[f32]) -> Result<Self> {
        let mut factor = Self { n, inverses: Vec::new(), below: Vec::new() };
        for (i, band) in places(n, n, device.settings.max_side).enumerate() {
            let mut below = Vec::new();
            for place in band.take(i + 1) {
                below.push(Tile::upload(device, place, values).await?);
            }
            factor.inverses.extend(below.pop());
            factor.below.push(below);
        }
        Ok(factor)
    }
}

/// Factorises S, of which only the lower triangle is read. `s: [n, n]`
pub(super) async fn factorise(
    device: &Device,
    s: Matrix,
) -> Result<std::result::Result<Factor, NotPositive>> {
    let failure = device.take(16).await?;
    device.clear(&failure);
    let spans = spans(s.rows, device.settings.max_side);
    let mut inverses = Vec::new();
    let mut tiles = s.tiles; // below the diagonal: S, then L
    for (k, (start, len)) in spans.enumerate() {
        let diagonal = tiles[k].swap_remove(k);
        let pivots = Pivots { failure: &failure, start, end: start + len };
        let inverse = factorise_tile(device, &diagonal, pivots).await?;
        eliminate(device, &inverse, &mut tiles, k).await?;
        inverses.push(inverse);
        // Above the diagonal there is nothing of interest.
        tiles[k].truncate(k);
    }
    let [failed, index, bits, _]: [u32; 4] = first(device.read(&failure).await?);
    if failed != 0 {
        let pivot = f64::from(f32::from_bits(bits));
        return Ok(Err(NotPositive { index: index as usize, pivot }));
    }
    Ok(Ok(Factor { n: s.rows, inverses, below: tiles }))
}

fn first(words: Vec<u32>) -> [u32; 4] {
    std::array::from_fn(|index| words.get(index).copied().unwrap_or(u32::MAX))
}

/// Column k of tiles becomes L, and the tiles right of it are updated.
async fn eliminate(
    device: &Device,
    inverse: &Tile,
    tiles: &mut [Vec<Tile>],
    k: usize,
) -> Result<()> {
    for band in &mut tiles[k + 1..] {
        // L_ik ← S_ik L_kk⁻ᵀ
        divide(device, inverse, &mut band[k], true).await?;
    }
    let mut recorder = Recorder::new(device);
    for i in k + 1..tiles.len() {
        for j in k + 1..=i {
            // S_ij ← S_ij − L_ik L_jkᵀ
            let (a, b, c) = (&tiles[i][k], &tiles[j][k], &tiles[i][j]);
            let mut product = Product::whole([a.rows, b.rows, a.cols], true);
            (product.alpha, product.beta, product.lower) = (-1.0, 1.0, i == j);
            let buffers = [&*a.buffer, &*b.buffer, &*c.buffer];
            recorder.multiply(Kernel::Multiply, &buffers, product).await?;
        }
    }
    recorder.submit().await
}

/// Which pivots of the whole matrix a tile holds, and where failures are noted.
#[derive(Clone, Copy)]
struct Pivots<'a> {
    failure: &'a wgpu::Buffer,
    start: usize,
    end: usize,
}

/// L⁻¹ of one tile; overwrites the tile with L, without its blocks on the diagonal.
async fn factorise_tile(device: &Device, s: &Tile, pivots: Pivots<'_>) -> Result<Tile> {
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

/// X ← X L⁻ᵀ L⁻¹. `x: [m, n]`
pub(super) async fn solve(device: &Device, factor: &Factor, x: &mut Matrix) -> Result<()> {
    let n_tiles = factor.inverses.len();
    for band in &mut x.tiles {
        for j in 0..n_tiles {
            divide(device, &factor.inverses[j], &mut band[j], true).await?;
            let below = (j + 1..n_tiles).map(|i| (i, &factor.below[i][j], true));
            subtract(device, band, j, below).await?;
        }
        for j in (0..n_tiles).rev() {
            divide(device, &factor.inverses[j], &mut band[j], false).await?;
            let left = (0..j).map(|i| (i, &factor.below[j][i], false));
            subtract(device, band, j, left).await?;
        }
    }
    Ok(())
}

/// X_j ← X_j M or X_j Mᵀ, with M = L_jj⁻¹.
async fn divide(device: &Device, inverse: &Tile, x: &mut Tile, transpose: bool) -> Result<()> {
    let out = Tile::new(device, x.rows, x.cols).await?;
    let mut product = Product::whole([x.rows, x.cols, x.cols], transpose);
    product.triangle = if transpose { Triangle::TransposedB } else { Triangle::B };
    let mut recorder = Recorder::new(device);
    let buffers = [&*x.buffer, &*inverse.buffer, &*out.buffer];
    recorder.multiply(Kernel::Multiply, &buffers, product).await?;
    recorder.submit().await?;
    *x = out;
    Ok(())
}

/// X_i ← X_i − X_j L or X_i − X_j Lᵀ, for the tiles L that belong to the i's.
async fn subtract<'a>(
    device: &'a Device,
    band: &'a [Tile],
    j: usize,
    tiles: impl Iterator<Item = (usize, &'a Tile, bool)>,
) -> Result<()> {
    let mut recorder = Recorder::new(device);
    for (i, l, transpose) in tiles {
        let mut product = Product::whole([band[j].rows, band[i].cols, band[j].cols], transpose);
        (product.alpha, product.beta) = (-1.0, 1.0);
        let buffers = [&*band[j].buffer, &*l.buffer, &*band[i].buffer];
        recorder.multiply(Kernel::Multiply, &buffers, product).await?;
    }
    recorder.submit().await
}

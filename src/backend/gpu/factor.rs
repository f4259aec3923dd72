//! Factors of matrices in several tiles, and X S⁻¹: what `cholesky` does with blocks, with tiles.

use super::cholesky::{Pivots, factorise_tile};
use super::device::Device;
use super::dispatch::{Product, Recorder};
use super::matrix::{Matrix, Tile, places, spans};
use super::params::Triangle;
use super::shaders::Kernel;
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

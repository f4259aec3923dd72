//! G ← G + Xᵀ X: what Gram matrices are made of. Tiles of X are transposed, and multiplied as the
//! panels of a Cholesky factor are: only what lies on and below the diagonal is computed.

use super::device::{Device, Variant};
use super::dispatch::{Dispatch, Product, Recorder};
use super::matrix::{Matrix, Tile};
use super::params::{Params, Part};
use super::shaders::{BLOCK, Kernel};
use crate::Result;

/// The lower triangle of G ← G + Xᵀ X. `g: [n, n]`, `x: [m, n]`
pub(super) async fn add_gram(device: &Device, g: &Matrix, x: &Matrix) -> Result<()> {
    for band in &x.tiles {
        let mut transposed = Vec::new();
        for tile in band {
            transposed.push(transpose(device, tile).await?);
        }
        let mut recorder = Recorder::new(device);
        for (i, a) in transposed.iter().enumerate() {
            for (j, b) in transposed[..=i].iter().enumerate() {
                let c = &g.tiles[i][j];
                let mut product = Product::whole([a.rows, b.rows, a.cols], true);
                (product.beta, product.lower) = (1.0, i == j);
                let buffers = [&*a.buffer, &*b.buffer, &*c.buffer];
                recorder.multiply(Kernel::Multiply, &buffers, product).await?;
            }
        }
        recorder.submit().await?;
    }
    Ok(())
}

/// Xᵀ of one tile.
async fn transpose(device: &Device, x: &Tile) -> Result<Tile> {
    let out = Tile::new(device, x.cols, x.rows).await?;
    let [_, a_stride, _] = Part::whole(x.cols).vecs();
    let [_, c_stride, _] = Part::whole(x.rows).vecs();
    let mut recorder = Recorder::new(device);
    recorder
        .add(Dispatch {
            variant: Variant::plain(Kernel::Transpose),
            buffers: vec![&*x.buffer, &*out.buffer],
            params: bytemuck::cast(Params { a_stride, c_stride, ..Params::default() }),
            groups: [x.cols, x.rows, BLOCK].map(|side| (side / BLOCK) as u32),
            flops: (x.rows * x.cols) as f64,
        })
        .await?;
    recorder.submit().await?;
    Ok(out)
}

//! Which register tile is fastest on this device.

use super::device::{Device, Variant};
use super::dispatch::{Product, Recorder};
use super::platform::now_millis;
use super::shaders::{Kernel, Tile};
use crate::Result;

/// What the slowest device is taken for until it is known better.
pub(super) const LEAST_FLOPS_PER_MILLI: f64 = 1e6;

/// Side of the product that is timed: grows until the fastest takes long enough to be told apart.
const SIDES: [usize; 4] = [256, 512, 1024, 2048];
const LONG_ENOUGH_MILLIS: f64 = 4.0;

/// The fastest tile, and its speed in flops per millisecond.
pub(super) async fn fastest(device: &Device) -> Result<(Tile, f64)> {
    let fixed = device.settings.tile.map(|tile| vec![tile]);
    let tiles = fixed.unwrap_or_else(|| Tile::ALL.to_vec());
    let variants: Vec<Variant> = tiles.iter().copied().map(Variant::product).collect();
    device.compile(&variants).await?;
    let mut best = (tiles[0], LEAST_FLOPS_PER_MILLI);
    for side in SIDES {
        let mut shortest = f64::INFINITY;
        for tile in &tiles {
            let millis = measure(device, *tile, side).await?;
            if millis < shortest {
                shortest = millis;
                best = (*tile, 2.0 * (side as f64).powi(3) / millis);
            }
        }
        if shortest > LONG_ENOUGH_MILLIS {
            break;
        }
    }
    Ok(best)
}

/// The second of two runs: before the first a driver may put off its work.
async fn measure(device: &Device, tile: Tile, side: usize) -> Result<f64> {
    let bytes = side * side * 4;
    let (a, c) = (device.take(bytes).await?, device.take(bytes).await?);
    device.clear(&a);
    let mut millis = f64::INFINITY;
    for _ in 0..2 {
        device.finish().await?;
        let start = now_millis();
        let mut recorder = Recorder::new(device);
        let product = Product::whole([side, side, side], false);
        recorder.multiply_with(tile, Kernel::Multiply, &[&a, &a, &c], product).await?;
        recorder.submit().await?;
        device.finish().await?;
        millis = now_millis() - start;
    }
    // A clock may be coarse.
    Ok(millis.max(0.01))
}

//! Matrices put together on the device, of what files store.
//!
//! Rows are uploaded as they lie in the file, some at a time, and each lot is written into its
//! place in the tiles by one dispatch per tile.

use std::ops::Range;

use super::device::{Device, Variant};
use super::dispatch::{Dispatch, Recorder};
use super::matrix::{Matrix, Tile, spans};
use super::params::Assembly;
use super::pool::Pooled;
use super::shaders::Kernel;
use crate::Result;
use crate::backend::stored::{Rows, ScaledDifference, ScaledSum};
use crate::tensor::dtype::Dtype;
use crate::tensor::extremes::larger;

/// Rows and columns of a workgroup of the kernels.
const GROUP: [usize; 2] = [64, 4];

/// Rows of a matrix that lie in one band of tiles and are uploaded at once.
struct Lot {
    /// Of the band.
    band: usize,
    /// In the band.
    first: usize,
    /// In the matrix.
    rows: Range<usize>,
    /// One past the last row of the tile to write: the last lot writes the padding too.
    end: usize,
}

/// Cuts these rows of a matrix into lots.
fn lots(device: &Device, matrix: &Matrix, rows: Range<usize>) -> Vec<Lot> {
    let most = (device.settings.lot_bytes / (4 * matrix.cols.max(1))).max(1);
    let mut lots = Vec::new();
    for (band, (top, height)) in spans(matrix.rows, device.settings.max_side).enumerate() {
        let inside = rows.start.max(top)..rows.end.min(top + height);
        for start in inside.clone().step_by(most) {
            let rows = start..inside.end.min(start + most);
            let end = match rows.end == matrix.rows {
                true => matrix.tiles[band].first().map_or(0, |tile| tile.rows),
                false => rows.end - top,
            };
            lots.push(Lot { band, first: start - top, rows, end });
        }
    }
    lots
}

/// As [`ScaledSum`] says. `[rows, n]`
pub(super) async fn scaled_sum(device: &Device, sum: &ScaledSum<'_>) -> Result<Matrix> {
    let n = sum.scale.len();
    let matrix = Matrix::new(device, sum.rows.len(), n).await?;
    let scale = vector(device, sum.scale.iter().copied()).await?;
    let diagonal = vector(device, sum.diagonal.iter().copied()).await?;
    for (index, (factor, stored)) in sum.terms.iter().enumerate() {
        for lot in lots(device, &matrix, 0..matrix.rows) {
            let first = sum.rows.start + lot.rows.start;
            let rows = stored.rows(first..first + lot.rows.len());
            let bytes = upload(device, &rows).await?;
            let common = Assembly {
                dtype: code(rows.dtype),
                row_in_whole: first as u32,
                factor: *factor as f32,
                adds: u32::from(index > 0),
                ..Assembly::default()
            };
            let buffers = [&*bytes, &*scale, &*diagonal];
            run(device, Kernel::ScaledSum, &buffers, &matrix, &lot, common).await?;
        }
    }
    Ok(matrix)
}

/// As [`ScaledDifference`] says. `[rows of all pieces, n]`
pub(super) async fn scaled_difference(
    device: &Device,
    difference: &ScaledDifference<'_>,
) -> Result<Matrix> {
    let n = difference.scale.len();
    let n_rows = difference.pieces.iter().map(|(_, _, rows)| rows.len()).sum();
    let matrix = Matrix::new(device, n_rows, n).await?;
    let inverse_scale = vector(device, difference.scale.iter().map(|s| 1.0 / s)).await?;
    let mut start = 0;
    for (own, anchor, rows) in &difference.pieces {
        for lot in lots(device, &matrix, start..start + rows.len()) {
            let first = rows.start + lot.rows.start - start;
            let own = own.rows(first..first + lot.rows.len());
            let anchor = anchor.rows(first..first + lot.rows.len());
            let bytes = [upload(device, &own).await?, upload(device, &anchor).await?];
            let common = Assembly {
                dtype: code(own.dtype),
                anchor_dtype: code(anchor.dtype),
                ..Assembly::default()
            };
            let buffers = [&*bytes[0], &*bytes[1], &*inverse_scale];
            run(device, Kernel::ScaledDifference, &buffers, &matrix, &lot, common).await?;
        }
        start += rows.len();
    }
    Ok(matrix)
}

/// The ∞-norm and the Frobenius norm.
pub(super) async fn norms(device: &Device, matrix: &Matrix) -> Result<[f64; 2]> {
    let sums = device.take((matrix.rows * 8).max(8).next_power_of_two()).await?;
    let mut recorder = Recorder::new(device);
    for ((top, height), band) in spans(matrix.rows, device.settings.max_side).zip(&matrix.tiles) {
        for (index, tile) in band.iter().enumerate() {
            let params = Assembly {
                rows: height as u32,
                out_stride: tile.cols as u32,
                row_in_whole: top as u32,
                adds: u32::from(index > 0),
                ..Assembly::default()
            };
            recorder
                .add(Dispatch {
                    variant: Variant::plain(Kernel::RowNorms),
                    buffers: vec![&*tile.buffer, &*sums],
                    params: bytemuck::cast(params),
                    groups: [height as u32, 1, 1],
                    flops: (3 * height * tile.cols) as f64,
                })
                .await?;
        }
    }
    recorder.submit().await?;
    let sums: Vec<[f32; 2]> = device.read(&sums).await?;
    let rows = sums[..matrix.rows].iter().map(|sum| sum.map(f64::from));
    let [largest, squares] =
        rows.fold([0.0, 0.0], |[a, b]: [f64; 2], [c, d]| [larger(a, c), b + d]);
    Ok([largest, squares.sqrt()])
}

/// Writes one lot into the tiles of its band.
async fn run(
    device: &Device,
    kernel: Kernel,
    buffers: &[&wgpu::Buffer],
    matrix: &Matrix,
    lot: &Lot,
    common: Assembly,
) -> Result<()> {
    let mut recorder = Recorder::new(device);
    let cols = spans(matrix.cols, device.settings.max_side);
    for ((left, width), tile) in cols.zip(&matrix.tiles[lot.band]) {
        let params = Assembly {
            rows: lot.rows.len() as u32,
            row_end: lot.end as u32,
            cols: width as u32,
            stride: matrix.cols as u32,
            row_first: lot.first as u32,
            col_first: left as u32,
            out_stride: tile.cols as u32,
            ..common
        };
        recorder.add(dispatch(kernel, buffers, tile, params)).await?;
    }
    recorder.submit().await
}

fn dispatch<'a>(
    kernel: Kernel,
    buffers: &[&'a wgpu::Buffer],
    tile: &'a Tile,
    params: Assembly,
) -> Dispatch<'a> {
    let height = (params.row_end - params.row_first) as usize;
    let mut buffers = buffers.to_vec();
    buffers.push(&tile.buffer);
    Dispatch {
        variant: Variant::plain(kernel),
        buffers,
        params: bytemuck::cast(params),
        groups: [tile.cols.div_ceil(GROUP[0]) as u32, height.div_ceil(GROUP[1]) as u32, 1],
        flops: (4 * height * tile.cols) as f64,
    }
}

/// A vector in f32.
async fn vector(device: &Device, values: impl Iterator<Item = f64>) -> Result<Pooled> {
    let values: Vec<f32> = values.map(|value| value as f32).collect();
    let buffer = device.take((values.len() * 4).max(4).next_power_of_two()).await?;
    device.write(&buffer, &values);
    Ok(buffer)
}

async fn upload(device: &Device, rows: &Rows<'_>) -> Result<Pooled> {
    let buffer = device.take(rows.bytes.len().max(4).next_power_of_two()).await?;
    device.write_bytes(&buffer, &rows.bytes);
    Ok(buffer)
}

/// As the shaders number them.
fn code(dtype: Dtype) -> u32 {
    match dtype {
        Dtype::F16 => 1,
        Dtype::BF16 => 2,
        _ => 0,
    }
}

//! Matrices on the device: tiles of bounded size, one buffer each.
//!
//! A tile's sides are padded to multiples of 64 with zeros, so that no kernel asks where a matrix
//! ends; every operation keeps the padding zero.

use super::device::Device;
use super::pool::Pooled;
use super::shaders::BLOCK;
use crate::Result;

/// A part of a matrix in a buffer of its own. `[rows, cols]`, padded.
#[derive(Debug)]
pub(super) struct Tile {
    pub(super) buffer: Pooled,
    pub(super) rows: usize,
    pub(super) cols: usize,
}

/// A matrix on the device.
#[derive(Debug)]
pub struct Matrix {
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// `[tile rows][tile columns]`
    pub(super) tiles: Vec<Vec<Tile>>,
}

/// Where the tiles along one side begin, and how long they are.
pub(super) fn spans(len: usize, side: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
    (0..len).step_by(side).map(move |start| (start, side.min(len - start)))
}

/// The next multiple of 64.
pub(super) fn padded(len: usize) -> usize {
    len.next_multiple_of(BLOCK)
}

/// Where a tile's elements lie in a gapless row-major matrix in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) top: usize,
    pub(super) left: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Columns of the matrix.
    pub(super) stride: usize,
}

impl Place {
    fn line(self, row: usize) -> std::ops::Range<usize> {
        let start = (self.top + row) * self.stride + self.left;
        start..start + self.width
    }
}

impl Tile {
    /// With undefined contents. `rows` and `cols` without padding.
    pub(super) async fn new(device: &Device, rows: usize, cols: usize) -> Result<Self> {
        let (rows, cols) = (padded(rows), padded(cols));
        Ok(Self { buffer: device.take(rows * cols * 4).await?, rows, cols })
    }

    /// The part of `values` at that place.
    pub(super) async fn upload(device: &Device, place: Place, values: &[f32]) -> Result<Self> {
        let tile = Self::new(device, place.height, place.width).await?;
        if tile.cols == place.stride && tile.rows * tile.cols == values.len() {
            device.write(&tile.buffer, values);
            return Ok(tile);
        }
        let mut own = vec![0.0; tile.rows * tile.cols];
        for (row, line) in own.chunks_mut(tile.cols).take(place.height).enumerate() {
            line[..place.width].copy_from_slice(&values[place.line(row)]);
        }
        device.write(&tile.buffer, &own);
        Ok(tile)
    }

    /// Fills the part of `values` at that place.
    pub(super) async fn download(
        &self,
        device: &Device,
        place: Place,
        values: &mut [f32],
    ) -> Result<()> {
        let own: Vec<f32> = device.read(&self.buffer).await?;
        for (row, line) in own.chunks(self.cols).take(place.height).enumerate() {
            values[place.line(row)].copy_from_slice(&line[..place.width]);
        }
        Ok(())
    }
}

/// The places of all tiles of a matrix. `[tile rows][tile columns]`
pub(super) fn places(
    rows: usize,
    cols: usize,
    side: usize,
) -> impl Iterator<Item = impl Iterator<Item = Place>> {
    spans(rows, side).map(move |(top, height)| {
        let place = move |(left, width)| Place { top, left, height, width, stride: cols };
        spans(cols, side).map(place)
    })
}

impl Matrix {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Of the tiles that are made for each place.
    async fn of(
        device: &Device,
        rows: usize,
        cols: usize,
        tile: impl AsyncFn(Place) -> Result<Tile>,
    ) -> Result<Self> {
        let mut tiles = Vec::new();
        for band in places(rows, cols, device.settings.max_side) {
            let mut own = Vec::new();
            for place in band {
                own.push(tile(place).await?);
            }
            tiles.push(own);
        }
        Ok(Self { rows, cols, tiles })
    }

    /// With undefined contents, the padding included.
    pub(super) async fn new(device: &Device, rows: usize, cols: usize) -> Result<Self> {
        Self::of(device, rows, cols, async |place| {
            Tile::new(device, place.height, place.width).await
        })
        .await
    }

    /// Of zeros.
    pub(super) async fn zeros(device: &Device, rows: usize, cols: usize) -> Result<Self> {
        let matrix = Self::new(device, rows, cols).await?;
        matrix.tiles.iter().flatten().for_each(|tile| device.clear(&tile.buffer));
        Ok(matrix)
    }

    /// `values: [rows, cols]`
    pub(super) async fn upload(
        device: &Device,
        rows: usize,
        cols: usize,
        values: &[f32],
    ) -> Result<Self> {
        Self::of(device, rows, cols, async |place| Tile::upload(device, place, values).await).await
    }

    /// Row by row, without the padding.
    pub(super) async fn download(&self, device: &Device) -> Result<Vec<f32>> {
        let mut values = vec![0.0; self.rows * self.cols];
        let places = places(self.rows, self.cols, device.settings.max_side);
        for (band, tiles) in places.zip(&self.tiles) {
            for (place, tile) in band.zip(tiles) {
                tile.download(device, place, &mut values).await?;
            }
        }
        Ok(values)
    }
}

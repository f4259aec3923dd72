//! Half of a symmetric matrix, in strips of rows.
//!
//! Strip b holds rows 64 b to 64 (b + 1) and as many columns as end with its last row: the lower
//! triangle, with the tiles on the diagonal whole. What a row holds beyond that is a column of later
//! strips. Elements are bytes of any width: this knows no numbers.

use std::ops::Range;

use crate::Result;
use crate::io::allocate;

/// Rows of one strip.
pub const STRIP: usize = 64;

/// Columns that are turned at once: a cache line of f32.
const LINE: usize = 16;

/// How many elements of an `[n, n]` matrix are held. In u64: a tab's own numbers end at 4 GiB.
pub(crate) fn held_elements(n: u64) -> u64 {
    let (strip, rest) = (n / STRIP as u64, n % STRIP as u64);
    let whole = strip.saturating_mul(strip + 1).saturating_mul((STRIP * STRIP / 2) as u64);
    whole.saturating_add(rest.saturating_mul(n))
}

/// The strips, one behind the other.
#[derive(Debug, Clone)]
pub(super) struct Strips {
    n: usize,
    element_bytes: usize,
    bytes: Vec<u8>,
}

impl Strips {
    /// Zeros.
    ///
    /// # Errors
    /// `Memory` if it cannot be had.
    pub(super) fn new(n: usize, element_bytes: usize) -> Result<Self> {
        let bytes = allocate(held_elements(n as u64).saturating_mul(element_bytes as u64))?;
        Ok(Self { n, element_bytes, bytes })
    }

    /// The same in elements of another width, which `convert` makes, several at a time.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn converted(
        &self,
        element_bytes: usize,
        convert: impl Fn(&[u8], &mut [u8]),
    ) -> Result<Self> {
        let mut other = Self::new(self.n, element_bytes)?;
        let from = self.bytes.chunks(STRIP * STRIP * self.element_bytes);
        let to = other.bytes.chunks_mut(STRIP * STRIP * element_bytes);
        from.zip(to).for_each(|(from, to)| convert(from, to));
        Ok(other)
    }

    /// Columns that row `row`'s strip holds.
    pub(super) fn width(&self, row: usize) -> usize {
        self.n.min((row / STRIP + 1) * STRIP)
    }

    /// Index of the row's first element.
    fn start(&self, row: usize) -> usize {
        let strip = row / STRIP;
        STRIP * STRIP * strip * (strip + 1) / 2 + row % STRIP * self.width(row)
    }

    fn place(&self, row: usize, cols: Range<usize>) -> Range<usize> {
        let start = self.start(row);
        (start + cols.start) * self.element_bytes..(start + cols.end) * self.element_bytes
    }

    /// Columns `cols` of row `row`, below [`Self::width`].
    pub(super) fn run(&self, row: usize, cols: Range<usize>) -> &[u8] {
        &self.bytes[self.place(row, cols)]
    }

    /// Takes whole rows of one strip, `block: [rows, n]`: their own part, and the rest turned, for
    /// the strips below.
    pub(super) fn put(&mut self, rows: Range<usize>, block: &[u8]) {
        let (width, row_bytes) = (self.width(rows.start), self.n * self.element_bytes);
        for (row, line) in rows.clone().zip(block.chunks(row_bytes.max(1))) {
            let place = self.place(row, 0..width);
            let own = &line[..place.len()];
            self.bytes[place].copy_from_slice(own);
        }
        for cols in strips_behind(width, self.n) {
            let from = cols.start * self.element_bytes;
            let place = self.place(cols.start, rows.clone()).start;
            let width = self.width(cols.start);
            let (source, target) = (&block[from..], &mut self.bytes[place..]);
            let shape = [rows.len(), cols.len()];
            scatter(self.element_bytes, shape, (source, self.n), (target, width));
        }
    }

    /// Hands out whole rows of one strip, piece by piece: `take(row, first_col, elements)`. What lies
    /// right of the strip is turned a tile at a time, which stays in the first cache.
    pub(super) fn pieces(&self, rows: Range<usize>, take: &mut dyn FnMut(usize, usize, &[u8])) {
        let width = self.width(rows.start);
        for row in rows.clone() {
            take(row, 0, self.run(row, 0..width));
        }
        let mut tile = vec![0; rows.len() * STRIP * self.element_bytes];
        for cols in strips_behind(width, self.n) {
            let source = &self.bytes[self.place(cols.start, rows.clone()).start..];
            let stride = self.width(cols.start);
            gather(self.element_bytes, [rows.len(), cols.len()], (source, stride), &mut tile);
            let line_bytes = cols.len() * self.element_bytes;
            for (row, line) in rows.clone().zip(tile.chunks(line_bytes)) {
                take(row, cols.start, line);
            }
        }
    }
}

/// Columns from `width` on, strip by strip.
fn strips_behind(width: usize, n: usize) -> impl Iterator<Item = Range<usize>> {
    (width..n).step_by(STRIP).map(move |start| start..n.min(start + STRIP))
}

/// strips ← blockᵀ, each with the length of its rows. `shape` is the block's.
fn scatter(
    element_bytes: usize,
    shape: [usize; 2],
    block: (&[u8], usize),
    strips: (&mut [u8], usize),
) {
    match element_bytes {
        2 => scatter_elements::<2>(shape, block, strips),
        4 => scatter_elements::<4>(shape, block, strips),
        8 => scatter_elements::<8>(shape, block, strips),
        other => unreachable!("no float has {other} bytes"),
    }
}

/// tile ← stripsᵀ. `shape` is the tile's.
fn gather(element_bytes: usize, shape: [usize; 2], strips: (&[u8], usize), tile: &mut [u8]) {
    match element_bytes {
        2 => gather_elements::<2>(shape, strips, tile),
        4 => gather_elements::<4>(shape, strips, tile),
        8 => gather_elements::<8>(shape, strips, tile),
        other => unreachable!("no float has {other} bytes"),
    }
}

// Along the block's rows: its stride is often a multiple of 4096 bytes, of which a cache holds few
// at a time.
fn scatter_elements<const N: usize>(
    [rows, cols]: [usize; 2],
    (block, block_stride): (&[u8], usize),
    (strips, strips_stride): (&mut [u8], usize),
) {
    let block = block.as_chunks::<N>().0;
    let strips = strips.as_chunks_mut::<N>().0;
    for first in (0..cols).step_by(LINE) {
        for row in 0..rows {
            let line = &block[row * block_stride..][first..cols.min(first + LINE)];
            for (target, element) in
                strips[first * strips_stride + row..].iter_mut().step_by(strips_stride).zip(line)
            {
                *target = *element;
            }
        }
    }
}

fn gather_elements<const N: usize>(
    [rows, cols]: [usize; 2],
    (strips, strips_stride): (&[u8], usize),
    tile: &mut [u8],
) {
    let lines = strips.as_chunks::<N>().0.chunks(strips_stride);
    let tile = tile.as_chunks_mut::<N>().0;
    for (col, line) in lines.take(cols).enumerate() {
        for (target, element) in tile[col..].iter_mut().step_by(cols).zip(&line[..rows]) {
            *target = *element;
        }
    }
}

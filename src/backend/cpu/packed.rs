//! Blocked GEMM: panels of A and B are copied into the order in which a register tile reads them.
//!
//! Blocks are sized for the caches: a panel of B (`KC × NR`) lives in L1, the block of A
//! (`MC × KC`) in L2. Edges are padded with zeros, so the tile knows no edges.
//! Source: Goto and van de Geijn, *Anatomy of High-Performance Matrix Multiplication* (2008).

use std::cell::RefCell;

use super::kernel::{Kernel, Strided, StridedMut};
use super::tile::Tile;
use crate::dtype::Real;

const KC: usize = 256;
const MC: usize = 128;
const NC: usize = 1024;

/// GEMM over one register tile.
#[derive(Debug, Clone, Copy, Default)]
pub struct Packed<R> {
    tile: R,
}

impl<R: Tile> Kernel for Packed<R> {
    type Scalar = R::Scalar;
    const NAME: &'static str = R::NAME;

    fn multiply(
        &self,
        alpha: R::Scalar,
        a: Strided<'_, R::Scalar>,
        b: Strided<'_, R::Scalar>,
        mut c: StridedMut<'_, R::Scalar>,
    ) {
        assert!(a.rows == c.rows && b.cols == c.cols && a.cols == b.rows, "shapes disagree");
        R::with_buffers(|buffers| {
            for col in (0..c.cols).step_by(NC) {
                let cols = NC.min(c.cols - col);
                for depth in (0..a.cols).step_by(KC) {
                    let depths = KC.min(a.cols - depth);
                    pack_b::<R>(b.part(depth, col, depths, cols), &mut buffers.b);
                    for row in (0..c.rows).step_by(MC) {
                        let rows = MC.min(c.rows - row);
                        pack_a::<R>(alpha, a.part(row, depth, rows, depths), &mut buffers.a);
                        self.block(depths, buffers, c.part(row, col, rows, cols));
                    }
                }
            }
        });
    }
}

impl<R: Tile> Packed<R> {
    /// C ← C + A B for one packed block of each.
    fn block(&self, depth: usize, buffers: &Buffers<R::Scalar>, mut c: StridedMut<'_, R::Scalar>) {
        for (col, b) in (0..c.cols).step_by(R::NR).zip(buffers.b.chunks(depth * R::NR)) {
            for (row, a) in (0..c.rows).step_by(R::MR).zip(buffers.a.chunks(depth * R::MR)) {
                let (rows, cols) = (R::MR.min(c.rows - row), R::NR.min(c.cols - col));
                self.tile.add(depth, a, b, c.part(row, col, rows, cols));
            }
        }
    }
}

/// Packed blocks, kept from call to call.
#[derive(Debug, Default)]
pub struct Buffers<T> {
    a: Vec<T>, // [rows / MR, depth, MR]
    b: Vec<T>, // [cols / NR, depth, NR]
}

/// Where a scalar type keeps its buffers: one pair per thread.
pub(super) type Kept<T> = RefCell<Buffers<T>>;

fn pack_a<R: Tile>(alpha: R::Scalar, a: Strided<'_, R::Scalar>, packed: &mut Vec<R::Scalar>) {
    pack(a, R::MR, packed);
    if alpha != R::Scalar::ONE {
        packed.iter_mut().for_each(|value| *value *= alpha);
    }
}

fn pack_b<R: Tile>(b: Strided<'_, R::Scalar>, packed: &mut Vec<R::Scalar>) {
    pack(b.transposed(), R::NR, packed);
}

/// Strips of `width` rows, column by column: `matrix: [rows, depth]` to
/// `packed: [rows / width, depth, width]`, zeros behind the last row.
fn pack<T: Real>(matrix: Strided<'_, T>, width: usize, packed: &mut Vec<T>) {
    let n_strips = matrix.rows.div_ceil(width);
    packed.clear();
    packed.resize(n_strips * width * matrix.cols, T::default());
    for (index, strip) in packed.chunks_mut((width * matrix.cols).max(1)).enumerate() {
        let row = index * width;
        let rows = width.min(matrix.rows - row);
        pack_strip(matrix.part(row, 0, rows, matrix.cols), width, strip);
    }
}

/// One strip: `matrix: [≤ width, depth]` to `strip: [depth, width]`.
fn pack_strip<T: Real>(matrix: Strided<'_, T>, width: usize, strip: &mut [T]) {
    match width {
        4 if matrix.rows == 4 => pack_full::<T, 4>(matrix, strip),
        8 if matrix.rows == 8 => pack_full::<T, 8>(matrix, strip),
        _ => pack_edge(matrix, width, strip),
    }
}

/// A full strip: its width is known when it is compiled, so that a group is one or two vectors.
fn pack_full<T: Real, const WIDTH: usize>(matrix: Strided<'_, T>, strip: &mut [T]) {
    let (groups, _) = strip.as_chunks_mut::<WIDTH>();
    if matrix.row_stride == 1 {
        for (depth, group) in groups.iter_mut().enumerate() {
            group.copy_from_slice(matrix.column(depth));
        }
    } else if matrix.col_stride == 1 {
        let rows: [&[T]; WIDTH] = std::array::from_fn(|i| &matrix.row(i)[..groups.len()]);
        for (depth, group) in groups.iter_mut().enumerate() {
            *group = rows.map(|row| row[depth]);
        }
    } else {
        pack_edge(matrix, WIDTH, strip);
    }
}

fn pack_edge<T: Real>(matrix: Strided<'_, T>, width: usize, strip: &mut [T]) {
    for (depth, group) in strip.chunks_mut(width).enumerate() {
        for (i, value) in group[..matrix.rows].iter_mut().enumerate() {
            *value = matrix.at(i, depth);
        }
    }
}

//! Blocked GEMM: panels of A and B are copied into the order in which a register tile reads them.
//!
//! Blocks are sized for the caches: a strip of A (`MR × KC`) lives in L1, the block of B (`KC × NC`)
//! in L2. Tiles follow each other along rows of C, which are contiguous: whole cache lines, one page
//! after the other. Edges are padded with zeros, so the tile knows no edges.
//! Source: Goto and van de Geijn, *Anatomy of High-Performance Matrix Multiplication* (2008), with A
//! and B in each other's place.

use std::cell::RefCell;

use super::kernel::{Kernel, Strided, StridedMut};
use super::tile::Tile;
use crate::tensor::dtype::Real;

const KC: usize = 256;
const MC: usize = 1024;
const NC: usize = 256;
/// Strips that are copied at once.
const AT_ONCE: usize = 8;
/// Rows that are turned at once: every tile's width is a multiple.
const TURNED: usize = 4;

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
        let (m, n, k) = (c.rows(), c.cols(), a.cols());
        assert!(a.rows() == m && b.cols() == n && b.rows() == k, "shapes disagree");
        R::with_buffers(|buffers| {
            for depth in (0..k).step_by(KC) {
                let depths = KC.min(k - depth);
                for row in (0..m).step_by(MC) {
                    let rows = MC.min(m - row);
                    pack_a::<R>(alpha, a.part(row, depth, rows, depths), &mut buffers.a);
                    for col in (0..n).step_by(NC) {
                        let cols = NC.min(n - col);
                        pack_b::<R>(b.part(depth, col, depths, cols), &mut buffers.b);
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
        let (m, n) = (c.rows(), c.cols());
        for (row, a) in (0..m).step_by(R::MR).zip(buffers.a.chunks(depth * R::MR)) {
            for (col, b) in (0..n).step_by(R::NR).zip(buffers.b.chunks(depth * R::NR)) {
                let (rows, cols) = (R::MR.min(m - row), R::NR.min(n - col));
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
/// `packed: [rows / width, depth, width]`, zeros behind the last row. Inlined, so that only widths
/// that tiles have are compiled.
#[inline(always)]
fn pack<T: Real>(matrix: Strided<'_, T>, width: usize, packed: &mut Vec<T>) {
    let n_strips = matrix.rows().div_ceil(width);
    packed.resize(n_strips * width * matrix.cols(), T::default());
    match width {
        4 => pack_strips::<T, 4>(matrix, packed),
        8 => pack_strips::<T, 8>(matrix, packed),
        other => unreachable!("no tile is {other} wide"),
    }
}

/// The width is known when this is compiled, so that a group is one or two vectors.
#[inline(never)]
fn pack_strips<T: Real, const WIDTH: usize>(matrix: Strided<'_, T>, packed: &mut [T]) {
    let depth = matrix.cols();
    let n_full = matrix.rows() - matrix.rows() % WIDTH;
    let (full, edge) = packed.split_at_mut(n_full * depth);
    let inner = matrix.part(0, 0, n_full, depth);
    if matrix.strides()[0] == 1 {
        copy_strips::<T, WIDTH>(inner, full);
    } else {
        turn_strips::<T, WIDTH>(inner, full);
    }
    pack_edge(matrix.part(n_full, 0, matrix.rows() - n_full, depth), WIDTH, edge);
}

/// Of a matrix whose columns are contiguous: several strips at once, so that whole cache lines are
/// read, and few pages at a time.
fn copy_strips<T: Real, const WIDTH: usize>(matrix: Strided<'_, T>, packed: &mut [T]) {
    let depth = matrix.cols();
    for (index, strips) in packed.chunks_mut((AT_ONCE * WIDTH * depth).max(1)).enumerate() {
        let (groups, _) = strips.as_chunks_mut::<WIDTH>(); // [strip, depth]
        let first = index * AT_ONCE * WIDTH;
        let rows = groups.len() / depth * WIDTH;
        for k in 0..depth {
            let (line, _) = matrix.column(k)[first..first + rows].as_chunks::<WIDTH>();
            for (group, values) in groups[k..].iter_mut().step_by(depth).zip(line) {
                *group = *values;
            }
        }
    }
}

/// Of a matrix whose rows are contiguous: four rows at once, which compilers turn in registers.
fn turn_strips<T: Real, const WIDTH: usize>(matrix: Strided<'_, T>, packed: &mut [T]) {
    let depth = matrix.cols();
    for (index, strip) in packed.chunks_mut((WIDTH * depth).max(1)).enumerate() {
        let (groups, _) = strip.as_chunks_mut::<WIDTH>(); // [depth]
        for first in (0..WIDTH).step_by(TURNED) {
            let row = |i| &matrix.row(index * WIDTH + first + i)[..groups.len()];
            let rows: [&[T]; TURNED] = std::array::from_fn(row);
            for (k, group) in groups.iter_mut().enumerate() {
                group[first..first + TURNED].copy_from_slice(&rows.map(|row| row[k]));
            }
        }
    }
}

/// The last strip of any matrix, zeros behind its last row.
#[inline(never)]
fn pack_edge<T: Real>(matrix: Strided<'_, T>, width: usize, strip: &mut [T]) {
    strip.fill(T::default());
    for (k, group) in strip.chunks_mut(width).enumerate() {
        for (i, value) in group[..matrix.rows()].iter_mut().enumerate() {
            *value = matrix.at(i, k);
        }
    }
}

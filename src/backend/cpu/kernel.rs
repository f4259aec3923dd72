//! The one primitive that all processor work is made of: C ← C + α A B on strided memory.
//!
//! Views carry raw pointers, since blocked algorithms write one part of a matrix while they read
//! another. Their constructors check bounds once; [`StridedMut::part`] and friends check again.

use std::marker::PhantomData;

use crate::dtype::Real;

/// A read-only matrix: element (i, j) lies at `i * row_stride + j * col_stride`.
#[derive(Debug, Clone, Copy)]
pub struct Strided<'a, T> {
    pub(super) start: *const T,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
    life: PhantomData<&'a T>,
}

/// A writable matrix whose rows are contiguous: element (i, j) lies at `i * row_stride + j`.
#[derive(Debug)]
pub struct StridedMut<'a, T> {
    pub(super) start: *mut T,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    pub(super) row_stride: usize,
    life: PhantomData<&'a mut T>,
}

/// Who can multiply.
pub trait Kernel: Copy + Default + std::fmt::Debug + 'static {
    /// What it computes in.
    type Scalar: Real;
    /// Name for reports.
    const NAME: &'static str;

    /// C ← C + α A B, with `a: [m, k]`, `b: [k, n]`, `c: [m, n]`.
    ///
    /// # Panics
    /// If the shapes disagree.
    fn multiply(
        &self,
        alpha: Self::Scalar,
        a: Strided<'_, Self::Scalar>,
        b: Strided<'_, Self::Scalar>,
        c: StridedMut<'_, Self::Scalar>,
    );
}

/// Views a gapless row-major matrix.
///
/// # Panics
/// If `values` is not `[rows, cols]`.
pub fn dense<T>(values: &[T], rows: usize, cols: usize) -> Strided<'_, T> {
    assert_eq!(values.len(), rows * cols, "matrix of another size than its shape");
    let start = values.as_ptr();
    Strided { start, rows, cols, row_stride: cols, col_stride: 1, life: PhantomData }
}

impl<'a, T: Copy> Strided<'a, T> {
    /// Rows `row..row + rows` and columns `col..col + cols`.
    pub(super) fn part(self, row: usize, col: usize, rows: usize, cols: usize) -> Self {
        assert!(row + rows <= self.rows && col + cols <= self.cols, "part outside its matrix");
        // An empty part may begin behind the memory, where `add` must not point.
        let start = self.start.wrapping_add(row * self.row_stride + col * self.col_stride);
        Self { start, rows, cols, ..self }
    }

    /// The transpose, without moving anything.
    pub(super) fn transposed(self) -> Self {
        let Self { start, rows, cols, row_stride, col_stride, life } = self;
        Self { start, rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride, life }
    }

    /// Row `i` of a matrix whose rows are contiguous.
    pub(super) fn row(self, i: usize) -> &'a [T] {
        assert!(self.col_stride == 1 && i < self.rows, "no contiguous row of that index");
        // SAFETY: the row lies inside the matrix, which outlives the view.
        unsafe { std::slice::from_raw_parts(self.start.add(i * self.row_stride), self.cols) }
    }

    /// Column `j` of a matrix whose columns are contiguous.
    pub(super) fn column(self, j: usize) -> &'a [T] {
        self.transposed().row(j)
    }

    /// Element (i, j).
    pub(super) fn at(self, i: usize, j: usize) -> T {
        debug_assert!(i < self.rows && j < self.cols, "element outside its matrix");
        // SAFETY: (i, j) lies inside the matrix, which outlives the view.
        unsafe { *self.start.add(i * self.row_stride + j * self.col_stride) }
    }
}

impl<'a, T: Copy> StridedMut<'a, T> {
    /// Views the first `rows` rows of `values`, `row_stride` elements apart.
    ///
    /// # Panics
    /// If `values` is too short.
    pub fn new(values: &'a mut [T], rows: usize, cols: usize, row_stride: usize) -> Self {
        let end = if rows == 0 { 0 } else { (rows - 1) * row_stride + cols };
        assert!(cols <= row_stride && end <= values.len(), "matrix outside its memory");
        Self { start: values.as_mut_ptr(), rows, cols, row_stride, life: PhantomData }
    }

    /// The same matrix for a shorter time.
    pub(super) fn again(&mut self) -> StridedMut<'_, T> {
        StridedMut { life: PhantomData, ..*self }
    }

    /// Rows `row..row + rows` and columns `col..col + cols`.
    pub(super) fn part(
        &mut self,
        row: usize,
        col: usize,
        rows: usize,
        cols: usize,
    ) -> StridedMut<'_, T> {
        assert!(row + rows <= self.rows && col + cols <= self.cols, "part outside its matrix");
        let start = self.start.wrapping_add(row * self.row_stride + col);
        StridedMut { start, rows, cols, row_stride: self.row_stride, life: PhantomData }
    }

    /// A read-only part that may be used while another, disjoint part is written.
    ///
    /// # Safety
    /// The caller must not write elements of this part while the view is read.
    pub(super) unsafe fn read_part<'b>(
        &self,
        row: usize,
        col: usize,
        rows: usize,
        cols: usize,
    ) -> Strided<'b, T> {
        assert!(row + rows <= self.rows && col + cols <= self.cols, "part outside its matrix");
        let start = self.start.wrapping_add(row * self.row_stride + col);
        let life = PhantomData;
        Strided { start, rows, cols, row_stride: self.row_stride, col_stride: 1, life }
    }

    /// Row `i`.
    pub(super) fn row(&mut self, i: usize) -> &mut [T] {
        assert!(i < self.rows, "row outside its matrix");
        // SAFETY: the row lies inside the matrix, and `&mut self` keeps it to one user.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(i * self.row_stride), self.cols) }
    }
}

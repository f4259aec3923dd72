//! The one primitive that all processor work is made of: C ← C + α A B on strided memory.
//!
//! Views carry raw pointers, since blocked algorithms write one part of a matrix while they read
//! another. All `unsafe` of the processor's algorithms is here and in the kernels themselves.
//!
//! Invariants, which the kernels rest on: fields are private, constructors check bounds, and
//! every other view is a part of one that was checked; two views of which one is writable share no
//! element while both can be used.

#[cfg(all(not(target_arch = "wasm32"), feature = "cli"))]
mod raw;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use crate::tensor::dtype::Real;

/// A read-only matrix: element (i, j) lies at `i * row_stride + j * col_stride`.
///
/// Its size cannot be changed, for multiplying believes it:
///
/// ```
/// use gramerge::backend::cpu::kernel::dense;
/// let view = dense(&[1.0_f64; 4], 2, 2);
/// assert_eq!((view.rows(), view.cols()), (2, 2));
/// ```
///
/// ```compile_fail
/// use gramerge::backend::cpu::kernel::dense;
/// let mut view = dense(&[1.0_f64; 4], 2, 2);
/// view.rows = 1 << 20;
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Strided<'a, T> {
    start: *const T,
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
    life: PhantomData<&'a T>,
}

/// A writable matrix whose rows are contiguous: element (i, j) lies at `i * row_stride + j`.
///
/// ```compile_fail
/// use gramerge::backend::cpu::kernel::StridedMut;
/// let mut values = [1.0_f64; 4];
/// let mut view = StridedMut::new(&mut values, 2, 2, 2);
/// view.rows = 1 << 20;
/// ```
#[derive(Debug)]
pub struct StridedMut<'a, T> {
    start: *mut T,
    rows: usize,
    cols: usize,
    row_stride: usize,
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
    assert_eq!(Some(values.len()), rows.checked_mul(cols), "matrix of another size than its shape");
    let start = values.as_ptr();
    Strided { start, rows, cols, row_stride: cols, col_stride: 1, life: PhantomData }
}

/// Whether `len` elements from `start` on are among `total`.
fn holds(total: usize, start: usize, len: usize) -> bool {
    start.checked_add(len).is_some_and(|end| end <= total)
}

impl<'a, T: Copy> Strided<'a, T> {
    /// Number of rows.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(self) -> usize {
        self.cols
    }

    /// Elements from one row to the next, and from one column to the next.
    pub(super) fn strides(self) -> [usize; 2] {
        [self.row_stride, self.col_stride]
    }

    /// Rows `row..row + rows` and columns `col..col + cols`.
    pub(super) fn part(self, row: usize, col: usize, rows: usize, cols: usize) -> Self {
        let is_inside = holds(self.rows, row, rows) && holds(self.cols, col, cols);
        assert!(is_inside, "part outside its matrix");
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
        let start = self.start.wrapping_add(i * self.row_stride);
        // SAFETY: the row lies inside the matrix, which outlives the view; an empty one may lie
        // behind the memory, where a slice of nothing may lie too.
        unsafe { std::slice::from_raw_parts(start, self.cols) }
    }

    /// Column `j` of a matrix whose columns are contiguous.
    pub(super) fn column(self, j: usize) -> &'a [T] {
        self.transposed().row(j)
    }

    /// Elements of column `j`, from top to bottom.
    pub(super) fn down(self, j: usize) -> impl Iterator<Item = T> {
        assert!(j < self.cols, "column outside its matrix");
        // SAFETY: every (i, j) lies inside the matrix, which outlives the view.
        (0..self.rows).map(move |i| unsafe { self.get(i, j) })
    }

    /// Element (i, j).
    pub(super) fn at(self, i: usize, j: usize) -> T {
        assert!(i < self.rows && j < self.cols, "element outside its matrix");
        // SAFETY: (i, j) lies inside the matrix, which outlives the view.
        unsafe { self.get(i, j) }
    }

    /// Element (i, j), unchecked.
    ///
    /// # Safety
    /// It must lie inside the matrix.
    unsafe fn get(self, i: usize, j: usize) -> T {
        // SAFETY: the caller's promise, and the constructors' checks.
        unsafe { *self.start.add(i * self.row_stride + j * self.col_stride) }
    }
}

impl<'a, T: Copy> StridedMut<'a, T> {
    /// Views the first `rows` rows of `values`, `row_stride` elements apart.
    ///
    /// # Panics
    /// If `values` is too short.
    pub fn new(values: &'a mut [T], rows: usize, cols: usize, row_stride: usize) -> Self {
        let last = rows.saturating_sub(1).checked_mul(row_stride);
        let is_inside = last.is_some_and(|start| rows == 0 || holds(values.len(), start, cols));
        assert!(cols <= row_stride && is_inside, "matrix outside its memory");
        Self { start: values.as_mut_ptr(), rows, cols, row_stride, life: PhantomData }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Reborrows the view.
    pub(super) fn again(&mut self) -> StridedMut<'_, T> {
        StridedMut { life: PhantomData, ..*self }
    }

    /// The view for readers.
    pub(super) fn read(&self) -> Strided<'_, T> {
        let Self { start, rows, cols, row_stride, .. } = *self;
        Strided { start, rows, cols, row_stride, col_stride: 1, life: PhantomData }
    }

    /// Rows `row..row + rows` and columns `col..col + cols`.
    pub(super) fn part(
        &mut self,
        row: usize,
        col: usize,
        rows: usize,
        cols: usize,
    ) -> StridedMut<'_, T> {
        // SAFETY: the whole cannot be used while the part is.
        unsafe { self.window(row, col, rows, cols) }
    }

    /// The columns before `col`, and the others.
    pub(super) fn split_cols(self, col: usize) -> [Self; 2] {
        let (rows, cols) = (self.rows, self.cols);
        let right = cols.checked_sub(col).expect("split outside its matrix");
        // SAFETY: the whole is used no more, and the halves share no element.
        unsafe { [self.window(0, 0, rows, col), self.window(0, col, rows, right)] }
    }

    /// The rows before `row`, and the others.
    pub(super) fn split_rows(self, row: usize) -> [Self; 2] {
        let (rows, cols) = (self.rows, self.cols);
        let below = rows.checked_sub(row).expect("split outside its matrix");
        // SAFETY: as for columns.
        unsafe { [self.window(0, 0, row, cols), self.window(row, 0, below, cols)] }
    }

    /// A part that lives as long as the whole.
    ///
    /// # Safety
    /// None of its elements may be used in another way while it is.
    unsafe fn window(&self, row: usize, col: usize, rows: usize, cols: usize) -> Self {
        let is_inside = holds(self.rows, row, rows) && holds(self.cols, col, cols);
        assert!(is_inside, "part outside its matrix");
        let start = self.start.wrapping_add(row * self.row_stride + col);
        Self { start, rows, cols, row_stride: self.row_stride, life: PhantomData }
    }

    /// Row `i`.
    pub(super) fn row(&mut self, i: usize) -> &mut [T] {
        assert!(i < self.rows, "row outside its matrix");
        let start = self.start.wrapping_add(i * self.row_stride);
        // SAFETY: the row lies inside the matrix, or is empty, and `&mut self` keeps it to one user.
        unsafe { std::slice::from_raw_parts_mut(start, self.cols) }
    }
}

//! Stored bytes seen as a matrix: elements are widened to f64 as they are read.

use std::ops::Range;

use crate::tensor::dtype::{Dtype, decode_into};

/// A row-major matrix in its storage dtype.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its bytes, exactly `rows × cols` elements.
    pub bytes: Vec<u8>,
    /// A float dtype.
    pub dtype: Dtype,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
}

impl Stored {
    /// Rows `rows` as they lie here.
    pub fn bytes_of_rows(&self, rows: Range<usize>) -> &[u8] {
        let row_bytes = self.cols * self.dtype.size_bytes();
        &self.bytes[rows.start * row_bytes..rows.end * row_bytes]
    }

    /// Columns `cols` of row `row`, in f64.
    pub fn read_row(&self, row: usize, cols: Range<usize>, out: &mut [f64]) {
        read_run(&self.bytes, self.dtype, row * self.cols + cols.start, &mut out[..cols.len()]);
    }

    /// Rows `rows` of column `col`, in f64.
    pub fn read_col(&self, col: usize, rows: Range<usize>, out: &mut [f64]) {
        for (value, row) in out.iter_mut().zip(rows) {
            *value = read_one(&self.bytes, self.dtype, row * self.cols + col);
        }
    }
}

/// Consecutive elements from index `first`.
pub(crate) fn read_run(bytes: &[u8], dtype: Dtype, first: usize, out: &mut [f64]) {
    let size = dtype.size_bytes();
    decode_into(dtype, &bytes[first * size..(first + out.len()) * size], out);
}

/// The element at `index`.
pub(crate) fn read_one(bytes: &[u8], dtype: Dtype, index: usize) -> f64 {
    let mut value = [0.0];
    read_run(bytes, dtype, index, &mut value);
    value[0]
}

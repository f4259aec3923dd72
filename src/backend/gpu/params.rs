//! What one dispatch works on: `Params` of `shaders/shared/params.wgsl` and `Assembly` of
//! `shaders/shared/assembly.wgsl`, field for field.

use bytemuck::{Pod, Zeroable};

use super::shaders::BLOCK;

/// Which part of the inner dimension is zero.
#[derive(Debug, Clone, Copy, Default)]
#[repr(u32)]
pub(super) enum Triangle {
    #[default]
    None = 0,
    /// B is stored transposed, and what is stored is lower triangular.
    TransposedB = 1,
    /// B is lower triangular.
    B = 2,
    /// A is lower triangular.
    A = 3,
}

/// Places and strides count vec4s.
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "the shader's own file says what each is")]
pub struct Params {
    pub depth: u32,
    pub triangle: u32,
    pub alpha: f32,
    pub beta: f32,
    pub a_first: u32,
    pub a_stride: u32,
    pub a_step: u32,
    pub b_first: u32,
    pub b_stride: u32,
    pub b_step: u32,
    pub c_first: u32,
    pub c_stride: u32,
    pub c_step: u32,
    pub n: u32,
    pub first: u32,
    pub row_first: u32,
}

/// Places and strides count elements.
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "the shader's own file says what each is")]
pub struct Assembly {
    pub dtype: u32,
    pub anchor_dtype: u32,
    pub rows: u32,
    pub row_end: u32,
    pub cols: u32,
    pub stride: u32,
    pub row_first: u32,
    pub col_first: u32,
    pub row_in_whole: u32,
    pub out_stride: u32,
    pub factor: f32,
    pub adds: u32,
    pub unused0: u32,
    pub unused1: u32,
    pub unused2: u32,
    pub unused3: u32,
}

/// Either, as it is uploaded.
pub(super) type Words = [u32; size_of::<Params>() / 4];

/// A part of a matrix in a buffer: its first element and the length of a row, in elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) stride: usize,
    pub(super) row: usize,
    pub(super) col: usize,
    /// Elements from one part of a batch to the next.
    pub(super) step: usize,
}

impl Part {
    /// A whole matrix with rows of this length.
    pub(super) fn whole(stride: usize) -> Self {
        Self::at(stride, 0, 0)
    }

    /// From this row and column on.
    pub(super) fn at(stride: usize, row: usize, col: usize) -> Self {
        Self { stride, row, col, step: 0 }
    }

    /// The first of a batch.
    pub(super) fn every(self, step: usize) -> Self {
        Self { step, ..self }
    }

    /// Place of the first element, stride and step, in vec4s.
    pub(super) fn vecs(self) -> [u32; 3] {
        let Self { stride, row, col, step } = self;
        debug_assert!(stride % BLOCK == 0 && col % BLOCK == 0, "matrix without its padding");
        [row * stride + col, stride, step].map(|elements| (elements / 4) as u32)
    }
}

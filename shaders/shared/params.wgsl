// What one dispatch works on. Mirrors `Params` of the Rust side, field for field.
//
// Places and strides count vec4s: all sides are multiples of 64 elements. Step `z` of a batch adds
// `z` times the step to each place.
struct Params {
    depth: u32, // inner dimension, in elements
    triangle: u32, // which part of the inner dimension is zero: see `depth_range`
    alpha: f32,
    beta: f32,
    a_first: u32,
    a_stride: u32,
    a_step: u32,
    b_first: u32,
    b_stride: u32,
    b_step: u32,
    c_first: u32,
    c_stride: u32,
    c_step: u32,
    n: u32, // side of the matrix without its padding, where a kernel needs it
    first: u32, // the first row and column of a block on the diagonal
    row_first: u32, // the first row of the tiles, in elements: long work is cut into several dispatches
}

@group(0) @binding(0) var<uniform> p: Params;

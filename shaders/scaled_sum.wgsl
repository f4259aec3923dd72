// C ← [C +] f diag(s) A diag(s) off the diagonal of the whole matrix, and `diagonal` on it, for
// rows of A as a file stores them: one term of a weighted sum of Gram matrices.

#import assembly

@group(0) @binding(1) var<storage, read> stored: array<u32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>; // [n]
@group(0) @binding(3) var<storage, read> diagonal: array<f32>; // [n]
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

fn term(row: u32, col: u32) -> f32 {
    let index = row * p.stride + p.col_first + col;
    let value = unpack(stored[word_of(index, p.dtype)], index, p.dtype);
    // Powers of two: only the factor rounds.
    return p.factor * (value * scale[p.row_in_whole + row] * scale[p.col_first + col]);
}

@compute @workgroup_size(64, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.y;
    let col = id.x;
    if p.row_first + row >= p.row_end || col >= p.out_stride {
        return;
    }
    let place = (p.row_first + row) * p.out_stride + col;
    if row >= p.rows || col >= p.cols {
        c[place] = 0.0;
    } else if p.row_in_whole + row == p.col_first + col {
        c[place] = diagonal[p.col_first + col];
    } else if p.adds == 1u {
        c[place] += term(row, col);
    } else {
        c[place] = term(row, col);
    }
}

// C ← (B − A) diag(1/s), for rows of B and of the anchor A as files store them.

#import assembly

@group(0) @binding(1) var<storage, read> stored: array<u32>;
@group(0) @binding(2) var<storage, read> anchor: array<u32>;
@group(0) @binding(3) var<storage, read> inverse_scale: array<f32>; // [n]
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

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
        return;
    }
    let index = row * p.stride + p.col_first + col;
    let b = unpack(stored[word_of(index, p.dtype)], index, p.dtype);
    let a = unpack(anchor[word_of(index, p.anchor_dtype)], index, p.anchor_dtype);
    c[place] = (b - a) * inverse_scale[p.col_first + col];
}

// Moves a slice of A and of B into workgroup memory. Expects TILE, DEPTH,
// SIDE, TRANSPOSE_B, `a_at` and `b_at`.

const THREADS: u32 = SIDE * SIDE;
const VECS: u32 = TILE / 4u; // across a tile
const DEEP: u32 = DEPTH / 4u; // along the inner dimension
const SLICE: u32 = TILE * DEEP; // vec4s of a slice
const BLOCKS: u32 = VECS * DEEP; // 4×4 blocks of a slice

var<workgroup> a_tile: array<vec4f, SLICE>; // [TILE rows, DEEP], along the inner dimension
var<workgroup> b_tile: array<vec4f, SLICE>; // [DEPTH, VECS], along the columns

// a_tile ← A[row.., k..]
fn load_a(first: u32, row: u32, k: u32, thread: u32) {
    for (var i = thread; i < SLICE; i += THREADS) {
        a_tile[i] = a_at(first + (row + i / DEEP) * p.a_stride + k / 4u + i % DEEP);
    }
}

// b_tile ← B[k.., col..]
fn load_b(first: u32, col: u32, k: u32, thread: u32) {
    if TRANSPOSE_B {
        for (var block = thread; block < BLOCKS; block += THREADS) {
            let across = block / DEEP;
            let deep = block % DEEP;
            let start = first + (col + across * 4u) * p.b_stride + k / 4u + deep;
            let v0 = b_at(start);
            let v1 = b_at(start + p.b_stride);
            let v2 = b_at(start + 2u * p.b_stride);
            let v3 = b_at(start + 3u * p.b_stride);
            let to = deep * 4u * VECS + across;
            b_tile[to] = vec4f(v0.x, v1.x, v2.x, v3.x);
            b_tile[to + VECS] = vec4f(v0.y, v1.y, v2.y, v3.y);
            b_tile[to + 2u * VECS] = vec4f(v0.z, v1.z, v2.z, v3.z);
            b_tile[to + 3u * VECS] = vec4f(v0.w, v1.w, v2.w, v3.w);
        }
    } else {
        for (var i = thread; i < SLICE; i += THREADS) {
            b_tile[i] = b_at(first + (k + i / VECS) * p.b_stride + col / 4u + i % VECS);
        }
    }
}

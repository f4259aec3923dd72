// Factorises a diagonal block S = L Lᵀ of 64 × 64 and writes M = L⁻¹, which is all that anyone
// needs of it.
//
// Elimination without square roots, S = U D Uᵀ with U unit lower: step j subtracts multiples of
// row j from the rows below, from S (below the diagonal) and from the unit matrix (above it,
// transposed) alike, which leaves U⁻¹ there. At last M = D^(−1/2) U⁻¹.
//
// Step j reads column j and writes the columns right of it, so one barrier per step suffices.

#import params

@group(0) @binding(1) var<storage, read> s: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;
// Whether a pivot was not positive; which; its bits.
@group(0) @binding(3) var<storage, read_write> failure: array<u32, 4>;

const SIDE: u32 = 64u;
const THREADS: u32 = 256u;

var<workgroup> w: array<f32, SIDE * SIDE>; // [64, 64]

// Rows and columns of the padding are those of the unit matrix.
fn element(i: u32, j: u32, value: f32) -> f32 {
    if j > i {
        return 0.0;
    }
    if max(i, j) + p.first >= p.n {
        return select(0.0, 1.0, i == j);
    }
    return value;
}

fn load(thread: u32) {
    for (var i = thread; i < SIDE * SIDE / 4u; i += THREADS) {
        let row = i / 16u;
        let col = i % 16u * 4u;
        let v = s[p.a_first + row * p.a_stride + i % 16u];
        w[i * 4u] = element(row, col, v.x);
        w[i * 4u + 1u] = element(row, col + 1u, v.y);
        w[i * 4u + 2u] = element(row, col + 2u, v.z);
        w[i * 4u + 3u] = element(row, col + 3u, v.w);
    }
}

fn eliminate(j: u32, thread: u32) {
    let col = thread % SIDE;
    if col <= j {
        return;
    }
    let factor = w[col * SIDE + j] / w[j * SIDE + j];
    for (var row = thread / SIDE; row < SIDE; row += THREADS / SIDE) {
        if row == j {
            w[row * SIDE + col] = -factor;
        } else if row < j || row >= col {
            w[row * SIDE + col] -= factor * w[row * SIDE + j];
        }
    }
}

// By bits: a compiler may assume that no value is NaN.
fn is_positive(pivot: f32) -> bool {
    let bits = bitcast<u32>(pivot);
    return bits > 0u && bits < 0x7f800000u;
}

fn report() {
    for (var i = 0u; i < SIDE; i++) {
        let pivot = w[i * SIDE + i];
        if failure[0] == 0u && !is_positive(pivot) {
            failure[0] = 1u;
            failure[1] = p.first + i;
            failure[2] = bitcast<u32>(pivot);
        }
    }
}

// M[i, j]
fn inverse(i: u32, j: u32) -> f32 {
    if j > i {
        return 0.0;
    }
    let root = sqrt(w[i * SIDE + i]);
    return select(w[j * SIDE + i], 1.0, i == j) / root;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
    load(thread);
    workgroupBarrier();
    for (var j = 0u; j < SIDE; j++) {
        eliminate(j, thread);
        workgroupBarrier();
    }
    if thread == 0u {
        report();
    }
    for (var i = thread; i < SIDE * SIDE / 4u; i += THREADS) {
        let row = i / 16u;
        let col = i % 16u * 4u;
        m[p.c_first + row * p.c_stride + i % 16u] = vec4f(
            inverse(row, col),
            inverse(row, col + 1u),
            inverse(row, col + 2u),
            inverse(row, col + 3u),
        );
    }
}

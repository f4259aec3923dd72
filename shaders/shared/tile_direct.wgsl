// One tile of C per workgroup, 8 rows × 8 columns per invocation, without workgroup memory: each
// invocation reads what it needs itself. For devices where barriers cost more than reads, such as
// processors. Expects SIDE, TILE = 8 SIDE, `a_at`, `b_at`, `c`, `before_store`.

// Four rows of B, columns from `col` on. [4, 4]
fn load_four(first: u32, col: u32, k: u32) -> mat4x4f {
    if TRANSPOSE_B {
        let start = first + col * p.b_stride + k / 4u;
        let columns = mat4x4f(
            b_at(start),
            b_at(start + p.b_stride),
            b_at(start + 2u * p.b_stride),
            b_at(start + 3u * p.b_stride),
        );
        return transpose(columns);
    }
    let start = first + k * p.b_stride + col / 4u;
    return mat4x4f(
        b_at(start),
        b_at(start + p.b_stride),
        b_at(start + 2u * p.b_stride),
        b_at(start + 3u * p.b_stride),
    );
}

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let row = p.row_first + group.y * TILE;
    let col = group.x * TILE;
    if LOWER && col > row {
        return;
    }
    let a_first = p.a_first + group.z * p.a_step + (row + local.y) * p.a_stride;
    let b_first = p.b_first + group.z * p.b_step;
    let left = col + local.x * 4u;
    let range = depth_range(row, col);
    // Left and right four columns of each row.
    var l0 = vec4f();
    var r0 = vec4f();
    var l1 = vec4f();
    var r1 = vec4f();
    var l2 = vec4f();
    var r2 = vec4f();
    var l3 = vec4f();
    var r3 = vec4f();
    var l4 = vec4f();
    var r4 = vec4f();
    var l5 = vec4f();
    var r5 = vec4f();
    var l6 = vec4f();
    var r6 = vec4f();
    var l7 = vec4f();
    var r7 = vec4f();
    for (var k = range.x; k < range.y; k += 4u) {
        let b = load_four(b_first, left, k);
        let d = load_four(b_first, left + SIDE * 4u, k);
        let own = a_first + k / 4u;
        let a0 = a_at(own);
        l0 = accumulate(l0, a0, b[0], b[1], b[2], b[3]);
        r0 = accumulate(r0, a0, d[0], d[1], d[2], d[3]);
        let a1 = a_at(own + 1u * SIDE * p.a_stride);
        l1 = accumulate(l1, a1, b[0], b[1], b[2], b[3]);
        r1 = accumulate(r1, a1, d[0], d[1], d[2], d[3]);
        let a2 = a_at(own + 2u * SIDE * p.a_stride);
        l2 = accumulate(l2, a2, b[0], b[1], b[2], b[3]);
        r2 = accumulate(r2, a2, d[0], d[1], d[2], d[3]);
        let a3 = a_at(own + 3u * SIDE * p.a_stride);
        l3 = accumulate(l3, a3, b[0], b[1], b[2], b[3]);
        r3 = accumulate(r3, a3, d[0], d[1], d[2], d[3]);
        let a4 = a_at(own + 4u * SIDE * p.a_stride);
        l4 = accumulate(l4, a4, b[0], b[1], b[2], b[3]);
        r4 = accumulate(r4, a4, d[0], d[1], d[2], d[3]);
        let a5 = a_at(own + 5u * SIDE * p.a_stride);
        l5 = accumulate(l5, a5, b[0], b[1], b[2], b[3]);
        r5 = accumulate(r5, a5, d[0], d[1], d[2], d[3]);
        let a6 = a_at(own + 6u * SIDE * p.a_stride);
        l6 = accumulate(l6, a6, b[0], b[1], b[2], b[3]);
        r6 = accumulate(r6, a6, d[0], d[1], d[2], d[3]);
        let a7 = a_at(own + 7u * SIDE * p.a_stride);
        l7 = accumulate(l7, a7, b[0], b[1], b[2], b[3]);
        r7 = accumulate(r7, a7, d[0], d[1], d[2], d[3]);
    }
    before_store();
    let to = p.c_first + group.z * p.c_step + (row + local.y) * p.c_stride + left / 4u;
    let down = SIDE * p.c_stride;
    store(to, l0);
    store(to + SIDE, r0);
    store(to + 1u * down, l1);
    store(to + 1u * down + SIDE, r1);
    store(to + 2u * down, l2);
    store(to + 2u * down + SIDE, r2);
    store(to + 3u * down, l3);
    store(to + 3u * down + SIDE, r3);
    store(to + 4u * down, l4);
    store(to + 4u * down + SIDE, r4);
    store(to + 5u * down, l5);
    store(to + 5u * down + SIDE, r5);
    store(to + 6u * down, l6);
    store(to + 6u * down + SIDE, r6);
    store(to + 7u * down, l7);
    store(to + 7u * down + SIDE, r7);
}

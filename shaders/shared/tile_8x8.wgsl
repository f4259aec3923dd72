// One tile of C per workgroup, 8 rows × 8 columns per invocation. Expects SIDE, TILE = 8 SIDE,
// DEPTH, `a_at`, `b_at`, `c`, `before_store`.

@compute @workgroup_size(SIDE, SIDE)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = p.row_first + group.y * TILE;
    let col = group.x * TILE;
    if LOWER && col > row {
        return;
    }
    let a_first = p.a_first + group.z * p.a_step;
    let b_first = p.b_first + group.z * p.b_step;
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
    for (var k = range.x; k < range.y; k += DEPTH) {
        load_a(a_first, row, k, thread);
        load_b(b_first, col, k, thread);
        workgroupBarrier();
        for (var deep = 0u; deep < DEEP; deep++) {
            let at = deep * 4u * VECS + local.x;
            let b0 = b_tile[at];
            let b1 = b_tile[at + VECS];
            let b2 = b_tile[at + 2u * VECS];
            let b3 = b_tile[at + 3u * VECS];
            let d0 = b_tile[at + SIDE];
            let d1 = b_tile[at + VECS + SIDE];
            let d2 = b_tile[at + 2u * VECS + SIDE];
            let d3 = b_tile[at + 3u * VECS + SIDE];
            let own = local.y * DEEP + deep;
            let a0 = a_tile[own];
            l0 = accumulate(l0, a0, b0, b1, b2, b3);
            r0 = accumulate(r0, a0, d0, d1, d2, d3);
            let a1 = a_tile[own + 1u * SIDE * DEEP];
            l1 = accumulate(l1, a1, b0, b1, b2, b3);
            r1 = accumulate(r1, a1, d0, d1, d2, d3);
            let a2 = a_tile[own + 2u * SIDE * DEEP];
            l2 = accumulate(l2, a2, b0, b1, b2, b3);
            r2 = accumulate(r2, a2, d0, d1, d2, d3);
            let a3 = a_tile[own + 3u * SIDE * DEEP];
            l3 = accumulate(l3, a3, b0, b1, b2, b3);
            r3 = accumulate(r3, a3, d0, d1, d2, d3);
            let a4 = a_tile[own + 4u * SIDE * DEEP];
            l4 = accumulate(l4, a4, b0, b1, b2, b3);
            r4 = accumulate(r4, a4, d0, d1, d2, d3);
            let a5 = a_tile[own + 5u * SIDE * DEEP];
            l5 = accumulate(l5, a5, b0, b1, b2, b3);
            r5 = accumulate(r5, a5, d0, d1, d2, d3);
            let a6 = a_tile[own + 6u * SIDE * DEEP];
            l6 = accumulate(l6, a6, b0, b1, b2, b3);
            r6 = accumulate(r6, a6, d0, d1, d2, d3);
            let a7 = a_tile[own + 7u * SIDE * DEEP];
            l7 = accumulate(l7, a7, b0, b1, b2, b3);
            r7 = accumulate(r7, a7, d0, d1, d2, d3);
        }
        workgroupBarrier();
    }
    before_store();
    let to = p.c_first + group.z * p.c_step + (row + local.y) * p.c_stride + col / 4u + local.x;
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

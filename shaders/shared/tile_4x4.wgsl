// One tile of C per workgroup, 4 rows × 4 columns per invocation. Expects SIDE, TILE = 4 SIDE,
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
    var acc0 = vec4f();
    var acc1 = vec4f();
    var acc2 = vec4f();
    var acc3 = vec4f();
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
            let own = local.y * DEEP + deep;
            acc0 = accumulate(acc0, a_tile[own], b0, b1, b2, b3);
            acc1 = accumulate(acc1, a_tile[own + SIDE * DEEP], b0, b1, b2, b3);
            acc2 = accumulate(acc2, a_tile[own + 2u * SIDE * DEEP], b0, b1, b2, b3);
            acc3 = accumulate(acc3, a_tile[own + 3u * SIDE * DEEP], b0, b1, b2, b3);
        }
        workgroupBarrier();
    }
    before_store();
    let to = p.c_first + group.z * p.c_step + (row + local.y) * p.c_stride + col / 4u + local.x;
    let down = SIDE * p.c_stride;
    store(to, acc0);
    store(to + down, acc1);
    store(to + 2u * down, acc2);
    store(to + 3u * down, acc3);
}

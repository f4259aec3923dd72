// One tile of C per workgroup; 4 rows × 4 columns per invocation, or 8 × 8, of which each quad is four
// columns. Expects SIDE, TILE = 4 or 8 SIDE, DEPTH, `a_at`, `b_at`, `c`, `before_store`.

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
    #each row
    #each quad
    var acc{row}_{quad} = vec4f();
    #end
    #end
    for (var k = range.x; k < range.y; k += DEPTH) {
        load_a(a_first, row, k, thread);
        load_b(b_first, col, k, thread);
        workgroupBarrier();
        for (var deep = 0u; deep < DEEP; deep++) {
            let at = deep * 4u * VECS + local.x;
            #each quad
            let b0_{quad} = b_tile[at + {quad}u * SIDE];
            let b1_{quad} = b_tile[at + VECS + {quad}u * SIDE];
            let b2_{quad} = b_tile[at + 2u * VECS + {quad}u * SIDE];
            let b3_{quad} = b_tile[at + 3u * VECS + {quad}u * SIDE];
            #end
            let own = local.y * DEEP + deep;
            #each row
            let a{row} = a_tile[own + {row}u * SIDE * DEEP];
            #each quad
            acc{row}_{quad} =
                accumulate(acc{row}_{quad}, a{row}, b0_{quad}, b1_{quad}, b2_{quad}, b3_{quad});
            #end
            #end
        }
        workgroupBarrier();
    }
    before_store();
    let to = p.c_first + group.z * p.c_step + (row + local.y) * p.c_stride + col / 4u + local.x;
    let down = SIDE * p.c_stride;
    #each row
    #each quad
    store(to + {row}u * down + {quad}u * SIDE, acc{row}_{quad});
    #end
    #end
}

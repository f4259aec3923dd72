// One tile of C per workgroup, 8 rows × 8 columns per invocation, without workgroup memory: each
// invocation reads what it needs itself. For devices where barriers cost more than reads, such as
// processors. Expects SIDE, TILE = 8 SIDE, `a_at`, `b_at`, `c`, `before_store`.

// Four rows of B, columns from `col` on. [4, 4]
fn load_four(first: u32, col: u32, k: u32) -> mat4x4f {
    let place = select(k * p.b_stride + col / 4u, col * p.b_stride + k / 4u, TRANSPOSE_B);
    let start = first + place;
    let stored = mat4x4f(
        b_at(start),
        b_at(start + p.b_stride),
        b_at(start + 2u * p.b_stride),
        b_at(start + 3u * p.b_stride),
    );
    if TRANSPOSE_B {
        return transpose(stored);
    }
    return stored;
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
    let own_col = col + local.x * 4u;
    let range = depth_range(row, col);
    #each row
    #each quad
    var acc{row}_{quad} = vec4f();
    #end
    #end
    for (var k = range.x; k < range.y; k += 4u) {
        #each quad
        let b{quad} = load_four(b_first, own_col + {quad}u * SIDE * 4u, k);
        #end
        let own = a_first + k / 4u;
        #each row
        let a{row} = a_at(own + {row}u * SIDE * p.a_stride);
        #each quad
        acc{row}_{quad} =
            accumulate(acc{row}_{quad}, a{row}, b{quad}[0], b{quad}[1], b{quad}[2], b{quad}[3]);
        #end
        #end
    }
    before_store();
    let to = p.c_first + group.z * p.c_step + (row + local.y) * p.c_stride + own_col / 4u;
    let down = SIDE * p.c_stride;
    #each row
    #each quad
    store(to + {row}u * down + {quad}u * SIDE, acc{row}_{quad});
    #end
    #end
}

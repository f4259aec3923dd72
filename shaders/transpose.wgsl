// T ← Xᵀ, by blocks of 4 × 4.

#import params

@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> t: array<vec4f>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let down = p.a_stride;
    let start = id.y * 4u * down + id.x;
    let block = transpose(mat4x4f(x[start], x[start + down], x[start + 2u * down], x[start + 3u * down]));
    let to = id.x * 4u * p.c_stride + id.y;
    t[to] = block[0];
    t[to + p.c_stride] = block[1];
    t[to + 2u * p.c_stride] = block[2];
    t[to + 3u * p.c_stride] = block[3];
}

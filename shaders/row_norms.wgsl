// For each row of a tile, Σ |c| and Σ c², added to what the tiles left of it gave.

#import assembly

@group(0) @binding(1) var<storage, read> c: array<f32>;
@group(0) @binding(2) var<storage, read_write> norms: array<vec2f>; // [n]

const THREADS: u32 = 64u;

var<workgroup> partial: array<vec2f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    var sum = vec2f();
    for (var col = thread; col < p.out_stride; col += THREADS) {
        let value = c[group.x * p.out_stride + col];
        sum += vec2f(abs(value), value * value);
    }
    partial[thread] = sum;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            partial[thread] += partial[thread + half];
        }
        workgroupBarrier();
    }
    if thread == 0u && group.x < p.rows {
        let row = p.row_in_whole + group.x;
        norms[row] = select(vec2f(), norms[row], p.adds == 1u) + partial[0];
    }
}

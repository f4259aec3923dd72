// Nothing but fused multiply-adds, as many as the product of the same size takes: in place of a register
// tile of 4 × 4, whose buffers it reads and writes once so that nothing is left out.
@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(local_invocation_index) thread: u32) {
    let a = a_at(thread);
    let b = b_at(thread);
    var acc0 = vec4f(1.0);
    var acc1 = vec4f(2.0);
    var acc2 = vec4f(3.0);
    var acc3 = vec4f(4.0);
    var acc4 = vec4f(5.0);
    var acc5 = vec4f(6.0);
    var acc6 = vec4f(7.0);
    var acc7 = vec4f(8.0);
    for (var k = 0u; k < p.depth; k += 8u) {
        acc0 = accumulate(acc0, a, b, b, b, b);
        acc1 = accumulate(acc1, a, b, b, b, b);
        acc2 = accumulate(acc2, a, b, b, b, b);
        acc3 = accumulate(acc3, a, b, b, b, b);
        acc4 = accumulate(acc4, a, b, b, b, b);
        acc5 = accumulate(acc5, a, b, b, b, b);
        acc6 = accumulate(acc6, a, b, b, b, b);
        acc7 = accumulate(acc7, a, b, b, b, b);
    }
    store(thread, acc0 + acc1 + acc2 + acc3 + acc4 + acc5 + acc6 + acc7);
}

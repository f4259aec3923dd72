// What all register tiles share. Expects TILE and `c`.

// B is stored transposed.
override TRANSPOSE_B: bool = false;
// Only tiles on and below the diagonal are wanted.
override LOWER: bool = false;

// The range of the inner dimension in which a tile's products are not zero, by `p.triangle`.
fn depth_range(row: u32, col: u32) -> vec2u {
    switch p.triangle {
        case 1u: { return vec2u(0u, min(p.depth, col + TILE)); } // Bᵀ is stored, lower
        case 2u: { return vec2u(min(p.depth, col), p.depth); } // B is lower
        case 3u: { return vec2u(0u, min(p.depth, row + TILE)); } // A is lower
        default: { return vec2u(0u, p.depth); }
    }
}

// acc + a · (b0, b1, b2, b3), one row of a register tile, four steps of the inner dimension. Every
// tile adds in this order, so that all give the same bits.
fn accumulate(acc: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
    return fma(vec4f(a.w), b3, fma(vec4f(a.z), b2, fma(vec4f(a.y), b1, fma(vec4f(a.x), b0, acc))));
}

// c ← β c + α acc. With β = 0 what was there is not looked at: it may be NaN.
fn store(place: u32, acc: vec4f) {
    if p.beta == 0.0 {
        c[place] = p.alpha * acc;
    } else {
        c[place] = p.beta * c[place] + p.alpha * acc;
    }
}

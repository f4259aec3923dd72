// C ← β C + α A B, where all three are parts of one buffer and C overlaps neither A nor B: the
// symmetric update S₂₂ ← S₂₂ − L₂₁ L₂₁ᵀ of a factorisation.

#import params

@group(0) @binding(1) var<storage, read_write> c: array<vec4f>;

fn a_at(place: u32) -> vec4f {
    return c[place];
}

fn b_at(place: u32) -> vec4f {
    return c[place];
}

fn before_store() {}

#import tile

// C ← β C + α A B, each in a buffer of its own; A or B may be stored transposed.

#import params

@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;

fn a_at(place: u32) -> vec4f {
    return a[place];
}

fn b_at(place: u32) -> vec4f {
    return b[place];
}

fn before_store() {}

#import tile

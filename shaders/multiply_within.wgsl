// C ← β C + α A B, where A and C are parts of one buffer: the same part, if it is one tile wide
// and as deep (each workgroup then writes what it alone has read), or parts that do not overlap.

#import params

@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

fn a_at(place: u32) -> vec4f {
    return c[place];
}

fn b_at(place: u32) -> vec4f {
    return b[place];
}

// Where A and C are the same part, everyone must have read it before anyone writes it.
fn before_store() {
    storageBarrier();
}

#import tile

// What one dispatch puts together. Mirrors `Assembly` of the Rust side, field for field.
//
// Bytes as a file stores them hold rows of `stride` elements, from row `row_first` of the tile on.
struct Assembly {
    dtype: u32, // 0 f32, 1 f16, 2 bf16
    anchor_dtype: u32,
    rows: u32, // rows that the bytes hold
    row_end: u32, // one past the last row of the tile to write: beyond `rows` it is padding
    cols: u32, // columns of the tile without its padding
    stride: u32,
    row_first: u32, // of the tile, for the first row of the bytes
    col_first: u32, // of the bytes, for the first column of the tile
    row_in_whole: u32, // of the whole matrix, for the first row of the bytes
    out_stride: u32, // elements in a row of the tile
    factor: f32,
    adds: u32, // 1 adds to what is there
    unused0: u32,
    unused1: u32,
    unused2: u32,
    unused3: u32,
}

@group(0) @binding(0) var<uniform> p: Assembly;

// Where the element with this index lies in an array of words.
fn word_of(index: u32, dtype: u32) -> u32 {
    return select(index / 2u, index, dtype == 0u);
}

fn unpack(word: u32, index: u32, dtype: u32) -> f32 {
    if dtype == 0u {
        return bitcast<f32>(word);
    }
    let half = select(word & 0xffffu, word >> 16u, (index & 1u) == 1u);
    if dtype == 1u {
        return unpack2x16float(half).x;
    }
    return bitcast<f32>(half << 16u);
}

//! The shaders: which there are, and how a whole one is put together from its parts.
//!
//! A line `#import NAME` stands for `shaders/shared/NAME.wgsl`; `#import tile` stands for the
//! register tile that was chosen and what it needs. There, what stands between `#each row` and `#end`
//! is repeated for each row of an invocation, with its number in place of `{row}`; and so for each quad,
//! which is four columns. A loop would leave it to the driver whether accumulators lie in registers.

use std::fmt::Write;

/// Side of the blocks that every side is padded to.
pub(super) const BLOCK: usize = 64;

/// One compute shader each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// C ← β C + α A B.
    Multiply,
    /// The same with A and C in one buffer.
    MultiplyWithin,
    /// The same with all three in one buffer.
    Update,
    /// A diagonal block of a Cholesky factor, inverted.
    FactorBlock,
    /// A term of a weighted sum of stored matrices.
    ScaledSum,
    /// A difference of stored matrices.
    ScaledDifference,
    /// Norms of the rows of a matrix.
    RowNorms,
    /// T ← Xᵀ.
    Transpose,
}

impl Kernel {
    /// Every kernel.
    pub const ALL: [Self; 8] = [
        Self::Multiply,
        Self::MultiplyWithin,
        Self::Update,
        Self::FactorBlock,
        Self::ScaledSum,
        Self::ScaledDifference,
        Self::RowNorms,
        Self::Transpose,
    ];

    /// Its file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Multiply => "multiply",
            Self::MultiplyWithin => "multiply_within",
            Self::Update => "update",
            Self::FactorBlock => "factor_block",
            Self::ScaledSum => "scaled_sum",
            Self::ScaledDifference => "scaled_difference",
            Self::RowNorms => "row_norms",
            Self::Transpose => "transpose",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Multiply => include_str!("../../../shaders/multiply.wgsl"),
            Self::MultiplyWithin => include_str!("../../../shaders/multiply_within.wgsl"),
            Self::Update => include_str!("../../../shaders/update.wgsl"),
            Self::FactorBlock => include_str!("../../../shaders/factor_block.wgsl"),
            Self::ScaledSum => include_str!("../../../shaders/scaled_sum.wgsl"),
            Self::ScaledDifference => include_str!("../../../shaders/scaled_difference.wgsl"),
            Self::RowNorms => include_str!("../../../shaders/row_norms.wgsl"),
            Self::Transpose => include_str!("../../../shaders/transpose.wgsl"),
        }
    }

    /// Whether it is made of register tiles.
    pub fn is_tiled(self) -> bool {
        matches!(self, Self::Multiply | Self::MultiplyWithin | Self::Update)
    }
}

/// How a product is tiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Invocations along each side of a workgroup.
    side: u32,
    /// Rows and columns of C that one invocation computes: 4 or 8.
    own: u32,
    /// Slice of the inner dimension in workgroup memory; 0 does without such memory.
    depth: u32,
}

impl Tile {
    /// All of them. Which is fastest depends on the card.
    pub const ALL: [Self; 4] = [
        Self { side: 16, own: 4, depth: 16 },
        Self { side: 8, own: 8, depth: 16 },
        Self { side: 16, own: 8, depth: 8 },
        Self { side: 8, own: 8, depth: 0 },
    ];

    /// Fits every matrix with sides that are multiples of 64.
    pub(super) const FALLBACK: Self = Self::ALL[1];

    /// Rows and columns of C that one workgroup computes.
    pub fn size(self) -> usize {
        (self.side * self.own) as usize
    }

    /// This one, or the one most like it that fits a matrix with sides that are multiples of 64.
    pub(super) fn fitting(self, rows: usize, cols: usize) -> Self {
        let fits = |len: usize| len.is_multiple_of(self.size());
        if fits(rows) && fits(cols) { self } else { Self::FALLBACK }
    }
}

impl std::fmt::Display for Tile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { side, own, depth } = self;
        write!(f, "{size}×{size}, {own}×{own} of {side}×{side}, {depth} deep", size = self.size())
    }
}

/// The whole text of a kernel.
pub fn source(kernel: Kernel, tile: Tile) -> String {
    let mut out = String::new();
    for line in kernel.text().lines() {
        match line.strip_prefix("#import ") {
            Some("params") => out += include_str!("../../../shaders/shared/params.wgsl"),
            Some("assembly") => out += include_str!("../../../shaders/shared/assembly.wgsl"),
            Some("tile") => out += &tile_source(tile),
            _ => {
                out += line;
                out.push('\n');
            }
        }
    }
    out
}

fn tile_source(tile: Tile) -> String {
    let mut out = String::new();
    let constants = [("SIDE", tile.side), ("TILE", tile.side * tile.own), ("DEPTH", tile.depth)];
    for (name, value) in constants {
        // Writing to a string cannot fail.
        writeln!(out, "const {name}: u32 = {value}u;").ok();
    }
    out += include_str!("../../../shaders/shared/accumulate.wgsl");
    if tile.depth > 0 {
        out += include_str!("../../../shaders/shared/load.wgsl");
    }
    let text = match tile.depth {
        0 => include_str!("../../../shaders/shared/tile_direct.wgsl"),
        _ => include_str!("../../../shaders/shared/tile.wgsl"),
    };
    out + &unrolled(text, tile.own)
}

/// Repeats what is between `#each` and `#end`, from the innermost on. `own` as in [`Tile`].
fn unrolled(text: &str, own: u32) -> String {
    let mut text = text.to_string();
    while let Some((before, block, after)) = innermost(&text) {
        let (name, body) = block.split_once('\n').unwrap_or((block, ""));
        let count = if name == "row" { own } else { own / 4 };
        let copy = |index: u32| body.replace(&format!("{{{name}}}"), &index.to_string());
        text = [before, &(0..count).map(copy).collect::<String>(), after].concat();
    }
    text
}

/// The last `#each` with its `#end`, and what is before and after.
fn innermost(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.rsplit_once("#each ")?;
    let (block, after) = rest.split_once("#end")?;
    Some((before, block, after))
}

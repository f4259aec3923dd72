//! Element types of safetensors files, and their conversion to and from f32 and f64.
//!
//! Narrowing rounds to nearest, ties to even, from the widest value at hand: an f64 result goes to
//! f16 or bf16 as if in one rounding (`narrow`).
//! Source: the safetensors format's list of dtypes; `half` for 16-bit rounding.

mod narrow;

use half::f16;
use serde::{Deserialize, Serialize};

/// An element type, by its name in a safetensors header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(non_camel_case_types, reason = "the format's own spelling")]
#[expect(missing_docs, reason = "each variant is its name in the format")]
pub enum Dtype {
    BOOL,
    F4,
    F6_E2M3,
    F6_E3M2,
    U8,
    I8,
    F8_E5M2,
    F8_E4M3,
    F8_E8M0,
    F8_E4M3FNUZ,
    F8_E5M2FNUZ,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    C64,
    F64,
    I64,
    U64,
}

/// What a merge may do with elements of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtypeClass {
    /// F64, F32, F16, BF16: merged.
    Float,
    /// Integers and booleans: copied where identical, refused otherwise.
    Discrete,
    /// 8-bit and narrower floats, complex numbers: refused, since averaging without their scales
    /// is wrong.
    Unsupported,
}

impl Dtype {
    /// All types of the format (safetensors 0.8).
    pub const ALL: [Self; 22] = [
        Self::BOOL,
        Self::F4,
        Self::F6_E2M3,
        Self::F6_E3M2,
        Self::U8,
        Self::I8,
        Self::F8_E5M2,
        Self::F8_E4M3,
        Self::F8_E8M0,
        Self::F8_E4M3FNUZ,
        Self::F8_E5M2FNUZ,
        Self::I16,
        Self::U16,
        Self::F16,
        Self::BF16,
        Self::I32,
        Self::U32,
        Self::F32,
        Self::C64,
        Self::F64,
        Self::I64,
        Self::U64,
    ];

    /// The name in a header, for example `BF16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BOOL => "BOOL",
            Self::F4 => "F4",
            Self::F6_E2M3 => "F6_E2M3",
            Self::F6_E3M2 => "F6_E3M2",
            Self::U8 => "U8",
            Self::I8 => "I8",
            Self::F8_E5M2 => "F8_E5M2",
            Self::F8_E4M3 => "F8_E4M3",
            Self::F8_E8M0 => "F8_E8M0",
            Self::F8_E4M3FNUZ => "F8_E4M3FNUZ",
            Self::F8_E5M2FNUZ => "F8_E5M2FNUZ",
            Self::I16 => "I16",
            Self::U16 => "U16",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::I32 => "I32",
            Self::U32 => "U32",
            Self::F32 => "F32",
            Self::C64 => "C64",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::U64 => "U64",
        }
    }

    /// The type of that name, if the format has it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Size of one element in bits (the format packs sub-byte types).
    pub fn bits(self) -> u64 {
        match self {
            Self::F4 => 4,
            Self::F6_E2M3 | Self::F6_E3M2 => 6,
            Self::BOOL | Self::U8 | Self::I8 => 8,
            Self::F8_E5M2 | Self::F8_E4M3 | Self::F8_E8M0 => 8,
            Self::F8_E4M3FNUZ | Self::F8_E5M2FNUZ => 8,
            Self::I16 | Self::U16 | Self::F16 | Self::BF16 => 16,
            Self::I32 | Self::U32 | Self::F32 => 32,
            Self::C64 | Self::F64 | Self::I64 | Self::U64 => 64,
        }
    }

    /// What a merge may do with it.
    pub fn class(self) -> DtypeClass {
        match self {
            Self::F64 | Self::F32 | Self::F16 | Self::BF16 => DtypeClass::Float,
            Self::BOOL | Self::U8 | Self::I8 | Self::I16 | Self::U16 => DtypeClass::Discrete,
            Self::I32 | Self::U32 | Self::I64 | Self::U64 => DtypeClass::Discrete,
            _ => DtypeClass::Unsupported,
        }
    }

    /// Size of one element of a [`DtypeClass::Float`] or [`DtypeClass::Discrete`] type, in bytes.
    pub fn size_bytes(self) -> usize {
        (self.bits() / 8) as usize
    }
}

/// A scalar that the kernels compute in: f32 or f64.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + bytemuck::Pod
    + std::fmt::Debug
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::AddAssign
    + std::ops::SubAssign
    + std::ops::MulAssign
    + std::ops::Neg<Output = Self>
{
    /// Rounds an f64 to this type.
    fn from_f64(value: f64) -> Self;
    /// Widens to f64, exactly.
    fn to_f64(self) -> f64;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Unit roundoff: 2⁻²⁴ or 2⁻⁵³.
    const UNIT_ROUNDOFF: f64;
    /// 1.
    const ONE: Self;
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;
}

impl Real for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    const UNIT_ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;
    const ONE: Self = 1.0;
    const NAME: &'static str = "f32";
}

impl Real for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    const UNIT_ROUNDOFF: f64 = f64::EPSILON / 2.0;
    const ONE: Self = 1.0;
    const NAME: &'static str = "f64";
}

/// Widens little-endian elements of a float type to f64, exactly.
///
/// # Panics
/// If `dtype` is not a float type, which the plan rules out, or `bytes` is not as many elements
/// as `out`.
pub fn decode_into(dtype: Dtype, bytes: &[u8], out: &mut [f64]) {
    assert_eq!(bytes.len(), out.len() * dtype.size_bytes(), "input of the wrong length");
    match dtype {
        Dtype::F64 => widen(bytes, out, f64::from_le_bytes),
        Dtype::F32 => widen(bytes, out, |b| f64::from(f32::from_le_bytes(b))),
        Dtype::F16 => widen(bytes, out, |b| f16::from_le_bytes(b).to_f64()),
        Dtype::BF16 => widen(bytes, out, |b| f64::from(f32_from_bf16(u16::from_le_bytes(b)))),
        other => unreachable!("{} is not merged", other.name()),
    }
}

/// All elements of `bytes`, as [`decode_into`].
pub fn decode(dtype: Dtype, bytes: &[u8]) -> Vec<f64> {
    let mut values = vec![0.0; bytes.len() / dtype.size_bytes()];
    decode_into(dtype, bytes, &mut values);
    values
}

/// bf16 is the upper half of an f32.
fn f32_from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Encodes f64 values as little-endian elements of a float type, rounding to nearest even.
///
/// # Panics
/// If `dtype` is not a float type or `bytes` has another length than `values` need.
pub fn encode(dtype: Dtype, values: impl ExactSizeIterator<Item = f64>, bytes: &mut [u8]) {
    assert_eq!(bytes.len(), values.len() * dtype.size_bytes(), "output buffer of the wrong length");
    match dtype {
        Dtype::F64 => fill(bytes, values, f64::to_le_bytes),
        Dtype::F32 => fill(bytes, values, |v| (v as f32).to_le_bytes()),
        Dtype::F16 => fill(bytes, values, |v| narrow::to_f16(v).to_le_bytes()),
        Dtype::BF16 => fill(bytes, values, |v| narrow::to_bf16(v).to_le_bytes()),
        other => unreachable!("{} is not merged", other.name()),
    }
}

// Loops over fixed-size chunks, so that compilers vectorise them.
fn widen<const N: usize>(bytes: &[u8], out: &mut [f64], widen_one: impl Fn([u8; N]) -> f64) {
    for (value, element) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *value = widen_one(*element);
    }
}

fn fill<const N: usize>(
    bytes: &mut [u8],
    values: impl Iterator<Item = f64>,
    encode_one: impl Fn(f64) -> [u8; N],
) {
    for (element, value) in bytes.as_chunks_mut::<N>().0.iter_mut().zip(values) {
        *element = encode_one(value);
    }
}

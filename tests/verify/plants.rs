//! Changes of one element, and of a whole row.

use gramerge::tensor::dtype::{Dtype, decode, encode};

use crate::made::Tensor;

/// What one element becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plant {
    Zero,
    /// Shifted by one rms of its row.
    Rms,
    Sign,
    NotANumber,
    Infinite,
    NegativeInfinite,
    /// The next number of the dtype.
    LastBit,
}

impl Plant {
    pub(crate) const ALL: [Self; 7] = [
        Self::Zero,
        Self::Rms,
        Self::Sign,
        Self::NotANumber,
        Self::Infinite,
        Self::NegativeInfinite,
        Self::LastBit,
    ];
}

/// The file with one element changed; `None` where that changes no byte, or has no meaning.
pub(crate) fn planted(file: &[u8], tensor: &Tensor, place: usize, plant: Plant) -> Option<Vec<u8>> {
    let size = tensor.dtype.size_bytes();
    let element = |index: usize| tensor.start + index * size..tensor.start + (index + 1) * size;
    let mut bytes = file.to_vec();
    let own = &mut bytes[element(place)];
    if !tensor.is_float() || plant == Plant::LastBit {
        own[0] ^= 1;
        return Some(bytes);
    }
    let value = decode(tensor.dtype, own)[0];
    let row: Vec<f64> =
        tensor.row_of(place).map(|index| decode(tensor.dtype, &file[element(index)])[0]).collect();
    let changed = match plant {
        Plant::Zero => 0.0,
        Plant::Rms => value + rms(&row),
        Plant::Sign => -value,
        Plant::NotANumber => f64::NAN,
        Plant::Infinite => f64::INFINITY,
        Plant::NegativeInfinite => f64::NEG_INFINITY,
        Plant::LastBit => value,
    };
    encode(tensor.dtype, std::iter::once(changed), own);
    (bytes != file).then_some(bytes)
}

/// What a row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowPlant {
    Zeroed,
    Negated,
    Larger,
    /// One element alone becomes 0.
    OneZeroed,
}

impl RowPlant {
    pub(crate) const ALL: [Self; 4] = [Self::Zeroed, Self::Negated, Self::Larger, Self::OneZeroed];
}

/// The file with the row of that element changed.
pub(crate) fn row_planted(file: &[u8], tensor: &Tensor, place: usize, plant: RowPlant) -> Vec<u8> {
    let mut file = file.to_vec();
    for index in tensor.row_of(place) {
        let is_whole = plant != RowPlant::OneZeroed;
        if is_whole || index == place {
            let factor = match plant {
                RowPlant::Zeroed | RowPlant::OneZeroed => 0.0,
                RowPlant::Negated => -1.0,
                RowPlant::Larger => 1.05,
            };
            let value = decode(tensor.dtype, &file[tensor.bytes_of(index)])[0];
            set(&mut file, tensor, index, factor * value);
        }
    }
    file
}

/// Writes one element.
pub(crate) fn set(file: &mut [u8], tensor: &Tensor, place: usize, value: f64) {
    encode(tensor.dtype, std::iter::once(value), &mut file[tensor.bytes_of(place)]);
}

/// Root of the mean square, at any scale.
fn rms(row: &[f64]) -> f64 {
    let largest = row.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let squares = row.iter().map(|value| (value / largest).powi(2)).sum::<f64>();
    largest * (squares / row.len() as f64).sqrt()
}

impl Tensor {
    fn is_float(&self) -> bool {
        matches!(self.dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16)
    }

    fn bytes_of(&self, place: usize) -> std::ops::Range<usize> {
        let size = self.dtype.size_bytes();
        self.start + place * size..self.start + (place + 1) * size
    }

    /// Places of the weights that lead to the same output.
    fn row_of(&self, place: usize) -> Box<dyn Iterator<Item = usize>> {
        let (n, cols) = (self.n, self.cols);
        match self.is_turned {
            true => Box::new((place % cols..n).step_by(cols)),
            false => Box::new(place / cols * cols..place / cols * cols + cols),
        }
    }
}

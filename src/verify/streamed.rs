//! Tensors without a solve: made again piece by piece, and compared byte by byte.
//!
//! Combined elements are rounded once, by the same additions on every kernel build, so their bytes are
//! known. Only a NaN has many: any is right where a NaN is due.

use super::{Verified, require};
use crate::Result;
use crate::checkpoint::Model;
use crate::format::{TensorFile, TensorInfo};
use crate::io::Source;
use crate::plan::estimate::elements;
use crate::plan::{Action, PlannedTensor};
use crate::run::{Buffers, Merge, PIECE_ELEMENTS, Piece};
use crate::tensor::dtype::{Dtype, DtypeClass, decode};

/// What pieces are read into and made in.
#[derive(Default)]
pub(super) struct Held {
    combined: Buffers,
    own: Vec<u8>,
    found: Vec<u8>,
}

/// What differs from what is due.
#[derive(Debug, Default)]
struct Wrong {
    n: u64,
    /// Index, found, due.
    first: Option<(u64, f64, f64)>,
    /// Largest relative distance.
    error: f64,
}

/// Compares a combined, copied or kept tensor.
pub(super) async fn check<S: Source>(
    merge: &Merge<S>,
    out: &Model<S>,
    index: usize,
    held: &mut Held,
) -> Result<Verified> {
    let plan = merge.plan();
    let tensor = &plan.tensors[index];
    let (file, info) = require(out, tensor)?;
    let n = elements(&tensor.shape);
    let mut wrong = Wrong::default();
    for first in (0..n).step_by(PIECE_ELEMENTS as usize) {
        let piece = Piece { tensor: index, first, len: PIECE_ELEMENTS.min(n - first) };
        read_piece(file, info, &piece, &mut held.found).await?;
        if let Action::Combine { rule, .. } = tensor.action {
            merge.combine(&piece, rule, &mut held.combined).await?;
            let due = &held.combined.merged;
            if *due != held.found {
                wrong.compare(tensor.dtype_out, first, &held.found, due, true);
            }
            continue;
        }
        // All models' bytes are due of a copy; they were compared when it was made.
        for model in &merge.models().list[sources(tensor, merge.models().list.len())] {
            let (file, info) = model.require(&tensor.name)?;
            read_piece(file, info, &piece, &mut held.own).await?;
            if held.own != held.found {
                wrong.compare(tensor.dtype_out, first, &held.found, &held.own, false);
            }
        }
    }
    Ok(wrong.verified(plan.action_name(&tensor.action), &tensor.name, n))
}

async fn read_piece<S: Source>(
    file: &TensorFile<S>,
    info: &TensorInfo,
    piece: &Piece,
    bytes: &mut Vec<u8>,
) -> Result<()> {
    let in_bytes = |elements: u64| elements * info.dtype.bits() / 8;
    bytes.resize(in_bytes(piece.len) as usize, 0);
    file.read_part(info, in_bytes(piece.first), bytes).await
}

/// The models whose bytes a tensor has.
fn sources(tensor: &PlannedTensor, n_models: usize) -> std::ops::Range<usize> {
    match tensor.action {
        Action::Keep { model } => model..model + 1,
        Action::Copy { .. } => 0..n_models,
        Action::Combine { .. } | Action::Regress { .. } | Action::Refuse { .. } => 0..0,
    }
}

impl Wrong {
    fn compare(&mut self, dtype: Dtype, first: u64, found: &[u8], due: &[u8], any_nan: bool) {
        if dtype.class() != DtypeClass::Float {
            self.n += 1;
            self.error = f64::INFINITY;
            return;
        }
        let size = dtype.size_bytes();
        let elements = found.chunks(size).zip(due.chunks(size)).zip(first..);
        for ((own, due), index) in elements.filter(|((own, due), _)| own != due) {
            let (own, due) = (decode(dtype, own)[0], decode(dtype, due)[0]);
            if any_nan && own.is_nan() && due.is_nan() {
                continue;
            }
            self.n += 1;
            self.first.get_or_insert((index, own, due));
            self.error = self.error.max(apart(own, due));
        }
    }

    fn verified(self, action: &str, name: &str, n: u64) -> Verified {
        let note = self.first.map(|(index, found, due)| {
            format!("{} of {n} elements differ: number {index} is {found:e}, not {due:e}", self.n)
        });
        let others = (self.n > 0).then(|| "its bytes are not the inputs'".to_owned());
        let verified = Verified::new(name, action, self.error, 0.0);
        Verified { note: note.or(others), ..verified }
    }
}

/// Relative distance of two elements of different bytes: never 0, and infinite beside a NaN.
fn apart(a: f64, b: f64) -> f64 {
    let size = a.abs().max(b.abs());
    // Divided first: neither a difference nor a square may leave f64's range.
    let apart = if size > 0.0 { (a / size - b / size).abs() } else { 0.0 };
    if apart.is_nan() { f64::INFINITY } else { apart.max(f64::MIN_POSITIVE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_values_are_the_same() {
        for a in [1.0, 5e-324, f64::MAX, 1e-170, 2f64.powi(100), f64::MIN_POSITIVE] {
            for b in [a.next_down(), -a, 0.0, -0.0, f64::NAN, f64::INFINITY] {
                assert!(apart(a, b) > 0.0 && apart(b, a) > 0.0, "{a:e} {b:e}");
                assert!(!apart(a, b).is_nan());
            }
        }
        assert!(apart(0.0, -0.0) > 0.0);
    }
}

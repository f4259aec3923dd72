//! Tensors without a solve: averaged, copied or kept, piece by piece.

use super::{Merge, Piece, TensorPart};
use crate::dtype::Dtype;
use crate::io::{Sink, Source};
use crate::merge::average::{Measures, average};
use crate::merge::plan::{Action, PlannedTensor};
use crate::{Error, Result, printable};

impl<S: Source> Merge<S> {
    pub(super) async fn stream(&self, piece: &Piece, sink: &mut impl Sink) -> Result<TensorPart> {
        let tensor = &self.plan.tensors[piece.tensor];
        let (bytes, measures) = match tensor.action {
            Action::Keep { model } => {
                (self.read(tensor, piece, model).await?.1, Measures::default())
            }
            Action::Copy { .. } => (self.copy(tensor, piece).await?, Measures::default()),
            _ => {
                let inputs = self.read_all(tensor, piece).await?;
                average(&inputs, &self.shares, tensor.dtype_out)
            }
        };
        let start_bytes = piece.first * tensor.dtype_out.bits() / 8;
        sink.write_at(self.offset_bytes(piece.tensor)? + start_bytes, bytes).await?;
        Ok(TensorPart { tensor: piece.tensor, measures, solve: None })
    }

    async fn read(
        &self,
        tensor: &PlannedTensor,
        piece: &Piece,
        model: usize,
    ) -> Result<(Dtype, Vec<u8>)> {
        let (file, info) = self.models.list[model].require(&tensor.name)?;
        let in_bytes = |elements: u64| elements * info.dtype.bits() / 8;
        let mut bytes = vec![0; in_bytes(piece.len) as usize];
        file.read_part(info, in_bytes(piece.first), &mut bytes).await?;
        Ok((info.dtype, bytes))
    }

    async fn read_all(
        &self,
        tensor: &PlannedTensor,
        piece: &Piece,
    ) -> Result<Vec<(Dtype, Vec<u8>)>> {
        let mut inputs = Vec::new();
        for model in 0..self.models.list.len() {
            inputs.push(self.read(tensor, piece, model).await?);
        }
        Ok(inputs)
    }

    /// The first model's bytes, once every other's are the same.
    async fn copy(&self, tensor: &PlannedTensor, piece: &Piece) -> Result<Vec<u8>> {
        let (dtype, first) = self.read(tensor, piece, 0).await?;
        for model in 1..self.models.list.len() {
            let (_, own) = self.read(tensor, piece, model).await?;
            if own != first {
                return Err(Error::input(format!(
                    "its {} values differ between `{}` and `{}`, and {} is not averaged",
                    dtype.name(),
                    printable(&self.models.list[0].name),
                    printable(&self.models.list[model].name),
                    dtype.name()
                ))
                .tensor(&tensor.name)
                .advice("keep it from one model"));
            }
        }
        Ok(first)
    }
}

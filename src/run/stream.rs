//! Tensors without a solve: combined, copied or kept, piece by piece.

use std::ops::Range;

use super::element::{Buffers, read};
use super::{Merge, Piece, TensorPart};
use crate::io::{Sink, Source, together};
use crate::methods::Measures;
use crate::plan::{Action, PlannedTensor};
use crate::tensor::dtype::Dtype;
use crate::{Error, Result, printable};

impl<S: Source> Merge<S> {
    pub(super) async fn stream(
        &self,
        piece: &Piece,
        buffers: &mut Buffers,
        sink: &mut impl Sink,
    ) -> Result<TensorPart> {
        let tensor = &self.plan.tensors[piece.tensor];
        let mut measures = Measures::default();
        let bytes = match tensor.action {
            Action::Combine { rule, .. } => {
                measures = self.combine(piece, rule, buffers).await?;
                &buffers.merged
            }
            Action::Keep { model } => {
                self.read_all(tensor, piece, model..model + 1, buffers).await?;
                &buffers.inputs[0].1
            }
            Action::Copy { .. } => {
                self.read_all(tensor, piece, 0..self.models.list.len(), buffers).await?;
                self.same(tensor, &buffers.inputs)?
            }
            Action::Regress { .. } | Action::Refuse { .. } => {
                return Err(
                    Error::internal("a tensor was streamed that is not").tensor(&tensor.name)
                );
            }
        };
        let start_bytes =
            self.offset_bytes(piece.tensor)? + piece.first * tensor.dtype_out.bits() / 8;
        sink.write_at(start_bytes, bytes).await?;
        Ok(TensorPart { tensor: piece.tensor, measures, solve: None })
    }

    /// Reads the same elements of some models, beside one another.
    async fn read_all(
        &self,
        tensor: &PlannedTensor,
        piece: &Piece,
        models: Range<usize>,
        buffers: &mut Buffers,
    ) -> Result<()> {
        buffers.inputs.resize_with(models.len(), || (tensor.dtype_out, Vec::new()));
        let reads = self.models.list[models].iter().zip(&mut buffers.inputs);
        let one = |(model, input)| read(model, &tensor.name, piece.first, piece.len, input);
        together(reads.map(one)).await?;
        Ok(())
    }

    /// The first model's bytes, once every other's are the same.
    fn same<'a>(
        &self,
        tensor: &PlannedTensor,
        inputs: &'a [(Dtype, Vec<u8>)],
    ) -> Result<&'a Vec<u8>> {
        let (dtype, first) = &inputs[0];
        match inputs.iter().position(|(_, own)| own != first) {
            None => Ok(first),
            Some(model) => Err(Error::input(format!(
                "its {} values differ between `{}` and `{}`, and {} is not averaged",
                dtype.name(),
                printable(&self.models.list[0].name),
                printable(&self.models.list[model].name),
                dtype.name()
            ))
            .tensor(&tensor.name)
            .advice("keep it from one model")),
        }
    }
}

//! Tensors without a solve: averaged, copied or kept, piece by piece.

use super::{Merge, Piece, TensorPart};
use crate::io::{Sink, Source, together};
use crate::methods::average::{Measures, average};
use crate::plan::{Action, PlannedTensor};
use crate::tensor::dtype::Dtype;
use crate::{Error, Result, printable};

/// What pieces are read into and made in. One job's pieces share them: fresh memory has to be
/// cleared, which costs as much as averaging.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// Each model's elements.
    inputs: Vec<(Dtype, Vec<u8>)>,
    merged: Vec<u8>,
}

impl<S: Source> Merge<S> {
    pub(super) async fn stream(
        &self,
        piece: &Piece,
        buffers: &mut Buffers,
        sink: &mut impl Sink,
    ) -> Result<TensorPart> {
        let tensor = &self.plan.tensors[piece.tensor];
        let models = match tensor.action {
            Action::Keep { model } => model..model + 1,
            _ => 0..self.models.list.len(),
        };
        buffers.inputs.resize_with(models.len(), || (tensor.dtype_out, Vec::new()));
        let reads = models.zip(&mut buffers.inputs);
        together(reads.map(|(model, input)| self.read(tensor, piece, model, input))).await?;
        let start_bytes =
            self.offset_bytes(piece.tensor)? + piece.first * tensor.dtype_out.bits() / 8;
        let mut measures = Measures::default();
        let bytes = match tensor.action {
            Action::Keep { .. } => &buffers.inputs[0].1,
            Action::Copy { .. } => self.same(tensor, &buffers.inputs)?,
            Action::Average { .. } => {
                let Buffers { inputs, merged } = buffers;
                let coefficients = self.options.given_coefficients(inputs.len());
                measures = average(inputs, &coefficients, tensor.dtype_out, merged);
                merged
            }
            Action::Regress { .. } | Action::Refuse { .. } => {
                return Err(
                    Error::internal("a tensor was streamed that is not").tensor(&tensor.name)
                );
            }
        };
        sink.write_at(start_bytes, bytes).await?;
        Ok(TensorPart { tensor: piece.tensor, measures, solve: None })
    }

    async fn read(
        &self,
        tensor: &PlannedTensor,
        piece: &Piece,
        model: usize,
        (dtype, bytes): &mut (Dtype, Vec<u8>),
    ) -> Result<()> {
        let (file, info) = self.models.list[model].require(&tensor.name)?;
        let in_bytes = |elements: u64| elements * info.dtype.bits() / 8;
        *dtype = info.dtype;
        bytes.resize(in_bytes(piece.len) as usize, 0);
        file.read_part(info, in_bytes(piece.first), bytes).await
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

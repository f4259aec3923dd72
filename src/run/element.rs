//! Combined tensors: read, looked at as often as their method wants, merged piece by piece in order.
//!
//! Jobs that merge and the check of a finished merge go this same way.

use super::Merge;
use super::jobs::{PIECE_ELEMENTS, Piece};
use crate::checkpoint::Model;
use crate::io::{Source, together};
use crate::methods::elementwise::{self, Inputs};
use crate::methods::{self, Base, Combine, Elementwise, Facts, Measures, Spec};
use crate::plan::estimate::elements;
use crate::plan::{Action, Plan, PlannedTensor, Rule};
use crate::tensor::Dtype;
use crate::{Error, Result};

/// Inputs of a tensor that are kept in memory for a method's further looks, rather than read again.
const HELD_BYTES: u64 = 48 << 20;

/// What pieces are read into and made in. One job's pieces share them: fresh memory has to be
/// cleared, which costs as much as averaging.
#[derive(Default)]
pub(crate) struct Buffers {
    /// Each model's elements, the base model's last.
    pub(super) inputs: Vec<(Dtype, Vec<u8>)>,
    /// Whether they are the whole tensor's.
    is_held: bool,
    /// The method at work, and on which tensor.
    at_work: Option<(usize, Box<dyn Elementwise>)>,
    /// The merged piece.
    pub(crate) merged: Vec<u8>,
}

/// Where a tensor's inputs are, and how it is made.
struct Work<'a, S> {
    planned: &'a PlannedTensor,
    rule: &'a Rule,
    spec: &'static Spec,
    models: Vec<&'a Model<S>>,
    has_base: bool,
}

impl<S: Source> Merge<S> {
    /// Merges a piece into `buffers.merged`. Pieces of one tensor come in order, its first one first
    /// unless its method needs no look at the whole.
    pub(crate) async fn combine(
        &self,
        piece: &Piece,
        rule: usize,
        buffers: &mut Buffers,
    ) -> Result<Measures> {
        let work = self.work(piece.tensor, rule)?;
        let mut method = match buffers.at_work.take() {
            Some((tensor, method)) if tensor == piece.tensor => method,
            _ => work.begin(buffers).await?,
        };
        if !buffers.is_held {
            work.read(piece.first, piece.len, buffers).await?;
        }
        let Buffers { inputs, is_held, merged, .. } = buffers;
        let start = if *is_held { piece.first } else { 0 };
        let inputs = work.inputs(inputs, start, piece.len);
        let dtype_out = work.planned.dtype_out;
        let measures =
            elementwise::combine(method.as_mut(), piece.first, &inputs, dtype_out, merged);
        buffers.at_work = Some((piece.tensor, method));
        Ok(measures)
    }

    fn work(&self, tensor: usize, rule: usize) -> Result<Work<'_, S>> {
        let planned = &self.plan.tensors[tensor];
        let rule = self.plan.rules.get(rule).ok_or_else(|| no_rule(planned))?;
        let spec = methods::find(&rule.method).ok_or_else(|| no_rule(planned))?;
        let mut models: Vec<&Model<S>> = self.models.list.iter().collect();
        let base = self.models.base.as_ref().filter(|_| spec.base == Base::Needed);
        models.extend(base);
        Ok(Work { planned, rule, spec, models, has_base: base.is_some() })
    }
}

impl<S: Source> Work<'_, S> {
    /// The method, after all its looks at the whole tensor.
    async fn begin(&self, buffers: &mut Buffers) -> Result<Box<dyn Elementwise>> {
        buffers.is_held = false;
        let made = make(self.spec, self.rule, self.planned);
        let mut method = made.ok_or_else(|| no_rule(self.planned))?;
        let n_surveys = method.n_surveys();
        let n = elements(&self.planned.shape);
        if n_surveys > 0 && self.stored_bytes()? <= HELD_BYTES {
            self.read(0, n, buffers).await?;
            buffers.is_held = true;
        }
        for pass in 0..n_surveys {
            if buffers.is_held {
                let inputs = self.inputs(&buffers.inputs, 0, n);
                elementwise::survey(method.as_mut(), pass, 0, &inputs);
            } else {
                self.survey(method.as_mut(), pass, buffers).await?;
            }
            method.surveyed(pass).map_err(|error| error.tensor(&self.planned.name))?;
        }
        Ok(method)
    }

    /// One look at a tensor that is not held, piece by piece.
    async fn survey(
        &self,
        method: &mut dyn Elementwise,
        pass: usize,
        buffers: &mut Buffers,
    ) -> Result<()> {
        let n = elements(&self.planned.shape);
        for first in (0..n).step_by(PIECE_ELEMENTS as usize) {
            let len = PIECE_ELEMENTS.min(n - first);
            self.read(first, len, buffers).await?;
            let inputs = self.inputs(&buffers.inputs, 0, len);
            elementwise::survey(method, pass, first, &inputs);
        }
        Ok(())
    }

    fn stored_bytes(&self) -> Result<u64> {
        let len_bytes = |model: &&Model<S>| Ok(model.require(&self.planned.name)?.1.len_bytes());
        self.models.iter().map(len_bytes).sum()
    }

    /// Reads the same elements of every input, beside one another.
    async fn read(&self, first: u64, len: u64, buffers: &mut Buffers) -> Result<()> {
        buffers.inputs.resize_with(self.models.len(), || (self.planned.dtype_out, Vec::new()));
        let reads = self.models.iter().zip(&mut buffers.inputs);
        together(reads.map(|(model, input)| read(model, &self.planned.name, first, len, input)))
            .await?;
        Ok(())
    }

    /// Elements of what has been read, from index `start` of that on.
    fn inputs<'b>(&self, read: &'b [(Dtype, Vec<u8>)], start: u64, len: u64) -> Inputs<'b> {
        let slice = |(dtype, bytes): &'b (Dtype, Vec<u8>)| {
            let size = dtype.size_bytes();
            (*dtype, &bytes[start as usize * size..(start + len) as usize * size])
        };
        let mut models: Vec<_> = read.iter().map(slice).collect();
        let base = if self.has_base { models.pop() } else { None };
        Inputs { base, models }
    }
}

/// Whether a tensor's method looks at the whole of it first, so that one job must have all its pieces.
pub(super) fn is_surveyed(plan: &Plan, planned: &PlannedTensor) -> bool {
    let Action::Combine { rule, .. } = planned.action else { return false };
    let rule = plan.rules.get(rule);
    let made = rule.and_then(|rule| make(methods::find(&rule.method)?, rule, planned));
    made.is_some_and(|method| method.n_surveys() > 0)
}

/// A method at work on a tensor, if it goes element by element.
fn make(spec: &Spec, rule: &Rule, planned: &PlannedTensor) -> Option<Box<dyn Elementwise>> {
    let Combine::Elements(make) = spec.combine else { return None };
    let PlannedTensor { name, shape, dtypes, dtype_out, .. } = planned;
    let facts = Facts { name, shape, dtypes, dtype_out: *dtype_out };
    Some(make(&rule.values, &facts))
}

/// Reads elements of one model's tensor as they are stored.
pub(super) async fn read<S: Source>(
    model: &Model<S>,
    name: &str,
    first: u64,
    len: u64,
    (dtype, bytes): &mut (Dtype, Vec<u8>),
) -> Result<()> {
    let (file, info) = model.require(name)?;
    let in_bytes = |elements: u64| elements * info.dtype.bits() / 8;
    *dtype = info.dtype;
    bytes.resize(in_bytes(len) as usize, 0);
    file.read_part(info, in_bytes(first), bytes).await
}

fn no_rule(planned: &PlannedTensor) -> Error {
    Error::internal("the plan names no method for it").tensor(&planned.name)
}

//! Layer groups: read, solved, rounded, written.

use std::ops::Range;

use super::{JobOutcome, Merge, TensorPart};
use crate::checkpoint::Model;
use crate::format::{GramEntry, GramLayout, Normalization, TensorFile, TensorInfo};
use crate::gram::{Gram, GramBuilder, STRIP, packed_elements};
use crate::io::{Sink, Source};
use crate::methods::Measures;
use crate::methods::regmean::{self, Crew, LayerGroup, Solution, Solver, Weight};
use crate::plan::Action;
use crate::plan::blocks::{Block, Part};
use crate::recipe::shares;
use crate::tensor::Orientation;
use crate::tensor::dtype::{Dtype, encode};
use crate::tensor::stored::Stored;
use crate::{Error, ErrorKind, Result};

impl<S: Source> Merge<S> {
    pub(super) async fn solve(
        &self,
        solver: &impl Solver,
        block: &Block,
        crew: &impl Crew,
        sink: &mut impl Sink,
    ) -> Result<Option<JobOutcome>> {
        let layer = self.load_block(block).await?;
        let solved = solver.solve_group(&layer, self.options.precision, crew).await;
        let solution = solved.map_err(|error| error.tensor(self.first_tensor(block)))?;
        let Some(solution) = solution else { return Ok(None) };
        let mut parts = Vec::new();
        let mut row = 0;
        for (index, weight) in layer.weights.iter().enumerate() {
            let part = &block.parts[index];
            let row_bytes = (layer.n() * weight.dtype_out.size_bytes()) as u64;
            let start_bytes = self.offset_bytes(part.tensor)? + part.rows.start * row_bytes;
            let merged = Merged { layer: &layer, weight, solution: &solution, first_row: row };
            let measures = merged.write(start_bytes, sink).await?;
            let solve = Some(solution.reports[index].clone());
            parts.push(TensorPart { tensor: part.tensor, measures, solve });
            row += weight.n_out();
        }
        Ok(Some(JobOutcome { parts }))
    }

    /// Whose name stands for the block in errors.
    pub(super) fn first_tensor(&self, block: &Block) -> &str {
        &self.plan.tensors[block.parts[0].tensor].name
    }

    /// Reads a block's Gram matrices and rows of weights.
    pub(crate) async fn load_block(&self, block: &Block) -> Result<LayerGroup> {
        self.read_block(block).await.map_err(|error| self.with_estimate(error))
    }

    /// Says beside refused memory how much is needed.
    fn with_estimate(&self, mut error: Error) -> Error {
        if error.kind == ErrorKind::Memory {
            let needed = self.plan.estimate.memory_bytes.div_ceil(1_000_000);
            error.what += &format!("; a worker needs about {needed} MB in all");
        }
        error
    }

    async fn read_block(&self, block: &Block) -> Result<LayerGroup> {
        let mut weights = Vec::new();
        for part in &block.parts {
            weights.push(self.load_weight(part).await?);
        }
        let mut grams = Vec::new();
        let group = &self.plan.groups[block.group];
        for (model, key) in self.models.list.iter().zip(&group.gram_names) {
            grams.push(self.load_gram(model, key).await?);
        }
        let values = &self.plan.rules[group.rule].values;
        let shares = shares(&values.coefficients);
        LayerGroup::new(values.get(regmean::ALPHA.name), &shares, grams, weights)
    }

    async fn load_weight(&self, part: &Part) -> Result<Weight> {
        let planned = &self.plan.tensors[part.tensor];
        let orientation = match planned.action {
            Action::Regress { orientation, .. } => orientation,
            _ => Orientation::OutIn,
        };
        let mut stored = Vec::new();
        for model in &self.models.list {
            let (file, info) = model.require(&planned.name)?;
            stored.push(match orientation {
                Orientation::OutIn => read_rows(file, info, part.rows.clone()).await?,
                Orientation::InOut => read_rows(file, info, 0..info.shape[0]).await?,
            });
        }
        let (name, dtype_out) = (planned.name.clone(), planned.dtype_out);
        Ok(Weight { name, orientation, stored, dtype_out, magnify: 1.0 })
    }

    async fn load_gram(&self, model: &Model<S>, key: &str) -> Result<Gram> {
        let gram = model.gram();
        let entry = gram.and_then(|gram| gram.entries.values().find(|entry| entry.key == key));
        let entry = entry.ok_or_else(|| Error::input("its Gram matrix is missing").tensor(key))?;
        let (file, info) = model.gram_tensor(entry)?;
        let scale = self.per_row_scale(model, entry)?;
        let gram = read_gram(file, info, entry, scale).await;
        gram.map_err(|error| error.tensor(key).file(file.source.name()))
    }

    /// Turns sums into means, so that every model counts by its coefficient alone.
    fn per_row_scale(&self, model: &Model<S>, entry: &GramEntry) -> Result<f64> {
        let normalization = |model: &Model<S>| model.gram().map(|gram| gram.normalization);
        match (normalization(model), entry.rows) {
            (Some(Normalization::Sum), Some(rows)) => Ok(1.0 / rows),
            (Some(Normalization::Sum), None) => {
                // Without row counts only sums may stand beside sums.
                let all = |other: &Model<S>| normalization(other) == Some(Normalization::Sum);
                match self.models.list.iter().all(all) {
                    true => Ok(1.0),
                    false => Err(Error::input("it is a sum over an unknown number of rows")
                        .tensor(&entry.key)
                        .file(model.gram_name().unwrap_or_default())
                        .advice("add `rows` to the Gram file's metadata")),
                }
            }
            _ => Ok(1.0),
        }
    }
}

/// What is read of a Gram matrix at once, or a strip of it, if that is more.
const GRAM_SLICE_BYTES: usize = 4 << 20;

/// Reads a Gram matrix once, in order, of which half is kept.
async fn read_gram<S: Source>(
    file: &TensorFile<S>,
    info: &TensorInfo,
    entry: &GramEntry,
    scale: f64,
) -> Result<Gram> {
    let (n, size) = (entry.n as usize, entry.dtype.size_bytes());
    let mut builder = GramBuilder::new(n, entry.dtype, scale)?;
    let n_strips = (GRAM_SLICE_BYTES / (n * size * STRIP).max(1)).max(1);
    let (mut slice, mut offset_bytes) = (Vec::new(), 0);
    for start in (0..n).step_by(n_strips * STRIP) {
        let rows = start..n.min(start + n_strips * STRIP);
        let elements = match entry.layout {
            GramLayout::Full => rows.len() * n,
            GramLayout::Packed => packed_elements(n, rows),
        };
        slice.resize(elements * size, 0);
        file.read_part(info, offset_bytes, &mut slice).await?;
        offset_bytes += slice.len() as u64;
        match entry.layout {
            GramLayout::Full => builder.push(&slice)?,
            GramLayout::Packed => builder.push_packed(&slice)?,
        }
    }
    Ok(builder.finish())
}

/// Rows of a matrix as they are stored. `info` is two-dimensional: the plan has seen to it.
async fn read_rows<S: Source>(
    file: &TensorFile<S>,
    info: &TensorInfo,
    rows: Range<u64>,
) -> Result<Stored> {
    let cols = info.shape.get(1).map_or(1, |n| *n);
    let row_bytes = cols * info.dtype.bits() / 8;
    let bytes = rows.start * row_bytes..rows.end * row_bytes;
    let bytes = file.read_range(info, bytes).await?;
    let n_rows = (rows.end - rows.start) as usize;
    Ok(Stored { bytes, dtype: info.dtype, rows: n_rows, cols: cols as usize })
}

/// What is written at once, or a row of it, if that is more.
const WRITE_BYTES: usize = 4 << 20;

/// W = A + X of one weight, rounded to the output dtype in the weight's own orientation.
struct Merged<'a> {
    layer: &'a LayerGroup,
    weight: &'a Weight,
    solution: &'a Solution,
    /// The weight's first row in the solution.
    first_row: usize,
}

impl Merged<'_> {
    /// Writes from `start_bytes` on, some rows at a time; a transposed weight at once.
    async fn write(&self, start_bytes: u64, sink: &mut impl Sink) -> Result<Measures> {
        let n_out = self.weight.n_out();
        let row_bytes = self.layer.n() * self.weight.dtype_out.size_bytes();
        let n_rows = match self.weight.orientation {
            Orientation::OutIn => (WRITE_BYTES / row_bytes.max(1)).max(1),
            Orientation::InOut => n_out.max(1),
        };
        let mut measures = Measures::new(self.weight.stored.len());
        for start in (0..n_out).step_by(n_rows) {
            let bytes = self.rows(start..n_out.min(start + n_rows), &mut measures);
            sink.write_at(start_bytes + (start * row_bytes) as u64, &bytes).await?;
        }
        Ok(measures)
    }

    fn rows(&self, rows: Range<usize>, measures: &mut Measures) -> Vec<u8> {
        let Self { layer, weight, .. } = *self;
        let n = layer.n();
        let mut bytes = vec![0; rows.len() * n * weight.dtype_out.size_bytes()];
        let (mut line, mut own) = (vec![0.0; n], vec![0.0; n]);
        for row in rows.clone() {
            self.solution.difference_row(self.first_row + row, &mut line);
            weight.read(0, row, 0..n, &mut own);
            line.iter_mut().zip(&own).for_each(|(value, a)| *value += a);
            for (model, number) in layer.models.iter().enumerate() {
                weight.read(model, row, 0..n, &mut own);
                measures.compare(*number, &line, &own);
            }
            if weight.magnify != 1.0 {
                line.iter_mut().for_each(|value| *value /= weight.magnify);
            }
            measures.count(weight.dtype_out, &line);
            write_row(weight, row - rows.start, &line, &mut bytes);
        }
        bytes
    }
}

fn write_row(weight: &Weight, row: usize, line: &[f64], bytes: &mut [u8]) {
    let dtype: Dtype = weight.dtype_out;
    let (size, n, n_out) = (dtype.size_bytes(), line.len(), weight.n_out());
    match weight.orientation {
        Orientation::OutIn => {
            encode(dtype, line.iter().copied(), &mut bytes[row * n * size..(row + 1) * n * size]);
        }
        Orientation::InOut => {
            for (col, value) in line.iter().enumerate() {
                let start = (col * n_out + row) * size;
                encode(dtype, std::iter::once(*value), &mut bytes[start..start + size]);
            }
        }
    }
}

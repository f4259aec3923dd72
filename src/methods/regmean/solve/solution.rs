//! A solved group, and what the report says of it.

use super::{CONTRACT, Problem, is_short};
use crate::methods::regmean::Weight;
use crate::methods::regmean::estimate::Judgement;
use crate::methods::regmean::{SolvePath, SolveReport};
use crate::tensor::dtype::{Dtype, Real};

/// The worst of many elements errs by less than this, relative to all; probes err by two.
const WORST_ELEMENT: f64 = 10.0;

/// X `[m, n]`, in the arithmetic it was solved in.
#[derive(Debug, Clone)]
pub(super) enum Difference {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// The solved group: W = A + X.
#[derive(Debug, Clone)]
pub struct Solution {
    x: Difference,
    /// One per weight.
    pub reports: Vec<SolveReport>,
}

impl Solution {
    /// Row `row` of the group's X. `out: [n]`.
    pub fn difference_row(&self, row: usize, out: &mut [f64]) {
        let range = row * out.len()..(row + 1) * out.len();
        match &self.x {
            Difference::F32(x) => out.iter_mut().zip(&x[range]).for_each(|(o, v)| *o = v.to_f64()),
            Difference::F64(x) => out.copy_from_slice(&x[range]),
        }
    }
}

/// X̂ and what it took.
pub(super) struct Solved<T> {
    pub(super) x: Vec<T>, // [m, n], scaled
    pub(super) condition: f64,
    pub(super) judgements: Vec<Judgement>,
    pub(super) n_iterations: usize,
    pub(super) floor: f64,
    pub(super) remark: Option<String>,
}

impl<T: Real> Solved<T> {
    /// X = X̂ diag(s), with a report per weight.
    pub(super) fn finish(
        mut self,
        problem: &Problem<'_>,
        kernels: &str,
        path: SolvePath,
        wrap: impl Fn(Vec<T>) -> Difference,
    ) -> Solution {
        for row in self.x.chunks_mut(problem.group.n().max(1)) {
            for (value, s) in row.iter_mut().zip(&problem.scaling.scale) {
                *value = T::from_f64(value.to_f64() * s);
            }
        }
        let report = |(judged, weight): (&Judgement, &Weight)| {
            self.report(problem, kernels, path, judged, weight.dtype_out)
        };
        let reports = self.judgements.iter().zip(&problem.group.weights).map(report).collect();
        Solution { x: wrap(self.x), reports }
    }

    fn report(
        &self,
        problem: &Problem<'_>,
        kernels: &str,
        path: SolvePath,
        judged: &Judgement,
        dtype_out: Dtype,
    ) -> SolveReport {
        SolveReport {
            path,
            kernels: kernels.into(),
            condition: self.condition,
            error_estimate: judged.error,
            residual: judged.residual,
            n_dead_features: problem.scaling.n_dead(),
            n_iterations: self.n_iterations,
            floor: self.floor,
            missed: self.remark.clone().or_else(|| self.missed(problem, path, judged, dtype_out)),
            fault: problem.fault.clone(),
        }
    }
    /// Which bound was missed, and why.
    fn missed(
        &self,
        problem: &Problem<'_>,
        path: SolvePath,
        judged: &Judgement,
        dtype_out: Dtype,
    ) -> Option<String> {
        let error = judged.error;
        // Not `>`: a NaN is a miss.
        let is_good = error <= CONTRACT;
        if !is_good {
            let why = match path {
                SolvePath::F32 => "float32 was asked for",
                SolvePath::F64 => "the sum of Grams is too ill-conditioned for float64",
                SolvePath::F64Iterated => "the Grams hardly determine some directions",
            };
            return Some(format!("estimated error {error:.1e} above 1e-6: {why}"));
        }
        if path == SolvePath::F32 && !problem.can_be_judged::<f32>(self.condition) {
            let condition = self.condition;
            return Some(format!(
                "a condition of {condition:.0e} leaves float32, which was asked for, no digits to judge \
                 the error by"
            ));
        }
        let of_row = WORST_ELEMENT * error * judged.row_factor;
        (is_short(dtype_out) && of_row > CONTRACT).then(|| {
            format!(
                "single {} values may be off by more than a unit: the worst is estimated to err by \
                 {of_row:.1e}",
                dtype_out.name()
            )
        })
    }
}

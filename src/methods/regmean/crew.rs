//! Rows of X̂ that other workers compute.
//!
//! Once T = L Lᵀ is known, every row of X̂ T = R̂ is a problem of its own. The worker that leads a
//! layer factorises, hands L out, and computes the first rows; helpers read the same Grams, form
//! their rows of R̂ meanwhile, and solve for them when L arrives. The leader alone chooses the
//! arithmetic and judges the whole, so the result is the same whoever computed which row.

use std::ops::Range;

use super::layer::LayerGroup;
use super::product;
use super::scaling::Scaling;
use super::solve::{Engines, first_arithmetic};
use crate::backend::Backend;
use crate::methods::regmean::Precision;
use crate::tensor::dtype::Real;
use crate::{Error, Result};

/// Every part has at least so many rows, or none: with fewer, kernels may add in another order.
pub const MIN_ROWS: usize = 64;

/// The arithmetic of a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// f32
    Single,
    /// f64
    Double,
}

/// Bytes on their way between workers, which need not lie in this one's memory.
pub trait Payload {
    /// How many there are.
    fn len_bytes(&self) -> usize;

    /// Copies all of them. `out: [len_bytes]`
    fn copy_to(&self, out: &mut [u8]);
}

impl Payload for Vec<u8> {
    fn len_bytes(&self) -> usize {
        self.len()
    }

    fn copy_to(&self, out: &mut [u8]) {
        out.copy_from_slice(self);
    }
}

/// L as helpers get it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared<P> {
    /// Precision of the factor and of the rows to return.
    pub arithmetic: Arithmetic,
    /// What [`Backend::export`] gave, up to the diagonal row by row. `[n (n + 1) / 2]`
    pub factor: P,
}

/// The leader's view of its helpers.
#[expect(async_fn_in_trait, reason = "generic use only; a browser's futures are not Send")]
pub trait Crew {
    /// What helpers send.
    type Rows: Payload;

    /// How many of the group's rows the leader computes itself: the first ones.
    fn own_rows(&self, n_rows: usize) -> usize;

    /// Hands the factor to every helper.
    ///
    /// # Errors
    /// `Internal` if no helper can be reached.
    async fn publish(&self, arithmetic: Arithmetic, factor: &[u8]) -> Result<()>;

    /// The helpers' rows, together `[n_rows − own, n]`, in order and in the factor's arithmetic.
    ///
    /// # Errors
    /// `Internal` if a helper is lost for good.
    async fn collect(&self) -> Result<Vec<Self::Rows>>;
}

/// No helpers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Crew for Alone {
    type Rows = Vec<u8>;

    fn own_rows(&self, n_rows: usize) -> usize {
        n_rows
    }

    async fn publish(&self, _: Arithmetic, _: &[u8]) -> Result<()> {
        Ok(())
    }

    async fn collect(&self) -> Result<Vec<Vec<u8>>> {
        Ok(Vec::new())
    }
}

/// X̂ `[m, n]`, with the crew's help.
///
/// # Errors
/// As the backend's and the crew's.
pub(super) async fn solution<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    factor: &B::Factor,
    crew: &impl Crew,
) -> Result<Vec<B::Scalar>> {
    let (n, n_rows) = (group.n(), group.n_rows());
    let own = crew.own_rows(n_rows);
    if own < n_rows {
        let mut factor = backend.export(factor).await?;
        pack(n, &mut factor);
        crew.publish(arithmetic::<B>(), bytemuck::cast_slice(&factor)).await?;
    }
    let x = product::solution(backend, group, scaling, factor, 0..own).await?;
    let mut x = backend.download(x).await?;
    if own < n_rows {
        x.resize(n_rows * n, B::Scalar::default());
        fill(&mut x[own * n..], &crew.collect().await?)?;
    }
    Ok(x)
}

/// A helper's part: rows `rows` of X̂ `[rows, n]`, as bytes. Empty if no factor comes.
///
/// What the leader tries first is known, so the right-hand side is formed in that arithmetic while
/// the factor is still to come.
///
/// # Errors
/// As the backends'.
pub async fn help<F: Backend<Scalar = f32>, D: Backend<Scalar = f64>>(
    engines: &Engines<F, D>,
    group: &LayerGroup,
    rows: Range<usize>,
    precision: Precision,
    shared: impl Future<Output = Result<Option<Shared<impl Payload>>>>,
) -> Result<Vec<u8>> {
    let scaling = Scaling::of(group);
    let first = first_arithmetic(group, &scaling, precision);
    let single = Part { backend: &engines.single, group, scaling: &scaling, rows: rows.clone() };
    let double = Part { backend: &engines.double, group, scaling: &scaling, rows };
    let in_single = single.begin(first == Arithmetic::Single).await?;
    let in_double = double.begin(first == Arithmetic::Double).await?;
    let Some(shared) = shared.await? else { return Ok(Vec::new()) };
    match shared.arithmetic {
        Arithmetic::Single => single.finish(in_single, shared.factor).await,
        Arithmetic::Double => double.finish(in_double, shared.factor).await,
    }
}

/// A helper's rows in one arithmetic.
struct Part<'a, B> {
    backend: &'a B,
    group: &'a LayerGroup,
    scaling: &'a Scaling,
    rows: Range<usize>,
}

impl<B: Backend> Part<'_, B> {
    /// The right-hand side, where it is `expected` to be asked for.
    async fn begin(&self, expected: bool) -> Result<Option<B::Matrix>> {
        if !expected || !product::solves_rows(self.group) {
            return Ok(None);
        }
        let Self { backend, group, scaling, rows } = self;
        product::right_hand_side(*backend, group, scaling, rows).await.map(Some)
    }

    /// X̂ of the rows, as bytes.
    async fn finish(self, begun: Option<B::Matrix>, factor: impl Payload) -> Result<Vec<u8>> {
        let Self { backend, group, scaling, rows } = self;
        let n = group.n();
        let mut values = vec![B::Scalar::default(); n * n]; // [n, n]
        fill(&mut values[..packed_start(n)], &[factor])?;
        unpack(n, &mut values);
        let factor = backend.import(n, values).await?;
        let x = match begun {
            Some(mut x) => {
                backend.solve(&factor, &mut x).await?;
                x
            }
            None => product::solution(backend, group, scaling, &factor, rows).await?,
        };
        Ok(bytemuck::cast_slice(&backend.download(x).await?).to_vec())
    }
}

fn arithmetic<B: Backend>() -> Arithmetic {
    match size_of::<B::Scalar>() {
        4 => Arithmetic::Single,
        _ => Arithmetic::Double,
    }
}

/// Where row `row` of a lower triangle begins whose rows follow each other up to the diagonal.
fn packed_start(row: usize) -> usize {
    row * (row + 1) / 2
}

/// Keeps the lower triangle, row by row. `values: [n, n]` to `[n (n + 1) / 2]`
fn pack<T: Copy>(n: usize, values: &mut Vec<T>) {
    for row in 1..n {
        values.copy_within(row * n..=row * n + row, packed_start(row));
    }
    values.truncate(packed_start(n));
}

/// Undoes [`pack`], with zeros above the diagonal. `values: [n, n]`
fn unpack<T: Real>(n: usize, values: &mut [T]) {
    for row in (0..n).rev() {
        values.copy_within(packed_start(row)..packed_start(row + 1), row * n);
        values[row * n + row + 1..(row + 1) * n].fill(T::default());
    }
}

/// Copies the payloads one behind the other; they must fill all of `values`.
fn fill<T: Real>(values: &mut [T], payloads: &[impl Payload]) -> Result<()> {
    let mut rest: &mut [u8] = bytemuck::cast_slice_mut(values);
    let total: usize = payloads.iter().map(Payload::len_bytes).sum();
    if total != rest.len() {
        return Err(Error::internal("a worker sent a matrix of another size than was asked for"));
    }
    for payload in payloads {
        let (part, behind) = rest.split_at_mut(payload.len_bytes());
        payload.copy_to(part);
        rest = behind;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triangle_is_unpacked_as_it_was_packed() {
        for n in [0, 1, 2, 5] {
            let mut values: Vec<f32> = (1..=n * n).map(|value| value as f32).collect();
            let lower =
                |place: usize| if place % n <= place / n { place as f32 + 1.0 } else { 0.0 };
            let expected: Vec<f32> = (0..n * n).map(lower).collect();
            pack(n, &mut values);
            assert_eq!(values.len(), n * (n + 1) / 2);
            values.resize(n * n, f32::NAN);
            unpack(n, &mut values);
            assert_eq!(values, expected);
        }
    }
}

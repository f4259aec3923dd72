//! Rows of X̂ that other workers compute.
//!
//! Once T = L Lᵀ is known, every row of X̂ T = R̂ is a problem of its own. The worker that leads a
//! layer factorises, hands L out, and computes the first rows; helpers read the same Grams, form
//! their rows of R̂ meanwhile, and solve for them when L arrives. The leader alone chooses the
//! arithmetic and judges the whole, so the result is the same whoever computed which row.

use std::ops::Range;

use super::layer::LayerGroup;
use super::product::{self, Scaling};
use super::solve::Engines;
use crate::backend::Backend;
use crate::dtype::Real;
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
    /// Of L, and of the rows that are wanted.
    pub arithmetic: Arithmetic,
    /// `[n, n]`, as [`Backend::export`] gave it.
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
    /// `Device` if no helper can be reached.
    async fn publish(&self, arithmetic: Arithmetic, factor: &[u8]) -> Result<()>;

    /// The helpers' rows, together `[n_rows − own, n]`, in order and in the factor's arithmetic.
    ///
    /// # Errors
    /// `Device` if a helper is lost for good.
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
        let factor = backend.export(factor).await?;
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
/// `early` says that a factor in f32 is likely, so that its right-hand side is formed first.
///
/// # Errors
/// As the backends'.
pub async fn help<F: Backend<Scalar = f32>, D: Backend<Scalar = f64>>(
    engines: &Engines<F, D>,
    group: &LayerGroup,
    rows: Range<usize>,
    early: bool,
    shared: impl Future<Output = Result<Option<Shared<impl Payload>>>>,
) -> Result<Vec<u8>> {
    let scaling = Scaling::of(group);
    let early = early && product::solves_rows(group);
    let ready = match early {
        true => Some(product::right_hand_side(&engines.single, group, &scaling, &rows).await?),
        false => None,
    };
    let Some(shared) = shared.await? else { return Ok(Vec::new()) };
    match shared.arithmetic {
        Arithmetic::Single => finish(&engines.single, group, &scaling, rows, ready, shared).await,
        Arithmetic::Double => finish(&engines.double, group, &scaling, rows, None, shared).await,
    }
}

async fn finish<B: Backend>(
    backend: &B,
    group: &LayerGroup,
    scaling: &Scaling,
    rows: Range<usize>,
    ready: Option<B::Matrix>,
    shared: Shared<impl Payload>,
) -> Result<Vec<u8>> {
    let n = group.n();
    let mut factor = vec![B::Scalar::default(); n * n]; // [n, n]
    fill(&mut factor, &[shared.factor])?;
    let factor = backend.import(n, factor).await?;
    let x = match ready {
        Some(mut x) => {
            backend.solve(&factor, &mut x).await?;
            x
        }
        None => product::solution(backend, group, scaling, &factor, rows).await?,
    };
    Ok(bytemuck::cast_slice(&backend.download(x).await?).to_vec())
}

fn arithmetic<B: Backend>() -> Arithmetic {
    match size_of::<B::Scalar>() {
        4 => Arithmetic::Single,
        _ => Arithmetic::Double,
    }
}

/// Copies the payloads one behind the other; they must fill all of `values`.
fn fill<T: Real>(values: &mut [T], payloads: &[impl Payload]) -> Result<()> {
    let mut rest: &mut [u8] = bytemuck::cast_slice_mut(values);
    let total: usize = payloads.iter().map(Payload::len_bytes).sum();
    if total != rest.len() {
        return Err(Error::device("a worker sent a matrix of another size than was asked for"));
    }
    for payload in payloads {
        let (part, behind) = rest.split_at_mut(payload.len_bytes());
        payload.copy_to(part);
        rest = behind;
    }
    Ok(())
}

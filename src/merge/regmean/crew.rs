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

/// L as it travels to helpers.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// Of L, and of the rows that are wanted.
    pub arithmetic: Arithmetic,
    /// `[n, n]`, as [`Backend::export`] gave it.
    pub factor: Vec<u8>,
}

/// The leader's view of its helpers.
#[expect(async_fn_in_trait, reason = "generic use only; a browser's futures are not Send")]
pub trait Crew {
    /// How many of the group's rows the leader computes itself: the first ones.
    fn own_rows(&self, n_rows: usize) -> usize;

    /// Hands the factor to every helper.
    ///
    /// # Errors
    /// `Device` if no helper can be reached.
    async fn publish(&self, shared: Shared) -> Result<()>;

    /// The helpers' rows, `[n_rows − own, n]` in order, in the factor's arithmetic.
    ///
    /// # Errors
    /// `Device` if a helper is lost for good.
    async fn collect(&self) -> Result<Vec<u8>>;
}

/// No helpers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Crew for Alone {
    fn own_rows(&self, n_rows: usize) -> usize {
        n_rows
    }

    async fn publish(&self, _: Shared) -> Result<()> {
        Ok(())
    }

    async fn collect(&self) -> Result<Vec<u8>> {
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
        let factor = bytemuck::cast_slice(&backend.export(factor).await?).to_vec();
        crew.publish(Shared { arithmetic: arithmetic::<B>(), factor }).await?;
    }
    let x = product::solution(backend, group, scaling, factor, 0..own).await?;
    let mut x = backend.download(x).await?;
    if own < n_rows {
        let others = from_bytes::<B>(&crew.collect().await?, (n_rows - own) * n)?;
        x.extend(others);
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
    shared: impl Future<Output = Result<Option<Shared>>>,
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
    shared: Shared,
) -> Result<Vec<u8>> {
    let n = group.n();
    let factor = backend.import(n, from_bytes::<B>(&shared.factor, n * n)?).await?;
    drop(shared);
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

fn from_bytes<B: Backend>(bytes: &[u8], len: usize) -> Result<Vec<B::Scalar>> {
    if bytes.len() != len * size_of::<B::Scalar>() {
        return Err(Error::device("a worker sent a matrix of another size than was asked for"));
    }
    Ok(bytemuck::allocation::pod_collect_to_vec(bytes))
}

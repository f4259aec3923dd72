//! Products, factorisations and solves through the backend.

use gramerge::Result;
use gramerge::backend::Backend;
use gramerge::backend::cpu::{Cpu, Native};
use gramerge::tensor::dtype::Real;
use pollster::block_on;

use crate::case::{Ready, Work};
use crate::data;

/// Size of the product.
const GEMM: usize = 960;
/// Right-hand sides of a solve.
pub(crate) const N_RHS: usize = 768;

/// The cases of this module.
pub fn names() -> Vec<String> {
    let both = |name: String| ["f32", "f64"].map(|scalar| format!("{name}-{scalar}"));
    let kinds = ["cholesky", "solve"];
    let sized = kinds.iter().flat_map(|kind| [768, 3072].map(|n| format!("{kind}-{n}")));
    std::iter::once(format!("gemm-{GEMM}")).chain(sized).flat_map(both).collect()
}

/// Makes one of them ready.
pub fn prepare(name: &str) -> Option<Ready> {
    let mut words = name.split('-');
    let (kind, n, scalar) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    match scalar {
        "f32" => of_kind(Cpu::<Native<f32>>::default(), kind, n),
        "f64" => of_kind(Cpu::<Native<f64>>::default(), kind, n),
        _ => None,
    }
}

fn of_kind<B: Backend + Copy + 'static>(backend: B, kind: &str, n: usize) -> Option<Ready> {
    let made = match kind {
        "gemm" => block_on(product(backend, n)),
        "cholesky" => Ok(factorisation(backend, n)),
        "solve" => block_on(solve(backend, n)),
        _ => return None,
    };
    made.ok()
}

/// C ← C + A B, `[n, n]` each.
async fn product<B: Backend + 'static>(backend: B, n: usize) -> Result<Ready> {
    let a = backend.upload(n, n, real(data::matrix(n, n, 1))).await?;
    let b = backend.upload(n, n, real(data::matrix(n, n, 2))).await?;
    let mut c = backend.upload(n, n, vec![B::Scalar::default(); n * n]).await?;
    Ok(Box::new(move || {
        block_on(backend.multiply_add(&mut c, &a, &b))?;
        Ok(Work::flops(2.0 * (n as f64).powi(3)))
    }))
}

/// S = L Lᵀ; the copy of S that each run needs is timed with it.
fn factorisation<B: Backend + 'static>(backend: B, n: usize) -> Ready {
    let s: Vec<B::Scalar> = real(conditioned(n));
    Box::new(move || {
        block_on(factorise(&backend, n, s.clone()))?;
        Ok(Work::flops((n as f64).powi(3) / 3.0))
    })
}

/// X ← X S⁻¹ for `x: [768, n]`, which shrinks from run to run by far too little to matter.
async fn solve<B: Backend + 'static>(backend: B, n: usize) -> Result<Ready> {
    let factor = factorise(&backend, n, real(conditioned(n))).await?;
    let mut x = backend.upload(N_RHS, n, real(data::matrix(N_RHS, n, 3))).await?;
    Ok(Box::new(move || {
        block_on(backend.solve(&factor, &mut x))?;
        Ok(Work::flops(2.0 * (n * n) as f64 * N_RHS as f64))
    }))
}

async fn factorise<B: Backend>(backend: &B, n: usize, s: Vec<B::Scalar>) -> Result<B::Factor> {
    let s = backend.upload(n, n, s).await?;
    let refused = |_| gramerge::Error::numeric("the made matrix is not positive definite");
    backend.cholesky(s).await?.map_err(refused)
}

/// A Gram matrix near the identity, so that many solves in a row neither grow nor vanish.
pub(crate) fn conditioned(n: usize) -> Vec<f32> {
    let mut s = data::matrix(n, n, 4);
    for i in 0..n {
        for j in 0..i {
            let value = s[i * n + j] * 0.1 / n as f32;
            s[i * n + j] = value;
            s[j * n + i] = value;
        }
        s[i * n + i] = 1.0;
    }
    s
}

fn real<T: Real>(values: Vec<f32>) -> Vec<T> {
    values.into_iter().map(|value| T::from_f64(f64::from(value))).collect()
}

//! Products, factors and solves of one backend against the oracle.

use gramerge::backend::{Backend, NotPositive};
use gramerge::tensor::dtype::Real;
use gramerge::tensor::larger;

use crate::cases::must_fail;
use crate::generate::{Random, SIZES, positive_definite};
use crate::{Cases, Verdict, naive, ratios};

/// Rectangular shapes (m, n, k): every tile edge, depth and column blocks of 256, the row block of 1024;
/// and few rows, which have loops of their own.
const SHAPES: [(usize, usize, usize); 16] = [
    (1, 1, 1),
    (3, 5, 7),
    (4, 8, 256),
    (5, 9, 257),
    (4, 16, 255),
    (8, 7, 1),
    (127, 3, 33),
    (128, 129, 64),
    (129, 8, 300),
    (2, 1025, 3),
    (131, 131, 131),
    (1, 300, 2),
    (260, 1, 5),
    (17, 1031, 259),
    (1031, 17, 259),
    (1026, 261, 5),
];

/// Every case of a backend.
pub fn cases<B: Backend>(backend: &B) -> Cases<'_> {
    let mut cases = Cases::default();
    for (m, n, k) in SHAPES {
        cases.add(format!("product {m}×{n}×{k}"), product(backend, m, n, k));
    }
    for (m, n, k) in [(0, 3, 2), (3, 0, 2), (3, 2, 0)] {
        cases.add(format!("empty product {m}×{n}×{k}"), product(backend, m, n, k));
    }
    for (m, n, _) in SHAPES {
        cases.add(format!("Gram matrix of {m}×{n}"), gram(backend, m, n));
    }
    for n in SIZES.into_iter().chain([257, 300]) {
        for (kind, condition) in conditions::<B::Scalar>() {
            for m in [FEW, MANY] {
                let name = format!("factor n={n}, {kind}, and solve {m} rows");
                cases.add(name, factored(backend, (m, n), condition, 1.0));
            }
        }
    }
    for scale in [1e-18, 1e18] {
        cases.add(
            format!("factor and solve at scale {scale:e}"),
            factored(backend, (MANY, 65), 100.0, scale),
        );
    }
    cases.add("zero row is refused at its index", zero_row(backend));
    cases.add("indefinite matrix is refused", indefinite(backend));
    cases.add("NaN is refused", not_a_number(backend));
    cases.add("upper triangle is not read", upper_triangle(backend));
    cases.add("planted error in a product is seen", planted_product(backend));
    cases.add("planted error in a Gram matrix is seen", planted_gram(backend));
    cases.add("planted error in a factor is seen", planted_factor(backend));
    cases.labelled(B::Scalar::NAME)
}

/// From well-conditioned to the edge of the arithmetic.
fn conditions<T: Real>() -> [(&'static str, f64); 3] {
    let edge = 0.1 / (2.0 * T::UNIT_ROUNDOFF);
    [("condition 10", 10.0), ("condition √(1/eps)", edge.sqrt()), ("condition 0.1/eps", edge)]
}

fn eps<B: Backend>() -> f64 {
    2.0 * B::Scalar::UNIT_ROUNDOFF
}

fn narrow<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|value| T::from_f64(*value)).collect()
}

fn widen<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

struct Product {
    found: Vec<f64>,
    oracle: Vec<f64>,
    sizes: Vec<f64>,
}

async fn multiplied<B: Backend>(
    backend: &B,
    m: usize,
    n: usize,
    k: usize,
) -> Result<Product, String> {
    let mut random = Random::new((m * 1_000_003 + n * 1009 + k) as u64);
    let rounded = |values: Vec<f64>| narrow::<B::Scalar>(&values);
    let a = rounded(random.matrix(m, k));
    let b = rounded(random.matrix(k, n));
    let c = rounded(random.matrix(m, n));
    let (wide_a, wide_b, wide_c) = (widen(&a), widen(&b), widen(&c));
    let absolute = |values: &[f64]| values.iter().map(|x| x.abs()).collect::<Vec<_>>();
    let oracle = naive::multiply_add(m, n, k, &wide_a, &wide_b, &wide_c);
    let (abs_a, abs_b, abs_c) = (absolute(&wide_a), absolute(&wide_b), absolute(&wide_c));
    let sizes = naive::multiply_add(m, n, k, &abs_a, &abs_b, &abs_c);
    let run = async {
        let mut c = backend.upload(m, n, c).await?;
        let (a, b) = (backend.upload(m, k, a).await?, backend.upload(k, n, b).await?);
        backend.multiply_add(&mut c, &a, &b).await?;
        backend.download(c).await
    };
    let found = run.await.map_err(|error| error.to_string())?;
    Ok(Product { found: widen(&found), oracle, sizes })
}

async fn product<B: Backend>(backend: &B, m: usize, n: usize, k: usize) -> Verdict {
    let Product { found, oracle, sizes } = multiplied(backend, m, n, k).await?;
    ratios::close(&found, &oracle, &sizes, eps::<B>(), 8.0)
}

async fn planted_product<B: Backend>(backend: &B) -> Verdict {
    let Product { mut found, oracle, sizes } = multiplied(backend, 31, 33, 65).await?;
    found[517] *= 1.0 + 1e3 * eps::<B>();
    must_fail(ratios::close(&found, &oracle, &sizes, eps::<B>(), 8.0))
}

/// The lower triangle of G + Xᵀ X; of G only that is given.
async fn grams<B: Backend>(backend: &B, m: usize, n: usize) -> Result<Product, String> {
    let mut random = Random::new((m * 1009 + n) as u64);
    let x = narrow::<B::Scalar>(&random.matrix(m, n));
    let mut g = narrow::<B::Scalar>(&random.matrix(n, n));
    let (wide_x, wide_g) = (widen(&x), widen(&g));
    let oracle = |x: &[f64], g: &[f64]| {
        let transposed: Vec<f64> = (0..n * m).map(|i| x[i % m * n + i / m]).collect();
        lower(n, &naive::multiply_add(n, n, m, &transposed, x, g))
    };
    let absolute = |values: &[f64]| values.iter().map(|x| x.abs()).collect::<Vec<_>>();
    let sizes = oracle(&absolute(&wide_x), &absolute(&wide_g));
    (0..n).for_each(|i| g[i * n + i + 1..(i + 1) * n].fill(B::Scalar::from_f64(f64::NAN)));
    let run = async {
        let (mut g, x) = (backend.upload(n, n, g).await?, backend.upload(m, n, x).await?);
        backend.add_gram(&mut g, &x).await?;
        backend.download(g).await
    };
    let found = lower(n, &widen(&run.await.map_err(|error| error.to_string())?));
    Ok(Product { found, oracle: oracle(&wide_x, &wide_g), sizes })
}

/// The lower triangle, row by row. `values: [n, n]`
fn lower(n: usize, values: &[f64]) -> Vec<f64> {
    (0..n).flat_map(|i| values[i * n..=i * n + i].to_vec()).collect()
}

async fn gram<B: Backend>(backend: &B, m: usize, n: usize) -> Verdict {
    let Product { found, oracle, sizes } = grams(backend, m, n).await?;
    // The oracle adds row after row, and rounds as often.
    let slack = 8.0 * (m as f64 / 256.0).max(1.0);
    ratios::close(&found, &oracle, &sizes, eps::<B>(), slack)
}

async fn planted_gram<B: Backend>(backend: &B) -> Verdict {
    let Product { mut found, oracle, sizes } = grams(backend, 65, 33).await?;
    found[517] *= 1.0 + 1e3 * eps::<B>();
    must_fail(ratios::close(&found, &oracle, &sizes, eps::<B>(), 8.0))
}

/// Right-hand sides: so few have loops of their own.
const FEW: usize = 15;
/// Strips of 16 and some.
const MANY: usize = 37;

struct Factored {
    s: Vec<f64>,
    b: Vec<f64>,
    lower: Vec<f64>,
    x: Vec<f64>,
}

/// Factorises and solves; L is read back by solving for the unit matrix.
async fn run_factored<B: Backend>(
    backend: &B,
    (m, n): (usize, usize),
    condition: f64,
    scale: f64,
) -> Result<Factored, String> {
    let mut random = Random::new(n as u64);
    let s: Vec<f64> =
        positive_definite(n, condition, &mut random).iter().map(|x| x * scale).collect();
    let s = widen(&narrow::<B::Scalar>(&s));
    let b = widen(&narrow::<B::Scalar>(&random.matrix(m, n)));
    let run = async {
        let uploaded = backend.upload(n, n, narrow(&s)).await?;
        let Ok(factor) = backend.cholesky(uploaded).await? else { return Ok(None) };
        let mut x = backend.upload(m, n, narrow(&b)).await?;
        backend.solve(&factor, &mut x).await?;
        Ok::<_, gramerge::Error>(Some(backend.download(x).await?))
    };
    let x = run.await.map_err(|error| error.to_string())?;
    let x = widen(&x.ok_or("it was refused as not positive definite")?);
    Ok(Factored { lower: naive_factor(n, &s), s, b, x })
}

async fn factored<B: Backend>(
    backend: &B,
    shape: (usize, usize),
    condition: f64,
    scale: f64,
) -> Verdict {
    let Factored { s, b, x, .. } = run_factored(backend, shape, condition, scale).await?;
    ratios::solution(shape.1, &s, &x, &b, eps::<B>())
}

async fn planted_factor<B: Backend>(backend: &B) -> Verdict {
    let n = 33;
    let Factored { s, b, mut x, mut lower } = run_factored(backend, (FEW, n), 10.0, 1.0).await?;
    ratios::factor(n, &s, &lower, f64::EPSILON)?;
    lower[20 * n + 3] += 1e-9;
    must_fail(ratios::factor(n, &s, &lower, f64::EPSILON))?;
    x[7] += 1e5 * eps::<B>() * x.iter().map(|value| value.abs()).fold(0.0, larger);
    must_fail(ratios::solution(n, &s, &x, &b, eps::<B>()))
}

/// The textbook factor, in f64.
fn naive_factor(n: usize, s: &[f64]) -> Vec<f64> {
    let mut lower = vec![0.0; n * n];
    for j in 0..n {
        for i in j..n {
            let done: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            let rest = s[i * n + j] - done;
            lower[i * n + j] = if i == j { rest.sqrt() } else { rest / lower[j * n + j] };
        }
    }
    lower
}

async fn refused<B: Backend>(backend: &B, n: usize, s: &[f64]) -> Result<NotPositive, String> {
    let uploaded = backend.upload(n, n, narrow(s)).await.map_err(|error| error.to_string())?;
    match backend.cholesky(uploaded).await.map_err(|error| error.to_string())? {
        Err(refused) => Ok(refused),
        Ok(_) => Err("it was accepted".into()),
    }
}

async fn zero_row<B: Backend>(backend: &B) -> Verdict {
    for (n, zero) in [(1, 0), (20, 19), (40, 0), (150, 140)] {
        let mut s = positive_definite(n, 10.0, &mut Random::new(3));
        (0..n).for_each(|i| (s[i * n + zero], s[zero * n + i]) = (0.0, 0.0));
        let refused = refused(backend, n, &s).await?;
        if refused.index != zero {
            return Err(format!("n={n}: refused at {}, not at {zero}", refused.index));
        }
    }
    Ok(())
}

async fn indefinite<B: Backend>(backend: &B) -> Verdict {
    let n = 50;
    let mut s = positive_definite(n, 10.0, &mut Random::new(4));
    s[30 * n + 30] -= 2.0;
    refused(backend, n, &s).await.map(|_| ())
}

async fn not_a_number<B: Backend>(backend: &B) -> Verdict {
    let n = 37;
    let mut s = positive_definite(n, 10.0, &mut Random::new(5));
    s[36 * n + 5] = f64::NAN;
    refused(backend, n, &s).await.map(|_| ())
}

/// A NaN above the diagonal must not matter.
async fn upper_triangle<B: Backend>(backend: &B) -> Verdict {
    let n = 150;
    let s = positive_definite(n, 10.0, &mut Random::new(6));
    let mut lower_only = s.clone();
    for i in 0..n {
        lower_only[i * n + i + 1..(i + 1) * n].fill(f64::NAN);
    }
    let solve = async |values: &[f64]| {
        let uploaded = backend.upload(n, n, narrow(values)).await?;
        let Ok(factor) = backend.cholesky(uploaded).await? else { return Ok(Vec::new()) };
        let mut x = backend.upload(2, n, narrow(&Random::new(7).matrix(2, n))).await?;
        backend.solve(&factor, &mut x).await?;
        Ok::<_, gramerge::Error>(widen(&backend.download(x).await?))
    };
    let (whole, half) = (solve(&s).await, solve(&lower_only).await);
    match (whole, half) {
        (Ok(whole), Ok(half)) if whole == half && !whole.is_empty() => Ok(()),
        (Ok(_), Ok(_)) => Err("the answers differ".into()),
        (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
    }
}

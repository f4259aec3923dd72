//! The cases on a graphics card. They wait for the card, so a browser runs them as promises.

use gramerge::backend::Backend;
use gramerge::backend::cpu::{Cpu, Native};
use gramerge::backend::gpu::{Factor, Gpu, Matrix, Settings};
use gramerge::merge::options::Precision;
use gramerge::merge::regmean::{Alone, Engines, LayerGroup, solve};
use gramerge::{Error, Result};

use crate::case::Work;
use crate::matrix::{N_RHS, conditioned};
use crate::{data, layer};

/// Every case; the largest need a real card.
pub fn names(real: bool) -> Vec<String> {
    let sizes: &[usize] = if real { &[512, 1024, 3072, 4096] } else { &[512, 1024] };
    let layers: &[usize] = if real { &[384, 768, 3072] } else { &[384] };
    let kinds = ["gemm", "cholesky", "solve"];
    let sized = kinds.iter().flat_map(|kind| sizes.iter().map(move |n| format!("gpu-{kind}-{n}")));
    sized.chain(layers.iter().map(|n| format!("gpu-layer-{n}"))).collect()
}

/// Whether there is a card that is no software.
pub async fn is_real() -> bool {
    matches!(Gpu::open(Settings::default()).await, Ok(Some(_)))
}

/// A case that is ready to run.
pub struct CardCase {
    gpu: Gpu,
    kind: Kind,
}

enum Kind {
    /// C ← C + A B, `[n, n]` each.
    Product { c: Matrix, a: Matrix, b: Matrix },
    /// S = L Lᵀ, with the upload of S, `[n, n]`.
    Factor { n: usize, s: Vec<f32> },
    /// X ← X S⁻¹, `x: [768, n]`.
    Solve { n: usize, factor: Factor, x: Matrix },
    /// One layer n→n of two models, in f32: put together, factorised, solved, checked.
    Layer(LayerGroup),
}

impl CardCase {
    /// Opens the card and makes the case ready.
    ///
    /// # Errors
    /// `Usage` if there is no such case, `Device` if there is no card.
    pub async fn open(name: &str) -> Result<Self> {
        let settings = Settings { software: true, ..Settings::default() };
        let gpu = Gpu::open(settings).await?.ok_or_else(|| Error::device("there is no card"))?;
        let unknown = || Error::usage(format!("no case `{name}` here"));
        let mut words = name.split('-').skip(1);
        let kind = words.next().ok_or_else(unknown)?;
        let n = words.next().and_then(|n| n.parse().ok()).ok_or_else(unknown)?;
        let kind = match kind {
            "gemm" => Kind::Product {
                a: gpu.upload(n, n, data::matrix(n, n, 1)).await?,
                b: gpu.upload(n, n, data::matrix(n, n, 2)).await?,
                c: gpu.zeros(n, n).await?,
            },
            "cholesky" => Kind::Factor { n, s: conditioned(n) },
            "solve" => Kind::Solve {
                n,
                factor: factorise(&gpu, n, conditioned(n)).await?,
                x: gpu.upload(N_RHS, n, data::matrix(N_RHS, n, 3)).await?,
            },
            "layer" => Kind::Layer(layer::group(n, n)?),
            _ => return Err(unknown()),
        };
        Ok(Self { gpu, kind })
    }

    /// Which card, and the register tile that was fastest on it.
    pub fn card(&self) -> String {
        format!("{}, {}", self.gpu.name(), self.gpu.tile())
    }

    /// Runs it once, to the end.
    ///
    /// # Errors
    /// As the backend's.
    pub async fn run(&mut self) -> Result<Work> {
        let gpu = &self.gpu;
        let cube = |n: usize| (n as f64).powi(3);
        let work = match &mut self.kind {
            Kind::Product { c, a, b } => {
                gpu.multiply_add(c, a, b).await?;
                Work::flops(2.0 * cube(a.rows()))
            }
            Kind::Factor { n, s } => {
                factorise(gpu, *n, s.clone()).await?;
                Work::flops(cube(*n) / 3.0)
            }
            Kind::Solve { n, factor, x } => {
                gpu.solve(factor, x).await?;
                Work::flops(2.0 * (*n * *n) as f64 * N_RHS as f64)
            }
            Kind::Layer(group) => {
                let double = Cpu::<Native<f64>>::default();
                let engines = Engines { single: gpu.clone(), double };
                layer::work(group, &solve(&engines, group, Precision::Fast, &Alone).await?)
            }
        };
        gpu.finish().await?;
        Ok(work)
    }
}

async fn factorise(gpu: &Gpu, n: usize, s: Vec<f32>) -> Result<Factor> {
    let refused = |_| Error::numeric("the made matrix is not positive definite");
    gpu.cholesky(gpu.upload(n, n, s).await?).await?.map_err(refused)
}

//! The cases on a graphics card. They wait for the card, so a browser runs them as promises.

use gramerge::backend::Backend;
use gramerge::backend::cpu::{Cpu, Native};
use gramerge::backend::gpu::shaders::{Kernel, Tile, source};
use gramerge::backend::gpu::{Factor, Gpu, Matrix, Settings};
use gramerge::methods::regmean::{Alone, Engines, LayerGroup, solve};
use gramerge::recipe::Precision;
use gramerge::{Error, Result};

use crate::case::Work;
use crate::matrix::{N_RHS, conditioned};
use crate::{data, layer};

/// Sides of the matrices.
const SIZES: [usize; 4] = [512, 1024, 3072, 4096];
/// A card on which one run takes longer is too slow for the case.
const LONGEST_SECONDS: f64 = 2.0;
const MODELS: usize = 2;

/// A case by its name, `gpu-KIND-N`.
#[derive(Debug, Clone)]
pub struct Named {
    kind: String,
    n: usize,
}

impl Named {
    /// Every case.
    pub fn all() -> Vec<Self> {
        let of = |kind: &'static str, sizes: &'static [usize]| {
            sizes.iter().map(move |n| Self { kind: kind.into(), n: *n })
        };
        let sized = ["gemm", "gram", "cholesky", "solve"].into_iter();
        of("peak", &[512, 4096])
            .chain(sized.flat_map(|kind| of(kind, &SIZES)))
            .chain(of("layer", &[384, 768, 3072]))
            .collect()
    }

    fn parse(name: &str) -> Option<Self> {
        let (kind, n) = name.strip_prefix("gpu-")?.split_once('-')?;
        Some(Self { kind: kind.into(), n: n.parse().ok()? })
    }

    /// Operations of one run, as the mathematics counts them.
    fn flops(&self) -> f64 {
        let n = self.n as f64;
        match self.kind.as_str() {
            "gram" => n.powi(3),
            "cholesky" => n.powi(3) / 3.0,
            "solve" => 2.0 * n * n * N_RHS as f64,
            "layer" => layer::flops(self.n, self.n, MODELS),
            _ => 2.0 * n.powi(3),
        }
    }

    /// Whether a card that multiplies at this rate gets it done soon enough.
    pub fn suits(&self, flops_per_second: f64) -> bool {
        self.flops() < LONGEST_SECONDS * flops_per_second
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "gpu-{}-{}", self.kind, self.n)
    }
}

/// The card, be it software.
///
/// # Errors
/// `Device` if there is none.
pub async fn open() -> Result<Gpu> {
    open_with(Settings::default()).await
}

async fn open_with(settings: Settings) -> Result<Gpu> {
    let opened = Gpu::open(Settings { software: true, ..settings }).await?;
    opened.ok_or_else(|| Error::device("there is no card"))
}

/// Whether there is a card that is no software.
pub async fn is_real() -> bool {
    matches!(Gpu::open(Settings::default()).await, Ok(Some(_)))
}

/// A case that is ready to run.
pub struct CardCase {
    gpu: Gpu,
    name: Named,
    kind: Kind,
}

enum Kind {
    /// C ← C + A B, `[n, n]` each.
    Product { c: Matrix, a: Matrix, b: Matrix },
    /// G ← G + Xᵀ X, `[n, n]` both.
    Gram { g: Matrix, x: Matrix },
    /// S = L Lᵀ, `[n, n]`. S is used up.
    Factor { s: Vec<f32>, uploaded: Option<Matrix> },
    /// X ← X S⁻¹, `x: [768, n]`.
    Solve { factor: Factor, x: Matrix },
    /// One layer n→n of two models, in f32: put together, factorised, solved, checked.
    Layer(LayerGroup),
}

impl CardCase {
    /// Opens the card and makes the case ready.
    ///
    /// # Errors
    /// `Usage` if there is no such case, `Device` if there is no card.
    pub async fn open(name: &str) -> Result<Self> {
        let name = Named::parse(name).ok_or_else(|| unknown(name))?;
        Self::on(open().await?, name).await
    }

    /// Makes the case ready on this card.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn on(mut gpu: Gpu, name: Named) -> Result<Self> {
        let n = name.n;
        let kind = match name.kind.as_str() {
            "peak" => {
                let tile = Some(Tile::ALL[0]);
                gpu = open_with(Settings { source: peak, tile, ..Settings::default() }).await?;
                product(&gpu, n).await?
            }
            "gemm" => product(&gpu, n).await?,
            "gram" => Kind::Gram {
                g: gpu.zeros(n, n).await?,
                x: gpu.upload(n, n, data::matrix(n, n, 1)).await?,
            },
            "cholesky" => Kind::Factor { s: conditioned(n), uploaded: None },
            "solve" => Kind::Solve {
                factor: factorise(&gpu, gpu.upload(n, n, conditioned(n)).await?).await?,
                x: gpu.upload(N_RHS, n, data::matrix(N_RHS, n, 3)).await?,
            },
            "layer" => Kind::Layer(layer::group(n, n)?),
            _ => return Err(unknown(&name.to_string())),
        };
        Ok(Self { gpu, name, kind })
    }

    /// Which card, and the register tile that was fastest on it.
    pub fn card(&self) -> String {
        format!("{}, {}", self.gpu.name(), self.gpu.tile())
    }

    /// Makes anew what a run uses up.
    ///
    /// # Errors
    /// As the backend's.
    pub async fn renew(&mut self) -> Result<()> {
        if let Kind::Factor { s, uploaded } = &mut self.kind {
            *uploaded = Some(self.gpu.upload(self.name.n, self.name.n, s.clone()).await?);
        }
        self.gpu.finish().await
    }

    /// Runs it once, to the end.
    ///
    /// # Errors
    /// As the backend's; `Usage` if it is not renewed.
    pub async fn run(&mut self) -> Result<Work> {
        let gpu = &self.gpu;
        let mut work = Work::flops(self.name.flops());
        match &mut self.kind {
            Kind::Product { c, a, b } => gpu.multiply_add(c, a, b).await?,
            Kind::Gram { g, x } => gpu.add_gram(g, x).await?,
            Kind::Factor { uploaded, .. } => {
                let used_up = || Error::usage("this case must be renewed before it runs");
                factorise(gpu, uploaded.take().ok_or_else(used_up)?).await?;
            }
            Kind::Solve { factor, x } => gpu.solve(factor, x).await?,
            Kind::Layer(group) => {
                let double = Cpu::<Native<f64>>::default();
                let engines = Engines { single: gpu.clone(), double };
                work = layer::work(group, &solve(&engines, group, Precision::Fast, &Alone).await?);
            }
        }
        gpu.finish().await?;
        Ok(work)
    }
}

fn unknown(name: &str) -> Error {
    Error::usage(format!("no case `{name}` here"))
}

async fn product(gpu: &Gpu, n: usize) -> Result<Kind> {
    Ok(Kind::Product {
        a: gpu.upload(n, n, data::matrix(n, n, 1)).await?,
        b: gpu.upload(n, n, data::matrix(n, n, 2)).await?,
        c: gpu.zeros(n, n).await?,
    })
}

async fn factorise(gpu: &Gpu, s: Matrix) -> Result<Factor> {
    let refused = |_| Error::numeric("the made matrix is not positive definite");
    gpu.cholesky(s).await?.map_err(refused)
}

/// The shaders, with arithmetic alone in place of the product.
fn peak(kernel: Kernel, tile: Tile) -> String {
    let text = source(kernel, tile);
    match text.split_once("@compute") {
        Some((start, _)) if kernel == Kernel::Multiply => {
            start.to_string() + include_str!("peak.wgsl")
        }
        _ => text,
    }
}

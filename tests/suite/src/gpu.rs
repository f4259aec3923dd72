//! The suite on a graphics card, and what only a graphics card has: register tiles to choose from,
//! and matrices that lie in several buffers.

use gramerge::backend::Backend;
use gramerge::backend::cpu::{Cpu, Native};
use gramerge::backend::gpu::shaders::Tile;
use gramerge::backend::gpu::{Gpu, Settings};
use gramerge::methods::regmean::Engines;

use crate::generate::{Random, positive_definite};
use crate::{Cases, Finished, Verdict, assembly, kernels, naive};

/// Any adapter will do, and nothing may be read that was not written.
pub fn settings() -> Settings {
    Settings { software: true, poison: true, ..Settings::default() }
}

async fn open(settings: Settings) -> Result<Gpu, String> {
    let opened = Gpu::open(settings).await.map_err(|error| error.to_string())?;
    opened.ok_or_else(|| "there is no adapter".into())
}

/// Cards for the suite: any there is.
#[derive(Debug, Clone)]
pub struct Cards<G> {
    whole: Engines<G, Cpu<Native<f64>>>,
    /// Every matrix of more than 128 rows or columns lies in several buffers, and little is
    /// uploaded at once.
    tiled: G,
}

impl Cards<Gpu> {
    /// Opens the card, twice.
    ///
    /// # Errors
    /// In words, if there is none.
    pub async fn open() -> Result<Self, String> {
        let single = open(settings()).await?;
        let whole = Engines { single, double: Cpu::default() };
        let tiled = Settings { max_side: 128, lot_bytes: 5000, ..settings() };
        Ok(Self { whole, tiled: open(tiled).await? })
    }
}

impl Cards<Cpu<Native<f32>>> {
    /// Stands in for a card where only the names of the cases are wanted.
    pub fn none() -> Self {
        let whole = Engines { single: Cpu::default(), double: Cpu::default() };
        Self { whole, tiled: Cpu::default() }
    }
}

/// Everything, on any card there is. Without one the one case fails.
pub async fn run() -> Vec<Finished> {
    match Cards::open().await {
        Ok(cards) => cases(&cards).run().await,
        Err(why) => {
            let mut none = Cases::default();
            none.add("gpu: it opens", async { Err(why) });
            none.run().await
        }
    }
}

/// Every case of a card.
pub fn cases<G: Backend<Scalar = f32>>(cards: &Cards<G>) -> Cases<'_> {
    let Cards { whole, tiled } = cards;
    let mut cases = crate::cases(whole);
    cases.extend(assembly::cases(&whole.single));
    cases.extend(kernels::cases(tiled).labelled("tiled"));
    cases.extend(assembly::cases(tiled).labelled("tiled"));
    cases.add("all tiles give the same bits", tiles());
    cases.add("a factor travels", travels(&whole.single, 300));
    cases.add("a factor in tiles travels", travels(tiled, 300));
    cases.labelled("gpu")
}

/// Whichever tile is fastest must not decide about the result.
async fn tiles() -> Verdict {
    let mut answers = Vec::new();
    for tile in Tile::ALL {
        let own = Settings { tile: Some(tile), ..settings() };
        answers.push(solved(own, 384, 256).await?);
    }
    let same = |other: &Vec<f32>| other.iter().zip(&answers[0]).all(|(a, b)| a == b);
    if answers.iter().all(same) { Ok(()) } else { Err("the bits differ".into()) }
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

/// X with X S = B and 1 + X S, for a seeded S `[n, n]` and B `[m, n]`.
async fn solved(settings: Settings, n: usize, m: usize) -> Result<Vec<f32>, String> {
    let mut random = Random::new(n as u64);
    let s = positive_definite(n, 1e3, &mut random);
    let b = random.matrix(m, n);
    let gpu = open(settings).await?;
    let run = async {
        let factor = gpu.cholesky(gpu.upload(n, n, narrow(&s)).await?).await?;
        let Ok(factor) = factor else { return Ok(Vec::new()) };
        let mut x = gpu.upload(m, n, narrow(&b)).await?;
        gpu.solve(&factor, &mut x).await?;
        let mut sum = gpu.upload(m, n, vec![1.0; m * n]).await?;
        gpu.multiply_add(&mut sum, &x, &gpu.upload(n, n, narrow(&s)).await?).await?;
        let mut both = gpu.download(x).await?;
        both.extend(gpu.download(sum).await?);
        Ok(both)
    };
    accepted(run.await)
}

fn accepted(solved: gramerge::Result<Vec<f32>>) -> Result<Vec<f32>, String> {
    match solved {
        Ok(values) if values.is_empty() => Err("it was refused as not positive definite".into()),
        Ok(values) => Ok(values),
        Err(error) => Err(error.to_string()),
    }
}

/// A factor that was exported and imported gives the same bits.
async fn travels<G: Backend<Scalar = f32>>(gpu: &G, n: usize) -> Verdict {
    let mut random = Random::new(n as u64);
    let (s, b) = (positive_definite(n, 1e2, &mut random), random.matrix(5, n));
    let run = async |travels: bool| {
        let factor = gpu.cholesky(gpu.upload(n, n, narrow(&s)).await?).await?;
        let Ok(mut factor) = factor else { return Ok(Vec::new()) };
        if travels {
            factor = gpu.import(n, gpu.export(&factor).await?).await?;
        }
        let mut x = gpu.upload(5, n, narrow(&b)).await?;
        gpu.solve(&factor, &mut x).await?;
        gpu.download(x).await
    };
    let (stayed, travelled) = (accepted(run(false).await)?, accepted(run(true).await)?);
    if stayed == travelled { Ok(()) } else { Err("the bits differ".into()) }
}

/// A solve of the size of a large layer, in several tiles. `n` is at most 4096.
pub async fn large(n: usize) -> Verdict {
    let m = 3;
    let mut random = Random::new(n as u64);
    let s = positive_definite(n, 1e3, &mut random);
    let b = random.matrix(m, n);
    let x = solved(settings(), n, m).await?;
    let x: Vec<f64> = x[..m * n].iter().map(|value| f64::from(*value)).collect();
    // About the condition times the roundoff, and far below what one wrong element makes of it.
    let bound = 1e-3;
    let error = relative_residual(n, &s, &x, &b);
    let mut wrong = x.clone();
    wrong[n / 2] *= 2.0;
    match (error < bound, relative_residual(n, &s, &wrong, &b) < bound) {
        (true, false) => Ok(()),
        (true, true) => Err("a planted error went unseen".into()),
        (false, _) => Err(format!("relative residual {error:.1e}")),
    }
}

/// ‖B − X S‖ / ‖B‖. `s: [n, n]`, `x`, `b: [m, n]`
fn relative_residual(n: usize, s: &[f64], x: &[f64], b: &[f64]) -> f64 {
    let m = b.len() / n;
    let product = naive::multiply_add(m, n, n, x, s, &vec![0.0; m * n]);
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let apart = square(&mut b.iter().zip(&product).map(|(b, p)| b - p));
    (apart / square(&mut b.iter().copied())).sqrt()
}

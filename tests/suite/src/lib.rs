//! The one suite that every kernel build runs: natively, and in a browser's worker for each build
//! of the page's engine.
//!
//! - [`naive`]: the oracle, triple loops in f64 that nobody could get wrong.
//! - [`generate`]: seeded matrices, from easy to nearly singular, at every scale.
//! - [`ratios`]: LAPACK's test ratios and plain comparisons; each is shown to fail on a planted
//!   error.
//! - [`cases`](mod@cases): what a case is, and how cases are chosen and run.
//! - `assembly`: matrices put together on a device, of what files store.
//! - `gpu`: what only a graphics card has: its tiles, and matrices in several buffers.
//! - [`kernels`]: products, factors and solves of one backend.
//! - [`layers`]: whole layers against the textbook formula, at every precision.
//! - [`crews`]: layers shared among workers, bit for bit.
//! - [`scales`]: layers at every scale that a file can hold, against [`exact`].
//! - [`singular`]: layers that no arithmetic determines, at α = 1.
//! - [`golden`]: whole merges of small files with answers computed elsewhere in exact arithmetic.

#[cfg(feature = "gpu")]
pub mod assembly;
pub mod cases;
pub mod crews;
pub mod exact;
pub mod generate;
pub mod golden;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod kernels;
pub mod layers;
pub mod naive;
pub mod ratios;
pub mod scales;
pub mod singular;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use cases::Cases;
use gramerge::backend::Backend;
use gramerge::backend::cpu::Cpu;
use gramerge::backend::cpu::kernel::Kernel;
use gramerge::methods::regmean::Engines;
use serde::Serialize;

/// What a case found wrong, in words.
pub type Verdict = Result<(), String>;

/// One finished case.
#[derive(Debug, Clone, Serialize)]
pub struct Finished {
    /// Which kernels and what.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What was wrong.
    pub detail: String,
}

/// Everything for a pair of processor kernels.
pub fn cpu_cases<'a, F, D>(label: &str, engines: &'a Engines<Cpu<F>, Cpu<D>>) -> Cases<'a>
where
    F: Kernel<Scalar = f32>,
    D: Kernel<Scalar = f64>,
{
    let mut all = kernels::cases(&engines.double);
    all.extend(cases(engines));
    // The gemm crate adds in another order for another number of rows; threads share no layer.
    if F::NAME != "native" {
        all.extend(crews::cases(engines));
    }
    all.labelled(label)
}

/// Runs everything on a pair of processor kernels.
pub async fn run_cpu<F, D>(label: &str) -> Vec<Finished>
where
    F: Kernel<Scalar = f32>,
    D: Kernel<Scalar = f64>,
{
    let engines = Engines { single: Cpu::<F>::default(), double: Cpu::<D>::default() };
    cpu_cases(label, &engines).run().await
}

/// Everything for these engines, but for the kernels of the second, which are the processor's.
pub fn cases<F, D>(engines: &Engines<F, D>) -> Cases<'_>
where
    F: Backend<Scalar = f32>,
    D: Backend<Scalar = f64>,
{
    let mut cases = kernels::cases(&engines.single);
    cases.extend(layers::cases(engines));
    cases.extend(scales::cases(engines));
    cases.extend(singular::cases(engines));
    cases.extend(golden::cases(engines));
    cases
}

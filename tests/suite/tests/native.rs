//! The suite on the kernels of this machine: one test for each case.

mod trials;

use std::process::ExitCode;

use gramerge::backend::cpu::kernel::Kernel;
use gramerge::backend::cpu::{Cpu, Native, Portable};
use gramerge::methods::regmean::Engines;
use gramerge_suite::{Cases, cpu_cases};
use libtest_mimic::{Arguments, Trial};

/// A build that lost cases would pass by running less.
const LEAST: usize = 187;

fn main() -> ExitCode {
    let mut all = trials_of::<Native<f32>, Native<f64>>("native");
    all.extend(trials_of::<Portable<f32>, Portable<f64>>("portable"));
    libtest_mimic::run(&Arguments::from_args(), all).exit_code()
}

fn trials_of<F, D>(label: &'static str) -> Vec<Trial>
where
    F: Kernel<Scalar = f32>,
    D: Kernel<Scalar = f64>,
{
    let names = with_cases::<F, D, _>(label, |cases| cases.names());
    trials::all(label, LEAST, names, move |index| {
        with_cases::<F, D, _>(label, |cases| pollster::block_on(cases.run_one(index)))
    })
}

fn with_cases<F, D, O>(label: &str, take: impl FnOnce(Cases<'_>) -> O) -> O
where
    F: Kernel<Scalar = f32>,
    D: Kernel<Scalar = f64>,
{
    let engines = Engines { single: Cpu::<F>::default(), double: Cpu::<D>::default() };
    take(cpu_cases(label, &engines))
}

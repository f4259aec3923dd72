//! `cargo xtask bench`: measurements, natively, in a browser, and beside other software.
//!
//! This module builds and fetches what is measured; measuring is the work of the package in
//! `benches`, which is told the places by environment variables.

use std::path::{Path, PathBuf};

use crate::args::Bench;
use crate::wasm::{self, Kernels, Library};
use crate::{Result, browser, page, process};

/// The package that measures.
pub(crate) const BENCH: Library = Library { package: "gramerge-bench", module: "gramerge_bench" };

/// Runs one part, or all, of the measurements whose name contains the filter.
pub(crate) fn run(part: Bench, filter: Option<&str>) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["run", "--release", "--quiet", "--package", BENCH.package, "--"]);
    cargo.arg(part.name()).args(filter);
    if part != Bench::Native {
        let folder = folder();
        build(&folder)?;
        cargo.env("CHROME", browser::chromium()?).env("GRAMERGE_BENCH", folder);
    }
    process::run(&mut cargo)
}

fn folder() -> PathBuf {
    process::target().join("bench")
}

/// The measuring page, the engine for it, and the product's page beside it.
fn build(folder: &Path) -> Result<()> {
    page::empty(folder)?;
    page::copy(&process::repository().join("benches/pages"), folder)?;
    for kernels in Kernels::SHIPPED {
        wasm::build(&BENCH, kernels, &folder.join(kernels.name()))?;
    }
    page::build()?;
    page::copy(&page::folder(), &folder.join("page"))
}

//! `cargo xtask bench`: measurements, natively, in a browser, and beside other software.
//!
//! This module builds and fetches what is measured; measuring is the work of the package in
//! `benches`, which is told the places by environment variables.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::Bench;
use crate::wasm::{self, Kernels, Library};
use crate::{Result, browser, page, process};

/// The package that measures.
pub(crate) const BENCH: Library = Library { package: "gramerge-bench", module: "gramerge_bench" };

/// Other software: its name here, its npm package, and the files of it that a page loads.
const PEERS: [(&str, &str, &[&str]); 3] = [
    ("jax", "@jax-js/jax@0.1.25", &["dist"]),
    ("tfjs", "@tensorflow/tfjs@4.22.0", &["dist/tf.min.js"]),
    (
        "tfjs",
        "@tensorflow/tfjs-backend-wasm@4.22.0",
        &[
            "dist/tf-backend-wasm.min.js",
            "dist/tfjs-backend-wasm.wasm",
            "dist/tfjs-backend-wasm-simd.wasm",
            "dist/tfjs-backend-wasm-threaded-simd.wasm",
        ],
    ),
];

/// Runs one part, or all, of the measurements whose name contains the filter.
pub(crate) fn run(part: Bench, filter: Option<&str>) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["run", "--release", "--quiet", "--package", BENCH.package, "--"]);
    cargo.arg(part.name()).args(filter);
    if part != Bench::Native {
        let folder = process::target().join("bench").join("web");
        build(&folder)?;
        if part != Bench::Web {
            fetch_peers(&folder.join("packages"));
        }
        cargo.env("CHROME", browser::chromium()?).env("GRAMERGE_BENCH", folder);
    }
    process::run(&mut cargo)
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

/// Fetches what is not there yet; measurements leave out what cannot be had.
fn fetch_peers(packages: &Path) {
    for (name, package, files) in PEERS {
        let fetched = fetch(package).and_then(|from| {
            files.iter().try_for_each(|file| place(&from.join(file), &packages.join(name)))
        });
        if let Err(sentence) = fetched {
            eprintln!("{package} is left out: {sentence}");
        }
    }
}

/// Unpacks an npm package, without its dependencies and without running anything of it.
fn fetch(package: &str) -> Result<PathBuf> {
    let folder = process::target().join("bench").join("peers").join(package.replace('/', "-"));
    let unpacked = folder.join("package");
    if unpacked.is_dir() {
        return Ok(unpacked);
    }
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["pack", "--ignore-scripts", "--silent", package]).current_dir(&folder);
    let archive = process::output(&mut npm).ok_or("npm could not fetch it")?;
    let mut tar = Command::new("tar");
    tar.args(["-xzf", archive.lines().last().unwrap_or_default()]).current_dir(&folder);
    process::output(&mut tar).ok_or("its archive could not be unpacked")?;
    Ok(unpacked)
}

/// Copies a file, or what a folder holds, into a folder.
fn place(from: &Path, folder: &Path) -> Result<()> {
    if from.is_dir() {
        return page::copy(from, folder);
    }
    let name = from.file_name().unwrap_or_default();
    let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(from, folder.join(name)));
    copied.map(|_| ()).map_err(|e| format!("cannot copy {}: {e}", from.display()))
}

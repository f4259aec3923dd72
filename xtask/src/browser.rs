//! Tests in a real browser: `cargo xtask test web`, `test e2e`, and pictures of the page.
//!
//! This module builds what the browser loads and finds the browser. Driving it is the work of the
//! package in `tests/browser`, which is told the places by environment variables.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::wasm::{self, Kernels, Library};
use crate::{Result, apt, page, process, selected};

/// The package that drives the browser.
pub(crate) const PACKAGE: &str = "gramerge-browser-tests";

/// The suite that runs inside the browser.
pub(crate) const SUITE: Library = Library { package: "gramerge-suite", module: "gramerge_suite" };

/// Builds the suite for all kernels and runs it in browser workers; returns how many tests ran.
pub(crate) fn web(filter: Option<&str>) -> Result<usize> {
    let chromium = chromium()?;
    let folder = process::target().join("web-tests");
    page::empty(&folder)?;
    page::copy(&process::repository().join("tests/browser/pages"), &folder)?;
    for kernels in Kernels::ALL {
        wasm::build(&SUITE, kernels, &folder.join(kernels.name()))?;
    }
    let mut cargo = driver("test", &chromium);
    cargo.arg("--no-fail-fast");
    cargo.env("GRAMERGE_WEB_TESTS", &folder).args(["--test", "harness", "--test", "suite"]);
    run_tests(&mut cargo, filter)
}

/// Builds the suite for the graphics card and runs it in Firefox; returns how many tests ran.
pub(crate) fn firefox(filter: Option<&str>) -> Result<usize> {
    let firefox = firefox_program()?;
    apt::ensure(&["mesa-vulkan-drivers"]);
    let folder = process::target().join("web-tests");
    page::empty(&folder)?;
    page::copy(&process::repository().join("tests/browser/pages"), &folder)?;
    wasm::build(&SUITE, Kernels::Gpu, &folder.join(Kernels::Gpu.name()))?;
    let mut cargo = process::cargo();
    cargo.args(["test", "--package", PACKAGE, "--test", "suite"]);
    cargo.env("FIREFOX", firefox).env("GRAMERGE_WEB_TESTS", &folder);
    let name = filter.unwrap_or("in_firefox");
    selected::run(cargo.args([name, "--", "--ignored", "--nocapture"]))
}

/// Builds the page and uses it as a person would; returns how many tests ran.
pub(crate) fn e2e(filter: Option<&str>) -> Result<usize> {
    let chromium = chromium()?;
    page::build()?;
    let mut cargo = driver("test", &chromium);
    cargo.env("GRAMERGE_WEB", page::folder()).env("GRAMERGE_CLI", command_line()?);
    cargo.args(["--test", "e2e"]);
    run_tests(&mut cargo, filter)
}

/// Builds the command line, which the page's answers are compared with.
fn command_line() -> Result<PathBuf> {
    let mut cargo = process::cargo();
    process::run(cargo.args(["build", "--package", "gramerge", "--bin", "gramerge"]))?;
    Ok(process::target().join("debug").join(format!("gramerge{EXE_SUFFIX}")))
}

/// Builds the page and takes pictures of it.
pub(crate) fn screenshots(folder: &str) -> Result<()> {
    let chromium = chromium()?;
    page::build()?;
    let mut cargo = driver("run", &chromium);
    cargo.env("GRAMERGE_WEB", page::folder()).args(["--example", "screenshots", "--", folder]);
    process::run(&mut cargo)
}

/// Cargo for the driving package, which finds the browser by `CHROME`.
fn driver(subcommand: &str, chromium: &Path) -> Command {
    let mut cargo = process::cargo();
    cargo.args([subcommand, "--package", PACKAGE]).env("CHROME", chromium);
    cargo
}

fn run_tests(cargo: &mut Command, filter: Option<&str>) -> Result<usize> {
    // One browser at a time: two would only share the same cores and blur the deadlines.
    selected::run(cargo.args(filter).args(["--", "--test-threads", "1"]))
}

/// Where Firefox is; installed where that is possible.
fn firefox_program() -> Result<PathBuf> {
    if let Some(told) = std::env::var_os("FIREFOX") {
        return Ok(told.into());
    }
    let on_path = || ["firefox-esr", "firefox"].iter().find_map(|name| process::find_program(name));
    if let Some(found) = on_path() {
        return Ok(found);
    }
    apt::ensure(&["firefox-esr"]);
    on_path().ok_or_else(|| {
        "no Firefox was found; install it, or say in the environment variable FIREFOX where it is"
            .into()
    })
}

/// Where the browser is; installed where that is possible.
pub(crate) fn chromium() -> Result<PathBuf> {
    const NAMES: [&str; 5] =
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    if let Some(told) = std::env::var_os("CHROME") {
        return Ok(told.into());
    }
    let on_path = || NAMES.iter().find_map(|name| process::find_program(name));
    if let Some(found) = on_path() {
        return Ok(found);
    }
    apt::ensure(&["chromium"]);
    on_path().ok_or_else(|| {
        "no Chromium was found; install Chromium or Chrome, or say in the environment variable \
         CHROME where it is"
            .into()
    })
}

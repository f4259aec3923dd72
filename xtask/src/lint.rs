//! Formatting, clippy and the documentation, for this machine and for the browser.

use std::process::Command;

use crate::bench::BENCH;
use crate::browser::SUITE;
use crate::page::PRODUCT;
use crate::test::Account;
use crate::toolchain::Toolchain;
use crate::wasm::Kernels;
use crate::{Result, process};

/// Runs every lint.
pub(crate) fn run(account: &mut Account) {
    account.step("formatting", || {
        process::run(process::cargo().args(["fmt", "--all", "--", "--check"]))
    });
    account.step("clippy", || {
        let mut cargo = process::cargo();
        cargo.args(["clippy", "--workspace", "--all-targets"]);
        deny_warnings(&mut cargo)
    });
    account.step("documentation", documentation);
    for kernels in Kernels::SHIPPED {
        for_wasm(kernels, account);
    }
    page_types(account);
}

/// Links that lead nowhere, in whatever contributors and users read.
fn documentation() -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    process::run(cargo.env("RUSTDOCFLAGS", "--deny warnings"))
}

/// The page's JavaScript carries types in comments; TypeScript's compiler checks them.
fn page_types(account: &mut Account) {
    const NAME: &str = "types of the page's scripts";
    if let Err(why) = process::run(tsc().arg("--version")) {
        return account.skip(NAME, format!("TypeScript could not be had: {why}"));
    }
    account.step(NAME, || {
        for config in ["www/jsconfig.json", "www/worker/jsconfig.json"] {
            process::run(tsc().args(["--project", config]))?;
        }
        Ok(())
    });
}

fn tsc() -> Command {
    let mut npx = Command::new("npx");
    npx.current_dir(process::repository());
    npx.args(["--yes", "--package", "typescript@5.9", "tsc"]);
    npx
}

/// The wasm code is compiled for no other target, so nothing else would look at it.
fn for_wasm(kernels: Kernels, account: &mut Account) {
    let name = format!("clippy for wasm, {}", kernels.name());
    let clippy = Toolchain::get().and_then(|toolchain| toolchain.clippy(kernels.rustflags()));
    match clippy {
        Ok(mut clippy) => account.step(&name, || check(&mut clippy, kernels)),
        Err(why) => account.skip(&name, why),
    }
}

fn check(clippy: &mut Command, kernels: Kernels) -> Result<()> {
    // The profile of the builds: the development profile would optimise macros and build scripts.
    clippy.args(["--lib", "--profile", "web"]);
    clippy.args(kernels.features());
    let packages = [PRODUCT.package, SUITE.package, BENCH.package];
    clippy.args(packages.iter().flat_map(|package| ["--package", *package]));
    clippy.arg("--target-dir").arg(kernels.target().join("lint"));
    deny_warnings(clippy)
}

fn deny_warnings(cargo: &mut Command) -> Result<()> {
    process::run(cargo.args(["--", "--deny", "warnings"]))
}

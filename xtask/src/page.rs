//! `cargo xtask build`: the page, complete, in `target/web`.
//!
//! The page is `www/` as it is, plus the product library once per kernel build under `pkg/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::size::Size;
use crate::wasm::{self, Kernels, Library};
use crate::{Result, process};

/// What opening the page may weigh on the wire: one kernel build, and no sample, which is fetched
/// when it is asked for.
const BUDGET_BYTES: u64 = 400_000;

/// What the page runs.
pub(crate) const PRODUCT: Library = Library { package: "gramerge", module: "gramerge" };

/// Where the page is built.
pub(crate) fn folder() -> PathBuf {
    process::target().join("web")
}

/// Builds the page and prints what it weighs.
pub(crate) fn build() -> Result<()> {
    let folder = folder();
    empty(&folder)?;
    copy(&process::repository().join("www"), &folder)?;
    for kernels in Kernels::SHIPPED {
        wasm::build(&PRODUCT, kernels, &folder.join("pkg").join(kernels.name()))?;
    }
    weigh(&folder)
}

/// Removes what an earlier build left, so that deleted files do not live on.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .map_err(|e| format!("cannot clear {}: {e}", folder.display()))?;
    }
    Ok(())
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    copy_tree(from, to).map_err(|e| format!("cannot copy {}: {e}", from.display()))
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn weigh(folder: &Path) -> Result<()> {
    let all = Size::of(folder)?;
    let mut loaded = all.gzip_bytes;
    for kernels in &Kernels::SHIPPED[1..] {
        loaded -= Size::of(&folder.join("pkg").join(kernels.name()))?.gzip_bytes;
    }
    loaded -= Size::of(&folder.join("samples"))?.gzip_bytes;
    eprintln!("  {:<32} {:9}  {all}", "whole page", "");
    let verdict = if loaded <= BUDGET_BYTES { "within" } else { "OVER" };
    let (loaded, budget) = (loaded as f64 / 1000.0, BUDGET_BYTES / 1000);
    eprintln!("  opening it loads {loaded:.1} kB with gzip, {verdict} the budget of {budget} kB");
    Ok(())
}

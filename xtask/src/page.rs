//! `cargo xtask build`: the page, complete, in `target/web`.
//!
//! The page is `www/` as it is, plus the product library once per kernel build under `pkg/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::size::Size;
use crate::wasm::{self, Kernels, Library};
use crate::{Result, identity, process};

/// What opening the page may weigh on the wire, with one kernel build. The sample comes after it.
const BUDGET_BYTES: u64 = 500_000;

/// What the page runs.
pub(crate) const PRODUCT: Library = Library { package: "gramerge", module: "gramerge" };

/// Where the page is built.
pub(crate) fn folder() -> PathBuf {
    process::target().join("web")
}

/// Builds the page and prints what it weighs; a page over its budget is not built.
pub(crate) fn build() -> Result<()> {
    let folder = folder();
    empty(&folder)?;
    copy(&process::repository().join("www"), &folder)?;
    for kernels in Kernels::SHIPPED {
        wasm::build(&PRODUCT, kernels, &folder.join("pkg").join(kernels.name()))?;
    }
    identity::write(&folder)?;
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
    let (mut opening_bytes, mut sample_bytes) = (0, 0);
    for path in identity::files(folder)?.iter().filter(|path| identity::is_loaded(path)) {
        let bytes = Size::of(&folder.join(path))?.gzip_bytes;
        match When::of(path) {
            When::Opening => opening_bytes += bytes,
            When::Sample => sample_bytes += bytes,
            When::Otherwise => {}
        }
    }
    eprintln!("  {:<32} {:9}  {}", "whole page", "", Size::of(folder)?);
    eprintln!("  the sample, after it, loads {:.1} kB", sample_bytes as f64 / 1000.0);
    eprintln!("  {}", judge(opening_bytes)?);
    Ok(())
}

/// A sentence about what opening the page loads; an error if that is too much.
fn judge(opening_bytes: u64) -> Result<String> {
    let kilobytes = opening_bytes as f64 / 1000.0;
    let budget = BUDGET_BYTES / 1000;
    let sentence = |verdict| {
        format!("opening the page loads {kilobytes:.1} kB with gzip, {verdict} {budget} kB")
    };
    match opening_bytes <= BUDGET_BYTES {
        true => Ok(sentence("within its budget of")),
        false => Err(sentence("over its budget of")),
    }
}

/// When a file of the page is fetched.
enum When {
    Opening,
    Sample,
    /// Only by a browser that lacks what the other build needs, or that installs the page.
    Otherwise,
}

impl When {
    fn of(path: &str) -> When {
        let is_other_build = Kernels::SHIPPED[1..]
            .iter()
            .any(|kernels| path.starts_with(&format!("pkg/{}/", kernels.name())));
        match path {
            _ if path.starts_with("samples/") => When::Sample,
            _ if is_other_build || path.ends_with(".png") => When::Otherwise,
            _ => When::Opening,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_over_its_budget_fails() {
        assert!(judge(BUDGET_BYTES).is_ok());
        let error = judge(BUDGET_BYTES + 1).unwrap_err();
        assert!(error.contains("over its budget of 500 kB"), "{error}");
    }
}

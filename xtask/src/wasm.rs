//! Rust to WebAssembly to something that a page can import.

use std::fs;
use std::path::{Path, PathBuf};

use crate::size::Stage;
use crate::toolchain::{TARGET, Toolchain};
use crate::{Result, process};

/// Which vector instructions a build uses, and whether it can use a graphics card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kernels {
    /// None: only tested, to have a third opinion.
    Scalar,
    /// 128-bit vectors: every current browser.
    Simd128,
    /// The same plus fused multiply-add, where the browser has it.
    Relaxed,
    /// 128-bit vectors and the graphics card: loaded only where there is one.
    Gpu,
}

impl Kernels {
    /// Every build.
    pub(crate) const ALL: [Kernels; 4] =
        [Kernels::Scalar, Kernels::Simd128, Kernels::Relaxed, Kernels::Gpu];
    /// The builds that the page chooses from; opening it loads one of the first two.
    pub(crate) const SHIPPED: [Kernels; 3] = [Kernels::Simd128, Kernels::Relaxed, Kernels::Gpu];

    /// Its name in paths.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kernels::Scalar => "scalar",
            Kernels::Simd128 => "simd128",
            Kernels::Relaxed => "relaxed",
            Kernels::Gpu => "gpu",
        }
    }

    /// What `rustc` is told. Less is inlined than usual, and loops of unknown lengths are not unrolled, for
    /// size; kernels unroll theirs themselves, and still less inlining would slow them down.
    pub(crate) fn rustflags(self) -> &'static str {
        match self {
            Kernels::Scalar => "-Cllvm-args=-inline-threshold=40 -Cllvm-args=-unroll-runtime=false",
            Kernels::Simd128 | Kernels::Gpu => {
                "-Cllvm-args=-inline-threshold=40 -Cllvm-args=-unroll-runtime=false -Ctarget-feature=+simd128"
            }
            Kernels::Relaxed => {
                "-Cllvm-args=-inline-threshold=40 -Cllvm-args=-unroll-runtime=false -Ctarget-feature=+simd128,+relaxed-simd"
            }
        }
    }

    /// What cargo is told about the libraries' features.
    pub(crate) fn features(self) -> &'static [&'static str] {
        match self {
            Kernels::Gpu => &["--no-default-features", "--features", "gpu"],
            _ => &["--no-default-features"],
        }
    }

    /// Where cargo builds with these flags. They must not share a folder: cargo gives a `cdylib`
    /// the same file name whatever its flags, so one build would pass for the other.
    pub(crate) fn target(self) -> PathBuf {
        process::target().join("wasm").join(self.name())
    }
}

/// A package with a `cdylib`, and how to ask cargo for it.
pub(crate) struct Library {
    /// The package.
    pub(crate) package: &'static str,
    /// Its crate: the package with underscores.
    pub(crate) module: &'static str,
}

/// Builds the library with these kernels and puts `MODULE.js` and `MODULE_bg.wasm` into `folder`.
pub(crate) fn build(library: &Library, kernels: Kernels, folder: &Path) -> Result<()> {
    let name = format!("{} {}", library.package, kernels.name());
    let stage = Stage::begin(format!("compile {name}"));
    let module = compile(library, kernels)?;
    stage.end(&module)?;

    let stage = Stage::begin(format!("bind {name}"));
    bind(&module, folder)?;
    stage.end(&folder.join(format!("{}_bg.wasm", library.module)))
}

fn compile(library: &Library, kernels: Kernels) -> Result<PathBuf> {
    let target = kernels.target();
    let mut cargo = Toolchain::get()?.cargo("build", kernels.rustflags());
    cargo.args(["--lib", "--profile", "web"]);
    cargo.args(kernels.features());
    cargo.args(["--package", library.package]).arg("--target-dir").arg(&target);
    process::run(&mut cargo)?;
    Ok(target.join(TARGET).join("web").join(format!("{}.wasm", library.module)))
}

fn bind(module: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(module).omit_default_module_path(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let bound = bindgen.web(true).and_then(|bindgen| bindgen.generate(folder));
    bound.map_err(|e| format!("wasm-bindgen could not read {}: {e:#}", module.display()))
}

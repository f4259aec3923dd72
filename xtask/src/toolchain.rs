//! A Rust toolchain that can build for `wasm32-unknown-unknown`.
//!
//! In order: the toolchain that runs this task, if it has the target's standard library; the same
//! after `rustup target add`; Debian's own toolchain, which ships the library's source and builds
//! it. Knows nothing of what is built.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::{Result, apt, process};

/// The only target that pages can load.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];
/// A refused download answers at once; a network that swallows packets never does.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(120);

/// Where the wasm standard library comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Toolchain {
    /// The running toolchain has it ready.
    Ready,
    /// Debian's toolchain builds it from source.
    Debian,
}

impl Toolchain {
    /// Finds or installs one. Looks only once per run.
    pub(crate) fn get() -> Result<Toolchain> {
        static FOUND: OnceLock<Result<Toolchain>> = OnceLock::new();
        FOUND.get_or_init(find).clone()
    }

    /// `cargo SUBCOMMAND` for the wasm target with these `rustc` flags.
    pub(crate) fn cargo(self, subcommand: &str, rustflags: &str) -> Command {
        let mut command = match self {
            Toolchain::Ready => process::cargo(),
            Toolchain::Debian => debian("/usr/bin/cargo"),
        };
        command.arg(subcommand);
        self.aim(&mut command, rustflags);
        command
    }

    /// `cargo clippy` likewise, or the reason why there is none.
    pub(crate) fn clippy(self, rustflags: &str) -> Result<Command> {
        let mut command = match self {
            Toolchain::Ready => {
                let mut cargo = process::cargo();
                cargo.arg("clippy");
                cargo
            }
            Toolchain::Debian => debian_clippy()?,
        };
        self.aim(&mut command, rustflags);
        Ok(command)
    }

    fn aim(self, command: &mut Command, rustflags: &str) {
        // `cargo xtask` itself has just brought the lock file up to date.
        command.args(["--locked", "--target", TARGET]);
        command.env("RUSTFLAGS", format!("{rustflags} {}", same_everywhere()));
        if self == Toolchain::Debian {
            command.arg("-Zbuild-std=std,panic_abort");
        }
    }
}

/// Messages of a panic name source files: by the same paths wherever it is built, so that the same
/// source makes the same bytes.
fn same_everywhere() -> String {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home).unwrap_or_default();
    let repository = process::repository();
    format!(
        "--remap-path-prefix={}=cargo --remap-path-prefix={}=gramerge",
        cargo.display(),
        repository.display()
    )
}

fn find() -> Result<Toolchain> {
    if has_target() || add_target() {
        return Ok(Toolchain::Ready);
    }
    if apt::ensure(&PACKAGES) {
        eprintln!("using Debian's Rust, which builds the wasm standard library from source");
        return Ok(Toolchain::Debian);
    }
    Err(format!(
        "the Rust standard library for {TARGET} is missing and could not be installed; run \
         `rustup target add {TARGET}`, or on Debian `apt-get install {}` as root",
        PACKAGES.join(" ")
    ))
}

fn has_target() -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    process::output(&mut rustc).is_some_and(|folder| Path::new(&folder).is_dir())
}

fn add_target() -> bool {
    if process::find_program("rustup").is_none() {
        return false;
    }
    eprintln!("this toolchain lacks {TARGET}: trying `rustup target add {TARGET}`");
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    process::succeeds_within(&mut rustup, DOWNLOAD_LIMIT) && has_target()
}

fn debian_clippy() -> Result<Command> {
    if !apt::ensure(&["rust-web-clippy"]) {
        return Err("clippy for wasm needs Debian's package rust-web-clippy".into());
    }
    let mut command = debian("/usr/bin/cargo-clippy");
    command.arg("clippy").env("CARGO", "/usr/bin/cargo");
    Ok(command)
}

/// A program of Debian's toolchain, free of what rustup told this process.
fn debian(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(process::repository()).env_clear().envs(inherited());
    command
        .env("PATH", debian_path())
        .env("RUSTC", "/usr/bin/rustc")
        // `-Zbuild-std` is the one unstable feature in use.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
    command
}

/// Our environment without what names another toolchain or describes this package.
fn inherited() -> impl Iterator<Item = (OsString, OsString)> {
    const DROPPED: [&str; 7] = [
        "CARGO",
        "CARGO_ENCODED_RUSTFLAGS",
        "LD_LIBRARY_PATH",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOC",
    ];
    const DROPPED_PREFIXES: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "RUSTUP_"];
    std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        !DROPPED.contains(&&*name) && !DROPPED_PREFIXES.iter().any(|start| name.starts_with(start))
    })
}

/// rustup's stand-ins come first on most people's PATH.
fn debian_path() -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let mut path = OsString::from("/usr/bin:/bin:");
    path.push(inherited);
    path
}

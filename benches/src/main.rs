//! Runs the measurements: `gramerge-bench native|web|peers [FILTER]`.
//!
//! `cargo xtask bench` builds what the browser loads and says where it is by `GRAMERGE_BENCH` and
//! `CHROME`. One JSON line per case goes to stdout, a summary for people to stderr.
#![cfg(not(target_arch = "wasm32"))]

mod driver;

fn main() -> std::process::ExitCode {
    driver::main()
}

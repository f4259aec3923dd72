//! Drives a real Chromium as a person would, over its DevTools protocol.
//!
//! A [`Session`] is one browser with a fresh profile, one tab, one static server and one download
//! folder. Its methods wait for what they need, up to a deadline, and panic with a sentence when
//! it does not come: they are for tests. It records everything that the tab and its workers log,
//! throw or request, so that a test can end with [`Session::assert_quiet`].
//!
//! Where a page consists of a frame, as gramerge's does, scripts and searches run in the frame.
//!
//! [`Firefox`] can do far less: it runs a page to its end, for the kernels' suite.
//!
//! The protocol is spoken as plain JSON, so a newer browser with new fields breaks nothing.

mod chromium;
mod connection;
mod elements;
mod firefox;
mod frame;
mod process;
mod record;
mod session;
mod view;

pub use elements::Element;
pub use firefox::Firefox;
pub use record::{Download, Record, Request};
pub use session::{DEADLINE, Session};

use std::path::PathBuf;

/// A failure is a sentence.
type Result<T> = std::result::Result<T, String>;

/// The place that `cargo xtask test` names in this environment variable.
///
/// # Panics
///
/// Without it: a test that cannot find its page must not pass.
pub fn place(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => {
            panic!("{variable} is not set: run `cargo xtask test web` or `cargo xtask test e2e`")
        }
    }
}

//! `cargo xtask serve`: the page on a local port.

use std::process::Command;

use gramerge_server::Server;

use crate::{Result, page, process};

/// Builds, serves, and runs until it is interrupted.
pub(crate) fn run(port: u16, open: bool) -> Result<()> {
    page::build()?;
    let server = Server::start(&page::folder(), port)?;
    println!("The page is at {}  (stop with Ctrl-C)", server.url());
    if open {
        open_browser(&server.url());
    }
    server.wait();
    Ok(())
}

/// Opening is a courtesy: where no desktop is running, the printed address is enough.
fn open_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let has_screen = cfg!(target_os = "macos") || std::env::var_os("DISPLAY").is_some();
    if has_screen && let Some(program) = process::find_program(opener) {
        Command::new(program).arg(url).spawn().ok();
    }
}

//! Debian packages, where we are root on Debian.

use std::process::{Command, Stdio};
use std::sync::Once;

use crate::process;

/// Whether packages can be installed without asking anybody.
pub(crate) fn is_usable() -> bool {
    let root = process::output(Command::new("id").arg("-u")).as_deref() == Some("0");
    root && process::find_program("apt-get").is_some() && is_debian()
}

/// Installs those packages that are missing. False if any cannot be had.
pub(crate) fn ensure(packages: &[&str]) -> bool {
    let missing: Vec<&str> = packages.iter().copied().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return true;
    }
    if !is_usable() {
        return false;
    }
    eprintln!("installing Debian packages: {}", missing.join(" "));
    update();
    let mut install = apt_get();
    install.args(["install", "--yes", "--no-install-recommends"]).args(&missing);
    process::run(&mut install).is_ok()
}

/// Package lists may be old or absent; one refresh per run is enough.
fn update() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Err(sentence) = process::run(apt_get().arg("update")) {
            eprintln!("{sentence}; going on with the package lists that are there");
        }
    });
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-qq").env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    // The installer's chatter would bury the tests' output.
    command.stdout(Stdio::null());
    command
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]).stderr(Stdio::null());
    process::output(&mut query).as_deref() == Some("installed")
}

fn is_debian() -> bool {
    let Ok(release) = std::fs::read_to_string("/etc/os-release") else { return false };
    release.lines().any(|line| line == "ID=debian")
}

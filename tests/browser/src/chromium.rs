//! Chromium, as the tests start it.

use std::path::Path;

use crate::process::Process;
use crate::{Result, place};

/// What makes a run repeatable and quiet.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--remote-debugging-port=0",
    // Its sandbox does not start as root or in most containers.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
];

/// What gives every machine a WebGPU adapter, in software.
const WEBGPU: [&str; 2] = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/// Starts the browser that `CHROME` names, with its profile in this folder and these flags more.
pub(crate) fn start(profile: &Path, webgpu: bool, more: &[String]) -> Result<Process> {
    let webgpu = if webgpu { &WEBGPU[..] } else { &[] };
    let mut arguments: Vec<String> =
        FLAGS.iter().chain(webgpu).map(|flag| (*flag).into()).collect();
    arguments.extend_from_slice(more);
    arguments.push(format!("--user-data-dir={}", profile.display()));
    arguments.push("about:blank".into());
    Process::start(&place("CHROME"), &arguments, "DevTools listening on ")
}

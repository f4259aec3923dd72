//! Starts a Chromium and makes sure that it ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::{Result, place};

const START_LIMIT: Duration = Duration::from_secs(60);

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

/// Runs the browser until its own input ends, which happens however this process ends: a test that
/// is killed leaves no browser behind.
const KEEPER: &str = r#"
    "$@" & browser=$!
    exec 2>&-
    read -r _
    kill "$browser"
    for tenth in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        sleep 0.1
        kill -0 "$browser" || exit
    done
    kill -KILL "$browser"
"#;

/// A running browser process. Dropping it ends it.
pub(crate) struct Chromium {
    keeper: Child,
    /// Where it listens for the DevTools protocol.
    pub(crate) address: String,
}

impl Chromium {
    /// Starts the browser that `CHROME` names, with its profile in this folder.
    pub(crate) fn start(profile: &Path, webgpu: bool) -> Result<Chromium> {
        let program = place("CHROME");
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).arg(&program).args(FLAGS);
        if webgpu {
            command.args(WEBGPU);
        }
        command.arg(format!("--user-data-dir={}", profile.display())).arg("about:blank");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut keeper = command
            .spawn()
            .map_err(|e| format!("cannot start Chromium at {}: {e}", program.display()))?;
        let errors = keeper.stderr.take();
        let mut chromium = Chromium { keeper, address: String::new() };
        chromium.address = errors.ok_or_else(|| "no output".into()).and_then(read_address)?;
        Ok(chromium)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

/// Reads the browser's log up to the line with its address, then keeps draining it, since a full
/// pipe would stop the browser.
fn read_address(errors: ChildStderr) -> Result<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut seen = String::new();
        for line in BufReader::new(errors).lines().map_while(std::io::Result::ok) {
            match line.strip_prefix("DevTools listening on ") {
                Some(address) => drop(sender.send(Ok(address.trim().to_string()))),
                None if seen.len() < 4000 => seen = seen + &line + "\n",
                None => {}
            }
        }
        sender.send(Err(format!("Chromium ended at once; it said:\n{seen}"))).ok();
    });
    receiver.recv_timeout(START_LIMIT).unwrap_or_else(|_| Err("Chromium did not start".into()))
}

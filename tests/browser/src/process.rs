//! Starts a browser and makes sure that it ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::Result;

const START_LIMIT: Duration = Duration::from_secs(60);

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
pub(crate) struct Process {
    keeper: Child,
    /// Where it listens.
    pub(crate) address: String,
}

impl Process {
    /// Starts a browser, which tells its address on the line that begins with `announcement`.
    pub(crate) fn start(program: &Path, arguments: &[String], announcement: &str) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).arg(program).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut keeper = command
            .spawn()
            .map_err(|e| format!("cannot start the browser at {}: {e}", program.display()))?;
        let errors = keeper.stderr.take();
        let mut process = Self { keeper, address: String::new() };
        let read = |errors| read_address(errors, announcement.to_string());
        process.address = errors.ok_or_else(|| "no output".into()).and_then(read)?;
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

/// Reads the browser's log up to the line with its address, then keeps draining it, since a full
/// pipe would stop the browser.
fn read_address(errors: ChildStderr, announcement: String) -> Result<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut seen = String::new();
        for line in BufReader::new(errors).lines().map_while(std::io::Result::ok) {
            match line.strip_prefix(&announcement) {
                Some(address) => drop(sender.send(Ok(address.trim().to_string()))),
                None if seen.len() < 4000 => seen = seen + &line + "\n",
                None => {}
            }
        }
        sender.send(Err(format!("the browser ended at once; it said:\n{seen}"))).ok();
    });
    receiver.recv_timeout(START_LIMIT).unwrap_or_else(|_| Err("the browser did not start".into()))
}

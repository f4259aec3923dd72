//! Running other programs.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// The repository: the folder above this package.
pub(crate) fn repository() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package.and_then(|path| path.parent().map(PathBuf::from)).unwrap_or_else(|| ".".into())
}

/// Where builds go: `target`, unless cargo was told otherwise.
pub(crate) fn target() -> PathBuf {
    let told = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    repository().join(told.unwrap_or_else(|| "target".into()))
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(repository());
    for (name, _) in std::env::vars() {
        // What `cargo run` says about this package is not true of the next one, and build
        // scripts that watch such variables would run again.
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Shows the command, and returns it as it was shown.
pub(crate) fn announce(command: &Command) -> String {
    let line = shown(command);
    eprintln!("$ {line}");
    line
}

/// Shows the command and runs it with our own output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = announce(command);
    let status = command.status().map_err(|e| format!("`{line}` did not start: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})")) }
}

/// Runs it in silence and returns what it printed, if it succeeded.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}

/// Runs it in silence; true if it succeeded within the limit.
pub(crate) fn succeeds_within(command: &mut Command, limit: Duration) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(50)),
            Ok(None) | Err(_) => return stop(&mut child),
        }
    }
}

/// Ends an overdue program; it counts as failed.
fn stop(child: &mut Child) -> bool {
    child.kill().ok();
    child.wait().ok();
    false
}

/// Finds a program on PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_string();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overdue_program_is_ended() {
        let mut endless = Command::new("sleep");
        endless.arg("60");
        assert!(!succeeds_within(&mut endless, Duration::from_millis(100)));
    }

    #[test]
    fn a_missing_program_is_a_sentence() {
        let error = run(&mut Command::new("gramerge-no-such-program")).unwrap_err();
        assert!(error.contains("gramerge-no-such-program"), "{error}");
    }
}

//! How many tests a filter chose: one that matches nothing must not pass for a success.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::{Result, process};

/// Runs tests, shows what they print, and returns how many the filter chose.
pub(crate) fn run(command: &mut Command) -> Result<usize> {
    let line = process::announce(command);
    let not_started = |error| format!("`{line}` did not start: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(not_started)?;
    let output = child.stdout.take().map(BufReader::new);
    let mut n_tests = 0;
    for line in output.into_iter().flat_map(|output| output.split(b'\n')).map_while(|l| l.ok()) {
        let mut terminal = std::io::stdout().lock();
        terminal.write_all(&line).and_then(|()| terminal.write_all(b"\n")).ok();
        n_tests += chosen(&String::from_utf8_lossy(&line)).unwrap_or(0);
    }
    let status = child.wait().map_err(not_started)?;
    if status.success() { Ok(n_tests) } else { Err(format!("`{line}` failed ({status})")) }
}

/// The number in `running 3 tests`, with which every test program begins.
fn chosen(line: &str) -> Option<usize> {
    let (n, rest) = line.strip_prefix("running ")?.split_once(' ')?;
    rest.trim_end().strip_prefix("test").filter(|end| matches!(*end, "" | "s"))?;
    n.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_test_programs_announce() {
        assert_eq!(chosen("running 0 tests"), Some(0));
        assert_eq!(chosen("running 1 test"), Some(1));
        assert_eq!(chosen("running 12 tests\r"), Some(12));
        for other in ["     Running unittests src/lib.rs", "running late", "running 3 testers"] {
            assert_eq!(chosen(other), None, "{other}");
        }
    }

    #[test]
    fn sums_the_programs_and_keeps_their_failure() {
        let shell = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]);
            run(&mut shell)
        };
        assert_eq!(shell("echo running 2 tests; echo running 0 tests; echo running 1 test"), Ok(3));
        assert_eq!(shell("echo running 0 tests"), Ok(0));
        assert!(shell("echo running 1 test; exit 1").is_err());
    }
}

//! PyTorch in a process of its own, which waits between its turns.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::Result;

/// A running `authors.py`.
pub(crate) struct Torch {
    process: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What it said about itself.
    pub(crate) about: Value,
}

impl Torch {
    /// Starts it and waits until its matrices are made.
    pub(crate) fn start() -> Result<Torch> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/authors.py");
        let mut command = Command::new("python3");
        // A setting for another machine's processor would slow it down.
        command.arg(script).env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(|e| format!("python3 did not start: {e}"))?;
        let answers = process.stdout.take().ok_or("python3 has no output")?;
        let commands = process.stdin.take();
        let answers = BufReader::new(answers);
        let mut torch = Torch { process, commands, answers, about: Value::Null };
        torch.about = torch.answer().map_err(|_| "python3 has no torch")?;
        Ok(torch)
    }

    /// Merges once in this way; answers with the seconds.
    pub(crate) fn run(&mut self, way: &str) -> Result<f64> {
        let commands = self.commands.as_mut().ok_or("python3 has ended")?;
        writeln!(commands, "{way}").map_err(|e| format!("python3 has ended: {e}"))?;
        self.answer()?["seconds"].as_f64().ok_or_else(|| "python3 said no time".into())
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|e| e.to_string())?;
        serde_json::from_str(&line).map_err(|_| format!("python3 answered `{line}`"))
    }
}

impl Drop for Torch {
    fn drop(&mut self) {
        // The end of its input is the end of its loop.
        drop(self.commands.take());
        self.process.wait().ok();
    }
}

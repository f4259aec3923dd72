//! A merge that is certainly running: held still in its middle.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use crate::folder::Folder;

/// Long enough for any machine; a merge that is not there by then never comes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Large enough that a merge does not end between two looks at the disk.
const LARGE_BYTES: u64 = 192 << 20;

/// A folder with two large models, `x` and `y`.
pub(crate) fn large() -> Folder {
    let folder = Folder::new();
    folder.sparse("x.safetensors", LARGE_BYTES);
    folder.sparse("y.safetensors", LARGE_BYTES);
    folder
}

/// The words of their merge, without `-o`.
pub(crate) const MERGE: [&str; 5] =
    ["merge", "x.safetensors", "y.safetensors", "--method", "average"];

/// A merge that has begun to write and stands still.
pub(crate) struct Held {
    child: Child,
    /// What it has begun.
    pub(crate) partial: PathBuf,
}

impl Held {
    /// Starts a command, and stops it once something temporary in `place` has its first bytes: by
    /// then it is locked, too.
    pub(crate) fn start(command: &mut Command, place: &Path) -> Self {
        Self::start_with(command.stderr(Stdio::piped()), place)
    }

    /// Like `start`, with a standard error of the command's own.
    pub(crate) fn start_with(command: &mut Command, place: &Path) -> Self {
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        let partial = loop {
            if let Some(partial) = partials(place).into_iter().find(|path| has_bytes(path)) {
                break partial;
            }
            assert!(started.elapsed() < PATIENCE, "the merge never began to write");
            std::thread::sleep(Duration::from_millis(1));
        };
        let mut held = Self { child, partial };
        held.signal("STOP");
        assert!(held.child.try_wait().unwrap().is_none() && held.partial.exists(), "it has ended");
        held
    }

    /// Starts the merge of `large` to `output`.
    pub(crate) fn merge(folder: &Folder, output: &str, extra: &[&str]) -> Self {
        let words = [&MERGE[..], &["-o", output], extra].concat();
        let output = folder.path(output);
        let inside = output.is_dir();
        let place = if inside { &*output } else { folder.dir.path() };
        Self::start(&mut folder.command(&words), place)
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Lets it go on to its end.
    pub(crate) fn go_on(self) -> Output {
        self.signal("CONT");
        self.child.wait_with_output().unwrap()
    }

    /// Lets it go on to its end, which must come.
    pub(crate) fn go_on_to_an_end(mut self) -> ExitStatus {
        self.signal("CONT");
        patiently(&mut self.child);
        self.child.wait().unwrap()
    }

    /// Ends it as a lack of memory or power would.
    pub(crate) fn kill(self) -> PathBuf {
        self.signal("KILL");
        self.child.wait_with_output().unwrap();
        self.partial
    }
}

/// Temporary files and folders in a folder.
pub(crate) fn partials(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "partial")).collect()
}

/// Whether a file, or one in a folder but its mark, is not empty.
fn has_bytes(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let paths = entries.into_iter().map(|entry| entry.path());
            paths.into_iter().any(|path| !path.ends_with(".gramerge-run") && has_bytes(&path))
        }
        found => found.is_ok_and(|found| found.len() > 0),
    }
}

/// Runs to the end, which must come: nothing may wait for ever.
pub(crate) fn ended(command: &mut Command) -> Output {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    patiently(&mut child);
    child.wait_with_output().unwrap()
}

fn patiently(child: &mut Child) {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE / 4 {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it waits for ever");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

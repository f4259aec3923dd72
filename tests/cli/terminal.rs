//! What somebody at a terminal sees while a merge runs, and what is left there when it ends.

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};

use gramerge::tensor::dtype::Dtype;

use crate::folder::{Folder, gram};
use crate::running::large;

const COLUMNS: u16 = 160;
const ROWS: u16 = 50;

/// A command whose standard output and error are a terminal.
struct Watched {
    child: Child,
    terminal: File,
    /// All that was sent to the terminal.
    sent: Vec<u8>,
}

impl Watched {
    fn start(mut command: Command) -> Self {
        let (terminal, own) = open();
        command.env("TERM", "xterm").stdout(own.try_clone().unwrap()).stderr(own);
        let child = command.spawn().unwrap();
        // The command holds the other end; the terminal is at its end when that is closed.
        drop(command);
        Self { child, terminal, sent: Vec::new() }
    }

    /// Reads until something has been sent. False at the end.
    fn read(&mut self) -> bool {
        let mut piece = [0; 4096];
        // Linux answers with an error where other systems have an end.
        let n = self.terminal.read(&mut piece).unwrap_or(0);
        self.sent.extend_from_slice(&piece[..n]);
        n > 0
    }

    fn has_sent(&self, words: &str) -> bool {
        self.sent.windows(words.len()).any(|window| window == words.as_bytes())
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for the end: what is on the screen then.
    fn end(mut self) -> (ExitStatus, Vec<String>, Self) {
        while self.read() {}
        let mut screen = vt100::Parser::new(ROWS, COLUMNS, 0);
        screen.process(&self.sent);
        let text = screen.screen().contents();
        let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        (self.child.wait().unwrap(), lines.map(String::from).collect(), self)
    }
}

/// Both ends of a new terminal.
fn open() -> (File, OwnedFd) {
    let (mut terminal, mut own) = (0, 0);
    let size = libc::winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    let none = std::ptr::null_mut();
    // SAFETY: two live integers to write to, no name, no settings, and a live size.
    let opened = unsafe {
        libc::openpty(
            &raw mut terminal,
            &raw mut own,
            none,
            none.cast(),
            (&raw const size).cast_mut(),
        )
    };
    assert_eq!(opened, 0, "there is no terminal to be had");
    // A terminal that a child inherits would never be at its end.
    // SAFETY: the descriptor is open.
    assert_eq!(unsafe { libc::fcntl(terminal, libc::F_SETFD, libc::FD_CLOEXEC) }, 0);
    // SAFETY: both are open, and nobody else's.
    unsafe { (File::from_raw_fd(terminal), OwnedFd::from_raw_fd(own)) }
}

/// Part of every bar, and of nothing else.
const BAR: &str = "B/s";

#[test]
fn a_merge_shows_bytes_rate_and_time_and_leaves_nothing_of_it() {
    let folder = large();
    let words = [&crate::running::MERGE[..], &["-o", "out.safetensors"]].concat();
    let (status, screen, watched) = Watched::start(folder.command(&words)).end();
    assert!(status.success(), "{screen:?}");
    for part in [BAR, "%", " of 201.3 MB", " left", "big", "reading it back"] {
        assert!(watched.has_sent(part), "no `{part}`");
    }
    let begins = [
        "2 tensors: 2 combined; reads",
        "warning: Models 1 and 2",
        "wrote out.safetensors (201.3 MB)",
        "sha256 ",
    ];
    assert_eq!(screen.len(), begins.len(), "{screen:?}");
    for (line, begin) in screen.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line}");
    }
}

#[test]
fn a_signal_takes_the_bar_away() {
    for signal in ["INT", "TERM"] {
        let folder = large();
        let words = [&crate::running::MERGE[..], &["-o", "out.safetensors", "--json"]].concat();
        let mut watched = Watched::start(folder.command(&words));
        while !watched.has_sent(BAR) {
            assert!(watched.read(), "it ended without a bar");
        }
        watched.signal("STOP");
        assert!(watched.child.try_wait().unwrap().is_none(), "it has ended");
        watched.signal(signal);
        watched.signal("CONT");
        let (_, screen, _) = watched.end();
        let sentence = format!("error: stopped by SIG{signal}; nothing is left of the merge");
        assert_eq!(screen, [sentence]);
    }
}

#[test]
fn an_error_takes_the_bar_away() {
    let folder = Folder::new();
    let mut values = gram(4, 1.0);
    values[5] = f64::NAN;
    folder.gram("b.gram.safetensors", "b", values);
    let (status, screen, watched) =
        Watched::start(folder.command(&folder.merge_words(&["--json"]))).end();
    assert_eq!(status.code(), Some(1));
    assert!(watched.has_sent(BAR), "there was no bar");
    assert!(screen[0].starts_with("error: `b.gram.safetensors`: tensor `fc.weight`"), "{screen:?}");
    assert!(!screen.iter().any(|line| line.contains(BAR)), "{screen:?}");
}

#[test]
fn verify_shows_how_far_it_is() {
    let folder = Folder::new();
    assert!(folder.merge(&[]).status.success());
    let mut words = vec!["verify", "out.safetensors", "a.safetensors", "b.safetensors", "--gram"];
    words.extend(["a.gram.safetensors", "b.gram.safetensors"]);
    let (status, screen, watched) = Watched::start(folder.command(&words)).end();
    assert!(status.success() && watched.has_sent(BAR), "{screen:?}");
    assert_eq!(screen.last().unwrap(), "2 tensors checked, 0 out of bound");
    assert!(!screen.iter().any(|line| line.contains(BAR)), "{screen:?}");
}

#[test]
fn a_hostile_name_does_not_steer_the_terminal() {
    let folder = Folder::new();
    let name = "x\u{1b}[2J\u{1b}]0;owned\u{7}";
    for model in ["a", "b"] {
        let tensors = [(name, Dtype::F32, &[2_u64][..], vec![1.0, 2.0])];
        folder.write(&format!("{model}.safetensors"), &tensors, &[]);
    }
    let words = ["merge", "a.safetensors", "b.safetensors", "-o", "out.safetensors"];
    let words = [&words[..], &["--method", "average"]].concat();
    let (status, screen, watched) = Watched::start(folder.command(&words)).end();
    assert!(status.success(), "{screen:?}");
    assert!(watched.has_sent("x\\u{1b}[2J"), "the name was never shown");
    assert!(!watched.has_sent("\u{1b}[2J") && !watched.has_sent("\u{7}"), "it was shown raw");
}

#[test]
fn in_a_pipe_there_is_no_bar() {
    let folder = Folder::new();
    let merged = folder.merge(&[]);
    assert!(merged.status.success());
    assert_eq!(String::from_utf8_lossy(&merged.stderr), "");
    let shown = String::from_utf8_lossy(&merged.stdout);
    assert!(!shown.contains(BAR) && shown.lines().count() == 3, "{shown}");
}

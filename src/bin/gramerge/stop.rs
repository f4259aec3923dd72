//! Signals, and other ends that do not come from the merge itself.
//!
//! A thread of its own waits for them, so that a merge stops at once, also in the middle of a long
//! solve. What has been begun is removed (`pending`), and the exit code is 128 and the signal's
//! number, as shells have it. A file that is larger than the process may write is a failed write
//! like any other. An abort, as for want of memory, is one still, but first removes what it can.

use std::panic;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gramerge::{Error, Result};

use crate::pending;
use crate::progress;

/// From here on every end that can be noticed removes what was begun.
pub(crate) fn watch() -> Result<()> {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // First, since telling takes memory, the lack of which may be the reason.
        pending::abandon();
        tell(info);
    }));
    signals().map_err(|error| Error::io(format!("signals cannot be waited for ({error})")))
}

/// Time for somebody to read the last words, who may have stopped reading.
const WORDS_MILLIS: u64 = 1000;

/// Removes what has been begun, and says so, unless that would take for ever.
fn end(signal: &str) {
    let (n_published, mut words) = pending::end();
    words.push(match (n_published, words.len()) {
        (0, 0) => format!("error: stopped by {signal}; nothing is left of the merge"),
        (0, _) => format!("error: stopped by {signal}"),
        _ => format!("error: stopped by {signal}, after the merge had been written"),
    });
    let (said, hear) = mpsc::channel();
    let say = move || {
        progress::clear();
        words.iter().for_each(|words| eprintln!("{words}"));
        let _gone = said.send(()).is_err();
    };
    if thread::Builder::new().spawn(say).is_ok() {
        let _unread = hear.recv_timeout(Duration::from_millis(WORDS_MILLIS)).is_err();
    }
}

#[cfg(unix)]
fn signals() -> std::io::Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::{exit, signal_name};

    // With any handler the write fails, instead of the process.
    signal_hook::flag::register(libc::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    on_abort()?;
    let (watched, watch) = mpsc::channel::<Signals>();
    let wait = move || {
        let Ok(mut signals) = watch.recv() else { return };
        if let Some(signal) = signals.forever().next() {
            end(signal_name(signal).unwrap_or("a signal"));
            exit(128 + signal);
        }
    };
    // Without a thread that waits for them, signals end the process as they always do.
    if thread::Builder::new().name("signals".into()).spawn(wait).is_err() {
        eprintln!(
            "warning: no more threads can be started: what a signal ends is left to the next run"
        );
        return Ok(());
    }
    let ending = [SIGINT, SIGTERM, SIGHUP, libc::SIGXCPU];
    let signals = Signals::new(ending.into_iter().filter(|signal| !is_ignored(*signal)))?;
    watched.send(signals).map_err(std::io::Error::other)
}

/// Seconds for an aborting process to remove what it has begun.
#[cfg(unix)]
const ABORT_SECONDS: libc::c_uint = 10;

#[cfg(unix)]
fn on_abort() -> std::io::Result<()> {
    use signal_hook::low_level::{emulate_default_handler, register};

    let end = || {
        // SAFETY: it only sets a timer.
        unsafe { libc::alarm(ABORT_SECONDS) };
        pending::abandon();
        let _goes_on = emulate_default_handler(libc::SIGABRT).is_err();
    };
    // SAFETY: whoever aborts is outside the allocator, which has refused by then, and `abandon`
    // waits for no lock of ours; should it hang all the same, the timer ends the process, whose end
    // this is in any case.
    unsafe { register(libc::SIGABRT, end) }?;
    Ok(())
}

/// Whether whoever started this process wants it to outlive the signal, as `nohup` does.
#[cfg(unix)]
fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: all zeros is a `sigaction`, a structure of integers and pointers that may be null.
    let mut found: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: without a new action nothing is changed; the old one is written to a live structure.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut found) };
    asked == 0 && found.sa_sigaction == libc::SIG_IGN
}

#[cfg(windows)]
fn signals() -> std::io::Result<()> {
    ctrlc::set_handler(|| {
        end("Ctrl-C");
        std::process::exit(130);
    })
    .map_err(std::io::Error::other)
}

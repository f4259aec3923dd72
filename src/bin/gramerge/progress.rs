//! How far a merge or a check has come: bytes, rate and time left, on a terminal.
//!
//! Must not know: what is computed.
//! Invariants: nothing is drawn where standard error is no terminal; nothing of it stays there when
//! the work ends, whatever ends it; all other words are printed through [`aside`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use gramerge::io::Source;
use gramerge::io::native::FileSource;
use gramerge::{Result, printable};
use indicatif::style::ProgressTracker;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::bytes;

/// What is on the terminal at this moment.
static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);

#[derive(Clone)]
struct Shown {
    bar: ProgressBar,
    counted: Counted,
    n_bytes: Arc<AtomicU64>,
}

/// Bytes that are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Read,
    Written,
}

/// A bar on the terminal, until this is dropped.
pub(crate) struct Progress {
    /// Ends the thread that redraws when it is dropped.
    _redraws: Option<Sender<()>>,
}

const TEMPLATE: &str = "{percent:>3}% {bar:20} {amount}, {rate}{left}  {wide_msg}";
/// Steps of a bar that shows shares.
const STEPS: u64 = 1_000_000;
/// Time between two looks at the clock while nothing else happens.
const REDRAW_MILLIS: u64 = 250;

impl Progress {
    /// A bar that [`Progress::done`] moves; it shows how much of so many bytes is written.
    pub(crate) fn of_writing(total_bytes: u64) -> Self {
        Self::begin(Counted::Written, STEPS, total_bytes, "")
    }

    /// A bar that reading so many bytes of [`Watched`] files moves.
    pub(crate) fn of_reading(total_bytes: u64, what: &str) -> Self {
        Self::begin(Counted::Read, total_bytes, total_bytes, what)
    }

    fn begin(counted: Counted, len: u64, total_bytes: u64, what: &str) -> Self {
        let target = ProgressDrawTarget::stderr();
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if target.is_hidden() || is_dumb {
            return Self { _redraws: None };
        }
        let n_bytes = Arc::new(AtomicU64::new(0));
        let bar = ProgressBar::with_draw_target(Some(len), target);
        bar.set_style(style(&n_bytes, total_bytes));
        bar.set_message(printable(what));
        let redraws = redraws(bar.clone());
        *locked() = Some(Shown { bar, counted, n_bytes });
        Self { _redraws: redraws }
    }

    /// Says what share of the work is done, and the tensor that was finished last.
    pub(crate) fn done(&self, share: f64, name: &str) {
        if let Some(Shown { bar, .. }) = shown() {
            bar.set_message(printable(name));
            bar.set_position((share * STEPS as f64) as u64);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        clear();
    }
}

/// Takes the bar off the terminal, for good.
pub(crate) fn clear() {
    let shown = locked().take();
    if let Some(Shown { bar, .. }) = shown {
        bar.finish_and_clear();
    }
}

/// Prints something else: above the bar, if there is one.
pub(crate) fn aside(print: impl FnOnce()) {
    match shown() {
        Some(Shown { bar, .. }) => bar.suspend(print),
        None => print(),
    }
}

/// Counts bytes of the output.
pub(crate) fn written(n_bytes: u64) {
    count(Counted::Written, n_bytes);
}

fn count(counted: Counted, n_bytes: u64) {
    let Some(shown) = shown().filter(|shown| shown.counted == counted) else { return };
    let total = shown.n_bytes.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes;
    if counted == Counted::Read {
        // Estimates may be exceeded, the end of a bar may not.
        shown.bar.set_position(total.min(shown.bar.length().unwrap_or(total)));
    }
}

fn shown() -> Option<Shown> {
    locked().clone()
}

fn locked() -> std::sync::MutexGuard<'static, Option<Shown>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn style(n_bytes: &Arc<AtomicU64>, total_bytes: u64) -> ProgressStyle {
    let style =
        ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    let known = |words: fn(u64, u64, &ProgressState) -> String| Key {
        n_bytes: Arc::clone(n_bytes),
        total_bytes,
        words,
    };
    style
        .progress_chars("█▌ ")
        .with_key("amount", known(|n, total, _| format!("{} of {}", bytes(n), bytes(total))))
        .with_key("rate", known(|n, _, state| format!("{}/s", bytes(rate(n, state)))))
        .with_key(
            "left",
            known(|_, _, state| match state.pos() {
                0 => String::new(),
                _ => format!(", {:#} left", HumanDuration(state.eta())),
            }),
        )
}

fn rate(n_bytes: u64, state: &ProgressState) -> u64 {
    (n_bytes as f64 / state.elapsed().as_secs_f64().max(1e-3)) as u64
}

/// One part of the bar's text, made of the bytes so far, all of them, and the clock.
#[derive(Clone)]
struct Key {
    n_bytes: Arc<AtomicU64>,
    total_bytes: u64,
    words: fn(u64, u64, &ProgressState) -> String,
}

impl ProgressTracker for Key {
    fn clone_box(&self) -> Box<dyn ProgressTracker> {
        Box::new(self.clone())
    }

    fn tick(&mut self, _: &ProgressState, _: std::time::Instant) {}

    fn reset(&mut self, _: &ProgressState, _: std::time::Instant) {}

    fn write(&self, state: &ProgressState, w: &mut dyn std::fmt::Write) {
        let n_bytes = self.n_bytes.load(Ordering::Relaxed).min(self.total_bytes);
        let _unheard = w.write_str(&(self.words)(n_bytes, self.total_bytes, state));
    }
}

/// Draws anew now and then; where no thread can be started, only what happens is drawn.
fn redraws(bar: ProgressBar) -> Option<Sender<()>> {
    let (sender, ended) = mpsc::channel();
    let redraw = move || {
        let wait = Duration::from_millis(REDRAW_MILLIS);
        while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            bar.tick();
        }
    };
    thread::Builder::new().name("progress".into()).spawn(redraw).ok().map(|_| sender)
}

/// A file whose reads move the bar that counts them.
#[derive(Debug, Clone)]
pub(crate) struct Watched(pub(crate) FileSource);

impl Source for Watched {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn len_bytes(&self) -> u64 {
        self.0.len_bytes()
    }

    async fn read_into(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        self.0.read_into(offset_bytes, buffer).await?;
        count(Counted::Read, buffer.len() as u64);
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        self.0.check().await
    }
}

//! How things are printed.
//!
//! `println!` and `eprintln!` of the whole binary are the ones below, which never panic: standard
//! output may be closed or full, and so may standard error.

use std::fmt::Arguments;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use gramerge::{Error, Result, printable};

use crate::progress;

macro_rules! println {
    ($($words:tt)*) => { $crate::output::line(format_args!($($words)*)) };
}

macro_rules! eprintln {
    ($($words:tt)*) => { $crate::output::note(format_args!("{}\n", format_args!($($words)*))) };
}

/// Why nothing more can be printed.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line on standard output, or remembers why it could not; then later lines are dropped.
pub(crate) fn line(line: Arguments<'_>) {
    let mut failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner);
    if failure.is_none() {
        *failure = writeln!(io::stdout(), "{line}").err();
    }
}

/// Prints on standard error, where there is nobody to tell of a failure.
pub(crate) fn note(words: Arguments<'_>) {
    progress::aside(|| {
        let _unheard = io::stderr().write_fmt(words);
    });
}

/// Whether the reader of standard output has gone away, which is the reader's wish.
pub(crate) fn is_closed() -> bool {
    let failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner);
    failure.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Fails if something could not be printed for another reason than a reader who has gone away.
pub(crate) fn check() -> Result<()> {
    let failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner);
    match &*failure {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(error)),
        _ => Ok(()),
    }
}

pub(crate) fn unwritable(error: &io::Error) -> Error {
    Error::io(format!("standard output cannot be written ({error})"))
}

/// Prints a value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<()> {
    println!("{}", to_json(value)?);
    Ok(())
}

/// A value as indented JSON, which steers no terminal.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| Error::io(format!("it cannot be written as JSON ({error})")))?;
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' | '\n' => escaped.push(c),
            _ if printable(c.encode_utf8(&mut [0; 4])).chars().eq([c]) => escaped.push(c),
            // Anything but ASCII is in a string.
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }),
        }
    }
    Ok(escaped)
}

/// A size for people.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut size = n as f64 / 1e3;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1e3;
        unit += 1;
    }
    if n < 1000 { format!("{n} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

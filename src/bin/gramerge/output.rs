//! How things are printed.

use std::io::Write;

use gramerge::{Error, Result};

/// Prints a value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<()> {
    let text = to_json(value)?;
    // A closed pipe is the reader's wish, not an error.
    let _closed = writeln!(std::io::stdout(), "{text}").is_err();
    Ok(())
}

/// A value as indented JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Error::io(format!("it cannot be written as JSON ({error})")))
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

//! The one public error: what is wrong, where, and what to do about it.
//!
//! Errors are data: both shells show the same sentence, and the page receives the fields.
//! Names come from files and may be hostile, so they are escaped when the sentence is made. An error
//! has no `source()`: it crosses from worker to page, and says in its sentence what caused it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Shorthand used by the whole crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who can do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is at fault: a file, a shape, a value in it.
    Input,
    /// A setting is out of range or contradicts another.
    Usage,
    /// Reading or writing failed: permission, changed file, full disk.
    Io,
    /// The arithmetic cannot meet its contract for this tensor.
    Numeric,
    /// A graphics card failed, was lost, or is not there.
    Device,
    /// Memory was refused, the machine's or a graphics card's.
    Memory,
    /// A worker or the program itself did not do what it must: nobody's input is at fault.
    Internal,
}

/// One clear sentence: what, where (file and tensor), what to do.
///
/// ```
/// let error = gramerge::Error::input("the file ends inside its header")
///     .file("a.safetensors")
///     .advice("download it again");
/// assert_eq!(error.to_string(), "`a.safetensors`: the file ends inside its header; download it again");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// Who can act on it.
    pub kind: ErrorKind,
    /// What is wrong, in lower case, without a full stop.
    pub what: String,
    /// The file, as the user named it.
    pub file: Option<String>,
    /// The tensor, as the file names it.
    pub tensor: Option<String>,
    /// What the user can do.
    pub advice: Option<String>,
}

impl Error {
    fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), file: None, tensor: None, advice: None }
    }

    /// The input is at fault.
    pub fn input(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, what)
    }

    /// A setting is at fault.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, what)
    }

    /// Reading or writing failed.
    pub fn io(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Io, what)
    }

    /// The arithmetic cannot meet its contract.
    pub fn numeric(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Numeric, what)
    }

    /// A graphics card failed.
    pub fn device(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Device, what)
    }

    /// Memory was refused.
    pub fn memory(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Memory, what)
    }

    /// The program itself is at fault.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, what)
    }

    /// Names the file, unless a deeper layer already did.
    #[must_use]
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file.get_or_insert_with(|| file.into());
        self
    }

    /// Names the tensor, unless a deeper layer already did.
    #[must_use]
    pub fn tensor(mut self, tensor: impl Into<String>) -> Self {
        self.tensor.get_or_insert_with(|| tensor.into());
        self
    }

    /// Says what to do, unless a deeper layer already did.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice.get_or_insert_with(|| advice.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "`{}`: ", printable(file))?;
        }
        if let Some(tensor) = &self.tensor {
            write!(f, "tensor `{}`: ", printable(tensor))?;
        }
        write!(f, "{}", self.what)?;
        match &self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// A name from a file, made safe to print: no control, separating or hidden characters, at most 200
/// of the others.
///
/// ```
/// assert_eq!(gramerge::printable("a\u{202e}b\n"), "a\\u{202e}b\\n");
/// ```
pub fn printable(name: &str) -> String {
    const MAX_CHARS: usize = 200;
    let mut shown = String::new();
    for (count, c) in name.chars().enumerate() {
        if count == MAX_CHARS {
            shown.push('…');
            break;
        }
        if c.is_control() || is_hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that reorder, break or hide the text around them: Unicode's marks of direction, its
/// line and paragraph separators, and those of its format characters that leave no trace.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unicode's Bidi_Control, its separators, and joiners without a width.
    #[test]
    fn nothing_that_reorders_breaks_or_hides_is_printed_raw() {
        let hostile = ['\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{ad}', '\u{61c}', '\u{180e}']
            .into_iter()
            .chain('\u{200b}'..='\u{200f}')
            .chain('\u{2028}'..='\u{202e}')
            .chain('\u{2060}'..='\u{206f}')
            .chain(['\u{feff}', '\u{fff9}', '\u{e0001}', '\u{e007f}']);
        for c in hostile {
            assert_eq!(printable(&format!("a{c}b")), format!("a{}b", c.escape_default()));
        }
    }

    #[test]
    fn names_of_all_languages_stay_as_they_are() {
        for name in ["größe", "模型", "نموذج", "מודל", "модель-ё", "a b", "e\u{301}"]
        {
            assert_eq!(printable(name), name);
        }
    }
}

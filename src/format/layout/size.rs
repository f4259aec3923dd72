//! Sizes as people type them: what a shard may hold.

use crate::{Error, Result, printable};

const UNITS: [(&str, u64); 7] = [
    ("", 1),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
];
const MAX_BYTES: u64 = 1_000_000_000_000_000_000;

/// A number of bytes, such as `5GB`, `1.5 GiB`, `500MB` or `1000000`.
///
/// # Errors
/// `Usage` if it is none, or less than a byte.
pub fn size_bytes(text: &str) -> Result<u64> {
    match parsed(text.trim_ascii()) {
        Some(bytes) if (1..MAX_BYTES).contains(&bytes) => Ok(bytes),
        _ => {
            let what = format!("`{}` is not a size such as 5GB or 500MiB", printable(text));
            Err(Error::usage(what))
        }
    }
}

/// Digits, perhaps a point among them, and a unit.
fn parsed(text: &str) -> Option<u64> {
    let (mut digits, mut scale, mut n_read) = (0_u64, None, 0);
    for byte in text.bytes() {
        match (byte, &mut scale) {
            (b'0'..=b'9', _) => {
                digits = digits.checked_mul(10)?.checked_add((byte - b'0').into())?;
                scale = scale.map(|scale: u64| scale.saturating_mul(10));
            }
            (b'.', None) => scale = Some(1),
            _ => break,
        }
        n_read += 1;
    }
    let unit = text[n_read..].trim_ascii();
    let (_, factor) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    Some(digits.checked_mul(*factor)? / scale.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_typed() {
        let sizes = [
            ("5GB", 5_000_000_000),
            (" 2 gb ", 2_000_000_000),
            ("500MiB", 500 << 20),
            ("1.5KiB", 1536),
            (".5kB", 500),
            ("48", 48),
            ("1.9", 1),
        ];
        for (text, bytes) in sizes {
            assert_eq!(size_bytes(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "GB", ".", "0", "0.9", "-1", "+1", "1e9", "5 TB", "1.0.0", "2000000000GB"]
        {
            assert!(size_bytes(text).is_err(), "{text}");
        }
    }
}

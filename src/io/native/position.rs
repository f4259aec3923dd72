//! Reading and writing at an offset of a file, which every system spells differently.
//!
//! Neither moves a position that threads would share.

use std::fs::File;
use std::io;

/// Fills `buffer` from `offset_bytes` on.
///
/// # Errors
/// `UnexpectedEof` if the file ends before; else the system's.
#[cfg(unix)]
pub fn read_exact_at(file: &File, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset_bytes)
}

/// Writes all of `bytes` at `offset_bytes`.
///
/// # Errors
/// The system's, such as a full disk.
#[cfg(unix)]
pub fn write_all_at(file: &File, bytes: &[u8], offset_bytes: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset_bytes)
}

/// Fills `buffer` from `offset_bytes` on.
///
/// # Errors
/// `UnexpectedEof` if the file ends before; else the system's.
#[cfg(windows)]
pub fn read_exact_at(file: &File, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    let len = buffer.len();
    let read = |done: usize| file.seek_read(&mut buffer[done..], offset_bytes + done as u64);
    whole(len, io::ErrorKind::UnexpectedEof, read)
}

/// Writes all of `bytes` at `offset_bytes`.
///
/// # Errors
/// The system's, such as a full disk.
#[cfg(windows)]
pub fn write_all_at(file: &File, bytes: &[u8], offset_bytes: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    let write = |done: usize| file.seek_write(&bytes[done..], offset_bytes + done as u64);
    whole(bytes.len(), io::ErrorKind::WriteZero, write)
}

/// Repeats a call that may do a part only, until all is done.
#[cfg(windows)]
fn whole(
    len: usize,
    nothing_done: io::ErrorKind,
    mut part: impl FnMut(usize) -> io::Result<usize>,
) -> io::Result<()> {
    let mut done = 0;
    while done < len {
        match part(done) {
            Ok(0) => return Err(nothing_done.into()),
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

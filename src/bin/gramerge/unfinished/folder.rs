//! A folder of a model's files that gets its name when it is whole.
//!
//! A new folder is filled beside its name and renamed. One that is there, and empty, is filled from
//! a folder inside it, file by file, tensors last: it may be where a disk is mounted, or where the
//! user stands, and cannot be replaced.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gramerge::format::INDEX_NAME;
use gramerge::{Error, Result};

use super::temporary::{INSIDE, Temporary, remove_emptied};
use super::{busy, exists, failed, leftovers, mark, staged};

const ADVICE: &str = "choose a folder that is new or empty";

/// A folder under a temporary name.
pub(super) struct Folder {
    target: PathBuf,
    temporary: Temporary,
    is_inside: bool,
}

impl Folder {
    /// Begins the folder and its files of tensors, once `check` has agreed; what dead runs left goes
    /// first, but for what holds one of the `spared`.
    pub(super) fn new(
        target: &Path,
        names: &[&str],
        spared: &[PathBuf],
        check: impl FnOnce() -> Result<()>,
    ) -> Result<(Self, Vec<Arc<File>>)> {
        // It may be given with a slash behind it, which would follow a link.
        let target = target.components().as_path().to_owned();
        let is_inside = is_there(&target)?;
        if leftovers::clear(&target, spared) {
            return Err(busy(&target));
        }
        check()?;
        let made = match is_inside {
            true => Temporary::inside(&target),
            false => Temporary::below_parents(&target),
        };
        let temporary = made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::usage(format!("`{INSIDE}` lies in it"))
                .file(target.display().to_string())
                .advice(ADVICE),
            _ => failed(&target, &error),
        })?;
        let mut files = Vec::new();
        for name in names {
            let file = temporary.add(name).map_err(|error| failed(&target.join(name), &error))?;
            files.push(Arc::new(file));
        }
        Ok((Self { target, temporary, is_inside }, files))
    }

    /// Adds a small file.
    pub(super) fn add(&self, name: &str, content: &mut impl io::Read) -> Result<()> {
        let added = self.temporary.add(name).and_then(|mut file| io::copy(content, &mut file));
        added.map(|_| ()).map_err(|error| failed(&self.target.join(name), &error))
    }

    /// Everything is written: gives it its name.
    pub(super) fn publish(self) -> Result<()> {
        let Self { target, temporary, is_inside } = self;
        temporary.publish(|temporary| match is_inside {
            true => move_out(temporary, &target),
            false => rename(temporary, &target),
        })
    }
}

/// Whether there is a folder that is empty but for what another run may have left.
fn is_there(target: &Path) -> Result<bool> {
    if target.as_os_str().is_empty() {
        return Err(Error::usage("the output has no name").advice(ADVICE));
    }
    match fs::read_dir(target) {
        Ok(entries) => {
            let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
            match (names.iter().any(|name| name == INSIDE), names.len()) {
                (_, 0) | (true, 1) => Ok(true),
                (false, _) => Err(exists(target, ADVICE)),
                (true, _) => Err(half_moved(target)),
            }
        }
        Err(_) if target.symlink_metadata().is_ok() => Err(exists(target, ADVICE)),
        Err(_) => Ok(false),
    }
}

/// A folder that a run was killed in while its files got their names, or where somebody has put
/// something beside an unfinished merge: nobody can say which of them are wanted.
fn half_moved(target: &Path) -> Error {
    Error::usage(format!("files lie in it beside `{INSIDE}`, and all are left as they are"))
        .file(target.display().to_string())
        .advice("empty it if no merge is writing there, or choose a folder that is new or empty")
}

/// Gives the folder its name, without the mark.
fn rename(temporary: &Path, target: &Path) -> Result<()> {
    let unmarked = fs::remove_file(temporary.join(mark::NAME));
    unmarked.and_then(|()| fs::rename(temporary, target)).map_err(|error| match is_there(target) {
        Ok(false) => failed(target, &error),
        Ok(true) | Err(_) => exists(target, "it came while this run was writing"),
    })
}

/// Moves every file one level up, or none.
fn move_out(temporary: &Path, target: &Path) -> Result<()> {
    let refused = |error| failed(target, &error);
    let mut names = Vec::new();
    for entry in fs::read_dir(temporary).map_err(refused)? {
        names.push(entry.map_err(refused)?.file_name());
    }
    names.retain(|name| name != mark::NAME);
    names.sort_by_key(|name| place(name));
    for (at, name) in names.iter().enumerate() {
        if let Err(error) = staged::rename(&temporary.join(name), &target.join(name)) {
            for moved in &names[..at] {
                let _left = fs::remove_file(target.join(moved)).is_err();
            }
            return Err(error);
        }
    }
    // All have their names: a folder that cannot be removed is no reason to take them back.
    let _left = remove_emptied(temporary).is_err();
    Ok(())
}

/// A file's place in the order of moving: small files, tensors, and the index, so that where it is all
/// that it lists is there.
fn place(name: &OsStr) -> (bool, bool, OsString) {
    let is_tensors = name.as_encoded_bytes().ends_with(b".safetensors");
    (name == INDEX_NAME, is_tensors, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_moved_last() {
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        let mut names = [shards[1], INDEX_NAME, shards[0], "tokenizer.json", "config.json"];
        names.sort_by_key(|name| place(OsStr::new(name)));
        assert_eq!(names, ["config.json", "tokenizer.json", shards[0], shards[1], INDEX_NAME]);
    }
}

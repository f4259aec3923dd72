//! A folder of a model's files that gets its name when it is whole.
//!
//! A new folder is filled beside its name and renamed. One that is there, and empty, is filled from
//! a folder inside it, file by file, tensors last: it may be where a disk is mounted, or where the
//! user stands, and cannot be replaced.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gramerge::{Error, Result};

use super::{busy, exists, failed, leftovers, staged, temporary};
use crate::pending::Kept;

const ADVICE: &str = "choose a folder that is new or empty";

/// A folder under a temporary name.
pub(super) struct Folder {
    target: PathBuf,
    kept: Kept,
    is_inside: bool,
}

impl Folder {
    /// Begins the folder and its files of tensors, each locked, once `check` has agreed.
    pub(super) fn new(
        target: &Path,
        names: &[&str],
        check: impl FnOnce() -> Result<()>,
    ) -> Result<(Self, Vec<Arc<File>>)> {
        // It may be given with a slash behind it, which would follow a link.
        let target = target.components().as_path().to_owned();
        if leftovers::clear(&target) {
            return Err(busy(&target));
        }
        let is_inside = is_there(&target)?;
        check()?;
        let first = names.first().copied().unwrap_or_default();
        let made = match is_inside {
            true => temporary::folder_inside(&target, first),
            false => temporary::folder_beside(&target, first),
        };
        let (kept, file) = made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => busy(&target),
            _ => failed(&target, &error),
        })?;
        let mut files = vec![Arc::new(file)];
        for name in names.iter().skip(1) {
            let file = kept.add(name).map_err(|error| failed(&target.join(name), &error))?;
            // Where a disk knows no locks, nobody takes the folder for a dead run's.
            let _unlocked = fs4::FileExt::try_lock(&file).is_err();
            files.push(Arc::new(file));
        }
        Ok((Self { target, kept, is_inside }, files))
    }

    /// Adds a small file.
    pub(super) fn add(&self, name: &str, content: &mut impl io::Read) -> Result<()> {
        let added = self.kept.add(name).and_then(|mut file| io::copy(content, &mut file));
        added.map(|_| ()).map_err(|error| failed(&self.target.join(name), &error))
    }

    /// Everything is written: gives it its name.
    pub(super) fn publish(self) -> Result<()> {
        let Self { target, kept, is_inside } = self;
        kept.publish(|temporary| match is_inside {
            true => move_out(temporary, &target),
            false => fs::rename(temporary, &target).map_err(|error| match is_there(&target) {
                Ok(false) => failed(&target, &error),
                Ok(true) | Err(_) => exists(&target, "it came while this run was writing"),
            }),
        })
    }
}

/// Whether there is an empty folder.
fn is_there(target: &Path) -> Result<bool> {
    if target.as_os_str().is_empty() {
        return Err(Error::usage("the output has no name").advice(ADVICE));
    }
    match fs::read_dir(target) {
        Ok(mut entries) => match entries.next() {
            None => Ok(true),
            Some(_) => Err(exists(target, ADVICE)),
        },
        Err(_) if target.symlink_metadata().is_ok() => Err(exists(target, ADVICE)),
        Err(_) => Ok(false),
    }
}

/// Moves every file one level up, or none.
fn move_out(temporary: &Path, target: &Path) -> Result<()> {
    let refused = |error| failed(target, &error);
    let mut names = Vec::new();
    for entry in fs::read_dir(temporary).map_err(refused)? {
        names.push(entry.map_err(refused)?.file_name());
    }
    // The locks are on the tensors' files, which are therefore the last to go.
    let is_tensors = |name: &std::ffi::OsString| name.as_encoded_bytes().ends_with(b".safetensors");
    names.sort_by_key(|name| (is_tensors(name), name.clone()));
    for (at, name) in names.iter().enumerate() {
        if let Err(error) = staged::rename(&temporary.join(name), &target.join(name)) {
            for moved in &names[..at] {
                let _left = fs::remove_file(target.join(moved)).is_err();
            }
            return Err(error);
        }
    }
    fs::remove_dir(temporary).map_err(refused)
}

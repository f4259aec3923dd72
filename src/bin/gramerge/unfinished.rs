//! The output under a temporary name, until it is whole: one file, or a folder of a model's files.
//!
//! Invariants: the output's name never holds a part of it; nothing that has the name already is
//! touched, but for a regular file that `--force` gives up.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gramerge::format::{INDEX_NAME, OutputLayout};
use gramerge::io::Sink;
use gramerge::io::native::{FileSource, write_all_at};
use gramerge::report::WrittenFile;
use gramerge::{Error, Result};
use pollster::block_on;

use crate::output::bytes;
use crate::progress::{self, Progress, Watched};

mod folder;
mod leftovers;
mod mark;
mod staged;
mod temporary;

use folder::Folder;
pub(crate) use staged::{Staged, check_free};

/// What is being written.
pub(crate) struct Unfinished {
    files: Arc<Vec<Place>>,
    whole: Whole,
}

/// What gets the output's name.
enum Whole {
    File(Staged),
    Folder(Folder),
}

/// One open file, and where it lies in the range of all.
struct Place {
    /// Its name in the end.
    path: PathBuf,
    file: Arc<File>,
    start_bytes: u64,
}

impl Unfinished {
    /// One file of the target's name.
    pub(crate) fn file(
        target: &Path,
        force: bool,
        spared: &[PathBuf],
        layout: &OutputLayout,
    ) -> Result<Self> {
        let check = || check_space(target, layout.total_bytes());
        let staged = Staged::new(target, force, spared, check)?;
        let files = vec![(target.to_owned(), Arc::clone(staged.file()))];
        Ok(Self { files: places(files, layout), whole: Whole::File(staged) })
    }

    /// A folder with every file of the layout, and its index.
    pub(crate) fn folder(target: &Path, spared: &[PathBuf], layout: &OutputLayout) -> Result<Self> {
        let names: Vec<&str> = layout.files().iter().map(|file| file.name.as_str()).collect();
        let check = || check_space(target, layout.total_bytes());
        let (folder, files) = Folder::new(target, &names, spared, check)?;
        let files = names.iter().map(|name| target.join(name)).zip(files).collect();
        let unfinished = Self { files: places(files, layout), whole: Whole::Folder(folder) };
        if let Some(json) = layout.index_json() {
            unfinished.add(INDEX_NAME, &mut json.as_bytes())?;
        }
        Ok(unfinished)
    }

    /// Adds a small file to the folder.
    pub(crate) fn add(&self, name: &str, content: &mut impl io::Read) -> Result<()> {
        match &self.whole {
            Whole::File(_) => Ok(()),
            Whole::Folder(folder) => folder.add(name, content),
        }
    }

    /// A writer for one thread.
    pub(crate) fn writer(&self) -> Writer {
        Writer { files: Arc::clone(&self.files) }
    }

    /// Every file of tensors, and its digest.
    pub(crate) fn digests(&self) -> Result<Vec<WrittenFile>> {
        let written = |place: &Place| {
            let name = place.path.file_name().unwrap_or_default().to_string_lossy();
            let source = Watched(FileSource::of(&place.path, Arc::clone(&place.file))?);
            block_on(WrittenFile::of(&name, &source, || Ok(())))
        };
        let mut total_bytes = 0;
        for Place { path, file, .. } in self.files.iter() {
            total_bytes += file.metadata().map_err(|error| failed(path, &error))?.len();
        }
        let _shown = Progress::of_reading(total_bytes, "reading it back");
        self.files.iter().map(written).collect()
    }

    /// Everything is written: gives it its name.
    pub(crate) fn finish(self) -> Result<()> {
        let Self { files, whole } = self;
        for Place { path, file, .. } in files.iter() {
            file.sync_all().map_err(|error| failed(path, &error))?;
        }
        drop(files);
        match whole {
            Whole::File(staged) => staged.publish(),
            Whole::Folder(folder) => folder.publish(),
        }
    }
}

fn places(files: Vec<(PathBuf, Arc<File>)>, layout: &OutputLayout) -> Arc<Vec<Place>> {
    let place = |((path, file), output): ((PathBuf, Arc<File>), &gramerge::format::OutputFile)| {
        Place { path, file, start_bytes: output.start_bytes }
    };
    Arc::new(files.into_iter().zip(layout.files()).map(place).collect())
}

/// Writes pieces of the output from one thread.
pub(crate) struct Writer {
    files: Arc<Vec<Place>>,
}

impl Sink for Writer {
    async fn write_at(&mut self, offset_bytes: u64, bytes: &[u8]) -> Result<()> {
        let behind = self.files.partition_point(|place| place.start_bytes <= offset_bytes);
        let Place { path, file, start_bytes } = &self.files[behind - 1];
        write_all_at(file, bytes, offset_bytes - start_bytes)
            .map_err(|error| failed(path, &error))?;
        progress::written(bytes.len() as u64);
        Ok(())
    }
}

/// Refuses now what would fail after hours. Where the free space cannot be known, writing will tell.
fn check_space(target: &Path, needed_bytes: u64) -> Result<()> {
    let folders = temporary::parent(target).ancestors();
    let folder = folders.filter(|folder| !folder.as_os_str().is_empty()).find(|path| path.exists());
    let folder = folder.unwrap_or(Path::new("."));
    match fs4::available_space(folder) {
        Ok(free_bytes) if free_bytes < needed_bytes => Err(Error::io(format!(
            "the disk has {} free, but {} are needed",
            bytes(free_bytes),
            bytes(needed_bytes)
        ))
        .file(folder.display().to_string())
        .advice("free some disk space, or write to another disk")),
        _ => Ok(()),
    }
}

fn exists(target: &Path, advice: &str) -> Error {
    Error::usage("the output exists already").file(target.display().to_string()).advice(advice)
}

fn busy(target: &Path) -> Error {
    Error::usage("another run is writing it at this moment")
        .file(target.display().to_string())
        .advice("wait for its end, or choose another name")
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::io(format!("it cannot be written ({error})")).file(path.display().to_string())
}

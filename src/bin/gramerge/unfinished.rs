//! The output under a temporary name, until it is whole: one file, or a folder of a model's files.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gramerge::format::{INDEX_NAME, OutputLayout};
use gramerge::io::Sink;
use gramerge::io::native::FileSource;
use gramerge::merge::report::WrittenFile;
use gramerge::{Error, Result};
use pollster::block_on;

use crate::output::bytes;

/// What is being written.
pub(crate) struct Unfinished {
    target: PathBuf,
    temporary: PathBuf,
    is_folder: bool,
    files: Arc<Vec<Place>>,
    finished: bool,
}

/// One open file, and where it lies in the range of all.
struct Place {
    path: PathBuf,
    file: File,
    start_bytes: u64,
}

impl Unfinished {
    /// One file of the target's name.
    pub(crate) fn file(target: &Path, force: bool, layout: &OutputLayout) -> Result<Self> {
        if target.exists() && !force {
            return Err(exists(target, "choose another name, or overwrite it with --force"));
        }
        let temporary = temporary(target);
        check_space(&temporary, layout.total_bytes())?;
        let paths = vec![temporary.clone()];
        Self::create(target, temporary, false, paths, layout)
    }

    /// A folder with every file of the layout, and its index.
    pub(crate) fn folder(target: &Path, layout: &OutputLayout) -> Result<Self> {
        let is_empty = fs::read_dir(target).map(|mut entries| entries.next().is_none());
        if target.exists() && !is_empty.unwrap_or(false) {
            return Err(exists(target, "choose a folder that is new or empty"));
        }
        let temporary = temporary(target);
        check_space(&temporary, layout.total_bytes())?;
        fs::create_dir_all(&temporary).map_err(|error| failed(&temporary, &error))?;
        let paths = layout.files().iter().map(|file| temporary.join(&file.name)).collect();
        let unfinished = Self::create(target, temporary, true, paths, layout)?;
        if let Some(json) = layout.index_json() {
            unfinished.add(INDEX_NAME, json.as_bytes())?;
        }
        Ok(unfinished)
    }

    fn create(
        target: &Path,
        temporary: PathBuf,
        is_folder: bool,
        paths: Vec<PathBuf>,
        layout: &OutputLayout,
    ) -> Result<Self> {
        let mut files = Vec::new();
        for (path, output) in paths.into_iter().zip(layout.files()) {
            let file = File::create(&path).map_err(|error| failed(&path, &error))?;
            files.push(Place { path, file, start_bytes: output.start_bytes });
        }
        let (target, files) = (target.to_owned(), Arc::new(files));
        Ok(Self { target, temporary, is_folder, files, finished: false })
    }

    /// Adds a small file to the folder.
    pub(crate) fn add(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.temporary.join(name);
        fs::write(&path, bytes).map_err(|error| failed(&path, &error))
    }

    /// A writer for one thread.
    pub(crate) fn writer(&self) -> Writer {
        Writer { files: Arc::clone(&self.files) }
    }

    /// Every file of tensors, and its digest.
    pub(crate) fn digests(&self) -> Result<Vec<WrittenFile>> {
        let written = |place: &Place| {
            let name = if self.is_folder { &place.path } else { &self.target };
            let name = name.file_name().unwrap_or_default().to_string_lossy();
            block_on(WrittenFile::of(&name, &FileSource::open(&place.path)?, || Ok(())))
        };
        self.files.iter().map(written).collect()
    }

    /// Everything is written: give it its name.
    pub(crate) fn finish(mut self) -> Result<()> {
        for Place { path, file, .. } in self.files.iter() {
            file.sync_all().map_err(|error| failed(path, &error))?;
        }
        if self.is_folder && self.target.exists() {
            fs::remove_dir(&self.target).map_err(|error| failed(&self.target, &error))?;
        }
        fs::rename(&self.temporary, &self.target).map_err(|error| failed(&self.target, &error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let removed = match self.is_folder {
            true => fs::remove_dir_all(&self.temporary),
            false => fs::remove_file(&self.temporary),
        };
        if removed.is_err() {
            eprintln!("warning: `{}` could not be removed", self.temporary.display());
        }
    }
}

/// Writes pieces of the output from one thread.
pub(crate) struct Writer {
    files: Arc<Vec<Place>>,
}

impl Sink for Writer {
    async fn write_at(&mut self, offset_bytes: u64, bytes: &[u8]) -> Result<()> {
        let behind = self.files.partition_point(|place| place.start_bytes <= offset_bytes);
        let Place { path, file, start_bytes } = &self.files[behind - 1];
        file.write_all_at(bytes, offset_bytes - start_bytes).map_err(|error| failed(path, &error))
    }
}

/// Refuses now what would fail after hours. Where the free space cannot be known, writing will tell.
fn check_space(path: &Path, needed_bytes: u64) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
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

fn temporary(target: &Path) -> PathBuf {
    // A folder may be given with a slash behind it.
    let mut name = target.components().as_path().as_os_str().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    PathBuf::from(name)
}

fn exists(target: &Path, advice: &str) -> Error {
    Error::usage("the output exists already").file(target.display().to_string()).advice(advice)
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::io(format!("it cannot be written ({error})")).file(path.display().to_string())
}

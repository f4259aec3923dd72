//! Where `--report` goes: a file of its own, or one in the output folder.
//!
//! Looked at before anything is read, written under a temporary name, and never written over what
//! the merge reads or makes.

use std::path::{Path, PathBuf};

use gramerge::checkpoint::group_files::COMPANIONS;
use gramerge::format::INDEX_NAME;
use gramerge::report::Report;
use gramerge::{Error, Result};

use crate::args;
use crate::inputs;
use crate::output::to_json;
use crate::unfinished::{Staged, Unfinished, check_free};

/// What `--report` asks for.
pub(crate) enum ReportFile {
    Nothing,
    /// A file in the output folder.
    Inside(String),
    Own(Staged),
}

/// Refuses an output or a report that would take the place of an input or of one another.
pub(crate) fn check(args: &args::Merge, is_folder: bool) -> Result<()> {
    require_file(&args.output, "the merge")?;
    args.report.iter().try_for_each(|report| require_file(report, "the report"))?;
    if !is_folder {
        check_free(&args.output, args.force)?;
        inputs::require_no_input(&args.output, &args.inputs)?;
    }
    let Some(report) = &args.report else { return Ok(()) };
    require_name(report)?;
    check_free(report, args.force)?;
    inputs::require_no_input(report, &args.inputs)?;
    let is_taken = match is_folder {
        true => inside(report, &args.output).is_some_and(|name| is_of_the_model(&name)),
        false => place(report) == place(&args.output),
    };
    if is_taken {
        return Err(Error::usage("the report would take the place of the merge")
            .file(report.display().to_string())
            .advice("choose another name"));
    }
    Ok(())
}

/// Refuses the word that elsewhere means standard output.
fn require_file(path: &Path, what: &str) -> Result<()> {
    if path.as_os_str() != "-" {
        return Ok(());
    }
    Err(Error::usage(format!("{what} cannot be written to standard output"))
        .file("-")
        .advice("give the name of a file, or ./- for one of this name"))
}

/// Refuses a report without a file's name of its own.
fn require_name(report: &Path) -> Result<()> {
    let last = report.as_os_str().as_encoded_bytes().last();
    let has_slash = last.is_some_and(|byte| std::path::is_separator(char::from(*byte)));
    if !has_slash && report.file_name().is_some() {
        return Ok(());
    }
    Err(Error::usage("the report is a file, and this is the name of a folder")
        .file(report.display().to_string())
        .advice("give a name within it"))
}

/// What is not to be cleared away: what the merge reads, and where the report will lie. Canonical.
pub(crate) fn spared(args: &args::Merge) -> Result<Vec<PathBuf>> {
    let mut spared = Vec::new();
    for path in args.inputs.models.iter().chain(&args.inputs.gram).chain(&args.inputs.base) {
        spared.extend(inputs::files_of(path)?);
        spared.push(path.clone());
    }
    spared.extend(args.report.as_deref().and_then(Path::parent).map(Path::to_owned));
    Ok(spared.iter().filter_map(|path| path.canonicalize().ok()).collect())
}

impl ReportFile {
    /// Begins the file, so that what forbids it is known before the work.
    pub(crate) fn begin(args: &args::Merge, is_folder: bool, spared: &[PathBuf]) -> Result<Self> {
        let Some(path) = &args.report else { return Ok(Self::Nothing) };
        match inside(path, &args.output).filter(|_| is_folder) {
            Some(name) => Ok(Self::Inside(name)),
            None => Ok(Self::Own(Staged::new(path, args.force, spared, || Ok(()))?)),
        }
    }

    /// Writes it, still under a temporary name.
    pub(crate) fn write(&self, report: &Report, output: &Unfinished) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Inside(name) => output.add(name, &mut to_json(report)?.as_bytes()),
            Self::Own(staged) => staged.write(to_json(report)?.as_bytes()),
        }
    }

    /// Gives it its name.
    pub(crate) fn publish(self) -> Result<()> {
        match self {
            Self::Own(staged) => {
                staged.publish().map_err(|error| error.advice("the merge itself is written"))
            }
            Self::Nothing | Self::Inside(_) => Ok(()),
        }
    }
}

/// The name of a file directly in the folder.
fn inside(file: &Path, folder: &Path) -> Option<String> {
    let is_inside = whole(file.parent()?) == whole(folder);
    is_inside.then(|| file.file_name()?.to_str().map(str::to_owned)).flatten()
}

fn is_of_the_model(name: &str) -> bool {
    name.ends_with(".safetensors") || name == INDEX_NAME || COMPANIONS.contains(&name)
}

/// A file by its folder and name, whether it is there or not.
fn place(file: &Path) -> Option<PathBuf> {
    Some(whole(file.parent()?).join(file.file_name()?))
}

/// A path without links and detours, as far as it exists.
fn whole(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = absolute.ancestors().find_map(|known| Some((known, known.canonicalize().ok()?)));
    match known {
        Some((known, canonical)) => {
            canonical.join(absolute.strip_prefix(known).unwrap_or(Path::new("")))
        }
        None => absolute,
    }
}

//! `gramerge inspect`: what is in these files.

use std::process::ExitCode;

use gramerge::checkpoint::inventory::{FileEntry, FileKind, SelectedModel};
use gramerge::checkpoint::pattern::{self, Line};
use gramerge::checkpoint::{Inventory, Library};
use gramerge::{Result, printable};

use crate::args::Inspect;
use crate::inputs;
use crate::output::{bytes, json};
use crate::progress::Watched;
use crate::table::{self, Row, counted};

pub(crate) fn run(args: &Inspect) -> Result<ExitCode> {
    let library = inputs::library(&args.paths)?;
    let inventory = library.inventory();
    if args.json {
        json(&inventory)?;
    } else {
        print(&library, &inventory, args.all);
    }
    inputs::warn(&inventory.warnings);
    let bad = inventory.files.iter().any(|file| file.kind == FileKind::Bad);
    Ok(if bad { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Tensors are listed under their file, those of a model's shards under the model.
fn print(library: &Library<Watched>, inventory: &Inventory, is_all: bool) {
    let is_shard = |file: usize| {
        let models = &inventory.suggestion.models;
        models.iter().any(|model| model.files.len() > 1 && model.files.contains(&file))
    };
    for (index, file) in inventory.files.iter().enumerate() {
        println!("{}", line(file));
        if !is_shard(index) {
            tensors(library, &[index], is_all);
        }
    }
    for (index, model) in inventory.suggestion.models.iter().enumerate() {
        println!("model {}: {}", index + 1, describe(model, inventory));
        if model.files.len() > 1 {
            tensors(library, &model.files, is_all);
        }
    }
}

/// What files hold, numbered tensors of the same dtype and shape on one line.
fn tensors(library: &Library<Watched>, files: &[usize], is_all: bool) {
    let opened: Vec<_> = files.iter().filter_map(|file| library.file(*file).ok()).collect();
    let tensors: Vec<_> = opened.iter().flat_map(|file| &file.header.tensors).collect();
    let name = |index: usize| tensors[index].name.as_str();
    let kind = |index: usize| (tensors[index].dtype, &tensors[index].shape);
    let lines = pattern::lines(tensors.len(), name, |a, b| kind(a) == kind(b));
    let row = |line: &Line| {
        let first = tensors[line.tensors[0]];
        Row::new(line, first.dtype, &first.shape, String::new())
    };
    let lines = table::unless_all(lines, is_all, name);
    table::print(&lines.iter().map(row).collect::<Vec<_>>(), "  ");
}

fn line(file: &FileEntry) -> String {
    let kind = match file.kind {
        FileKind::Checkpoint => "checkpoint",
        FileKind::Gram => "Gram file",
        FileKind::Index => "shard index",
        FileKind::Heldout => "held-out set",
        FileKind::Companion => "configuration",
        FileKind::Other => "other",
        FileKind::Bad => "unreadable",
    };
    let path = printable(&file.path);
    let size = bytes(file.size_bytes);
    match file.n_tensors {
        0 => format!("{path}: {kind}, {size}"),
        n => format!(
            "{path}: {kind}, {size}, {}, {} parameters, {}",
            counted(n, "tensor"),
            file.n_parameters,
            file.dtypes.join(" ")
        ),
    }
}

fn describe(model: &SelectedModel, inventory: &Inventory) -> String {
    let gram = match model.gram {
        Some(index) => format!("Gram file {}", printable(&inventory.files[index].path)),
        None => "no Gram file".into(),
    };
    let files = counted(model.files.len(), "file");
    format!("{} ({files}, {gram})", printable(&model.name))
}

//! `gramerge inspect`: what is in these files.

use std::process::ExitCode;

use gramerge::checkpoint::Inventory;
use gramerge::checkpoint::inventory::{FileEntry, FileKind, SelectedModel};
use gramerge::{Result, printable};

use crate::args::Inspect;
use crate::inputs;
use crate::output::{bytes, json};

pub(crate) fn run(args: &Inspect) -> Result<ExitCode> {
    let inventory = inputs::library(&args.paths)?.inventory();
    if args.json {
        json(&inventory)?;
    } else {
        print(&inventory);
    }
    inputs::warn(&inventory.warnings);
    let bad = inventory.files.iter().any(|file| file.kind == FileKind::Bad);
    Ok(if bad { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn print(inventory: &Inventory) {
    for file in &inventory.files {
        println!("{}", line(file));
    }
    for (index, model) in inventory.suggestion.models.iter().enumerate() {
        println!("model {}: {}", index + 1, describe(model, inventory));
    }
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
            "{path}: {kind}, {size}, {n} tensors, {} parameters, {}",
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
    let files = match model.files.len() {
        1 => "1 file".into(),
        n => format!("{n} files"),
    };
    format!("{} ({files}, {gram})", printable(&model.name))
}

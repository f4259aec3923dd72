//! Merges two checkpoints by the plain mean, as a program that embeds the library would.
//!
//! `cargo run --example merge a.safetensors b.safetensors merged.safetensors`

use std::error::Error;
use std::path::Path;

use gramerge::checkpoint::{Model, Models};
use gramerge::format::TensorFile;
use gramerge::io::native::FileSource;
use gramerge::recipe::Options;
use gramerge::run::Merge;
use pollster::block_on;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [a, b, out] = &paths[..] else { return Err("give two models and the output".into()) };
    let merge = Merge::new(Models::new(vec![open(a)?, open(b)?])?, Options::of("average"))?;
    for warning in &merge.plan().warnings {
        println!("{warning}");
    }
    // In memory, for brevity: any `Sink` will do.
    let mut bytes = Vec::new();
    let report = block_on(merge.whole(&mut bytes))?;
    std::fs::write(out, &bytes)?;
    println!("{} tensors in {out}", report.tensors.len());
    Ok(())
}

fn open(path: &str) -> gramerge::Result<Model<FileSource>> {
    let file = block_on(TensorFile::open(FileSource::open(Path::new(path))?))?;
    Model::new(path, vec![file], None)
}

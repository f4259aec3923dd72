//! All recipes of `tests/data/mergekit`, merged here and compared with what mergekit wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gramerge::checkpoint::Model;
use gramerge::format::TensorFile;
use gramerge::methods::average::average;
use gramerge::methods::regmean::Alone;
use gramerge::plan::needs;
use gramerge::recipe::{Options, Recipe, read};
use gramerge::run::Merge;
use gramerge::tensor::Dtype;
use gramerge::tensor::dtype::decode;
use gramerge_suite::engines;
use pollster::block_on;

use crate::common::Memory;
use crate::known;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mergekit")
}

fn open(path: &Path) -> TensorFile<Memory> {
    let bytes = std::fs::read(path).unwrap();
    block_on(TensorFile::open(Memory::new(path.display().to_string(), bytes))).unwrap()
}
